package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

func words(s string) []string { return strings.Fields(s) }

func probeCommand(std streams) *cli.Command {
	return &cli.Command{
		Name: "probe", ArgsUsage: "URL",
		Usage: "request a URL again and again from the client, with a new connection each time, " +
			"and report how that went",
		Description: "Without --for it continues until Ctrl-C. Exit code 1 if no answer was good.",
		Flags: []cli.Flag{
			&cli.DurationFlag{
				Name: "every", Value: 10 * time.Millisecond, Usage: "time between two requests",
			},
			&cli.DurationFlag{Name: "for", Usage: "how long to continue", DefaultText: "until " +
				"Ctrl-C"},
			&cli.DurationFlag{
				Name: "timeout", Value: time.Second, Usage: "after how long a request counts as " +
					"failed",
			},
			&cli.BoolFlag{Name: "json", Usage: "print JSON, times in milliseconds"},
		},
		Action: func(c *cli.Context) error {
			args, err := wantArgs(c, "URL")
			if err != nil {
				return err
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			r, err := l.Probe(c.Context, lab.ProbeOptions{
				URL: args[0], Every: c.Duration("every"), For: c.Duration("for"),
				Timeout: c.Duration("timeout"),
			})
			if err != nil {
				return err
			}
			if c.Bool("json") {
				err = printJSON(std.out, probeJSON(r))
			} else {
				showProbe(std.out, r)
			}
			if err == nil && r.Requests == r.Failures {
				err = fmt.Errorf("probe %s: no good answer to %d requests: %s", args[0], r.Requests,
					counts(r.Errors))
			}
			return err
		},
	}
}

// report is the JSON form, in numbers that need no parsing.
type report struct {
	Requests     int            `json:"requests"`
	Failures     int            `json:"failures"`
	LongestGapMS float64        `json:"longest_gap_ms"`
	GapStartMS   float64        `json:"gap_start_ms"`
	P50MS        float64        `json:"p50_ms"`
	P99MS        float64        `json:"p99_ms"`
	MaxMS        float64        `json:"max_ms"`
	TookMS       float64        `json:"took_ms"`
	Servers      map[string]int `json:"servers"`
	Balancers    map[string]int `json:"balancers"`
	Errors       map[string]int `json:"errors"`
}

func probeJSON(r lab.ProbeReport) report {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return report{
		r.Requests, r.Failures, ms(r.LongestGap), ms(r.GapStart), ms(r.P50), ms(r.P99), ms(r.Max),
		ms(r.Took), r.Servers, r.Balancers, r.Errors,
	}
}

func showProbe(w io.Writer, r lab.ProbeReport) {
	printf(w, "requests     %d in %s, %d failed", r.Requests, short(r.Took), r.Failures)
	if r.Failures > 0 {
		printf(w, " (%s)", counts(r.Errors))
	}
	printf(w, "\nlongest gap  %s between two good answers, beginning at %s\n", short(r.LongestGap),
		short(r.GapStart))
	printf(w, "latency      p50 %s, p99 %s, max %s\n", short(r.P50), short(r.P99), short(r.Max))
	printf(w, "answered by  %s\n", counts(r.Servers))
	if len(r.Balancers) > 0 {
		printf(w, "through      %s\n", counts(r.Balancers))
	}
}

// short rounds to what a reader can use.
func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

func counts(m map[string]int) string {
	var names, parts []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
	}
	if len(parts) == 0 {
		return "nobody"
	}
	return strings.Join(parts, ", ")
}
