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

func holdersCommand(std streams) *cli.Command {
	return &cli.Command{
		Name: "holders", ArgsUsage: "IP",
		Usage: "ask at every site, again and again, who has an address of the public network, and " +
			"report who said so when",
		Description: "The clients ask by ARP, or neighbour discovery, and hear announcements too. " +
			"Without --for it continues until Ctrl-C. Exit code 1 if at any moment two nodes said that " +
			"they have it, wherever they were heard.",
		Flags: []cli.Flag{
			&cli.DurationFlag{
				Name: "every", Value: 20 * time.Millisecond, Usage: "time between two questions",
			},
			&cli.DurationFlag{Name: "for", Usage: "how long to continue", DefaultText: "until " +
				"Ctrl-C"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			args, err := wantArgs(c, "IP")
			if err != nil {
				return err
			}
			ip, err := address(args[0])
			if err != nil {
				return err
			}
			if c.Duration("every") <= 0 || c.Duration("for") < 0 {
				return usagef("holders: --every and --for are times to wait: give more than 0")
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			began := time.Now()
			r, err := l.Holders(c.Context, lab.HolderOptions{
				IP: ip, Every: c.Duration("every"), For: c.Duration("for"),
			})
			if err != nil {
				return err
			}
			if c.Bool("json") {
				err = printJSON(std.out, r)
			} else {
				showHolding(std.out, r, began)
			}
			if n := len(r.Conflicts); err == nil && n > 0 {
				err = fmt.Errorf("holders %s: two nodes had it at the same time, %s", ip,
					map[bool]string{true: "once", false: fmt.Sprintf("%d times", n)}[n == 1])
			}
			return err
		},
	}
}

// showHolding prints when who had the address, in seconds since the beginning.
func showHolding(w io.Writer, r lab.HoldersReport, began time.Time) {
	since := func(t time.Time) string { return fmt.Sprintf("%.3fs", t.Sub(began).Seconds()) }
	for _, o := range r.Observers {
		at := o.Observer
		if o.Site != "" {
			at += " at " + o.Site
		}
		printf(w, "%s asked %d times\n", at, o.Requests)
		for _, h := range o.Holdings {
			printf(w, "  %-8s %s to %s, %d answers\n", h.Node, since(h.From), since(h.To), h.Answers)
		}
		if len(o.Holdings) == 0 {
			printf(w, "  nobody answered\n")
		}
	}
	for _, c := range r.Conflicts {
		where := slices.Compact(slices.Clone(c.Sites[:]))
		printf(w, "BOTH     %s and %s, %s to %s, as heard at %s", c.Nodes[0], c.Nodes[1],
			since(c.From), since(c.To), strings.Join(where, " and "))
		if !c.LinkUp {
			printf(w, ", which were cut off from each other")
		}
		printf(w, "\n")
	}
}
