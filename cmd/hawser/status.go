package main

import (
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

func statusCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show nodes, HAProxy, floating IPs and what failed",
		Description: "Asks Pacemaker and the HAProxy of this node at once. Each source says on " +
			"its own if it is unavailable. What " +
			"other nodes' HAProxy sees is what they last told the cluster. Since is the last " +
			"start or reload, next the node that takes an address if its own is lost.",
		Flags: []cli.Flag{jsonFlag(), &cli.BoolFlag{
			Name: "nagios", Usage: "print one line with performance data, and exit with 0 to 3, as " +
				"monitoring systems have it",
		}},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			collector := sys.Status()
			collector.Brief = c.Bool("nagios")
			r := collector.Collect(c.Context)
			if c.Bool("nagios") {
				line, code := r.Nagios()
				sys.printf("%s\n", words.Printable(line, false))
				return silent(code)
			}
			if c.Err() != nil {
				return exitf(outcome.Interrupted, "interrupted")
			}
			sys.reports(r)
			sys.aside(false).showStatus(r)
			switch {
			case r.Denied:
				return said{exitf(outcome.Denied, "%s", r.Pacemaker.Error)}
			case r.State == status.Unavailable:
				return said{exitf(outcome.Unavailable, "%s", r.Pacemaker.Error)}
			}
			if code := statusCode(r); code != exitOK {
				return silent(code)
			}
			return nil
		},
	}
}

// statusCode is the exit code for what was found.
func statusCode(r *status.Report) int {
	return map[status.State]int{
		status.OK: exitOK, status.Degraded: exitDegraded, status.Failed: exitResource,
		status.Unavailable: exitUnavailable,
	}[r.State]
}

// showStatus prints the report for people.
func (s *terminal) showStatus(r *status.Report) {
	s.printf("%s", r.Text(func(style status.Style, text string) string {
		return s.paint(map[status.Style]string{
			status.Title: bold, status.Good: green, status.Doubtful: yellow, status.Bad: red,
		}[style], text)
	}))
}
