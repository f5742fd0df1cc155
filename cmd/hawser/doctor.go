package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func doctorCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "check this node and the cluster, and show how to fix what is wrong",
		Description: "Checks this node and the cluster's configuration and state, and changes " +
			"nothing. Of the other nodes it shows what " +
			"each has found and reported, and compares them. For each finding: what is wrong, " +
			"why it matters, and the commands " +
			"that fix it. Its severity is one of\n\n" +
			"  error    it fails, or will fail when it is needed\n" +
			"  unknown  could not be checked; do not assume it is fine\n" +
			"  warning  it weakens the cluster, or may surprise\n" +
			"  note     worth knowing; nothing need be done\n\n" +
			"The worst one decides the exit code: 5, 4, 8 and 0.",
		Flags: []cli.Flag{
			&cli.BoolFlag{
				Name:  "node-only",
				Usage: "check this node only, neither the cluster nor what other nodes reported",
			},
			&cli.BoolFlag{
				Name: "tell",
				Usage: "check this node only, and report the findings to the cluster; HAProxy's " +
					"keeper does so every 5 to 10 minutes",
			},
			&cli.BoolFlag{Name: "list", Usage: "list the checks and what each looks for"},
			jsonFlag(),
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			if !c.Bool("list") && sys.Root {
				sys.Locate(c.Context) // what is said of this node is said under its name
			}
			examiner := sys.Doctor(version)
			checks := examiner.Checks()
			if c.Bool("tell") {
				examiner.Seldom()
			}
			if c.Bool("node-only") || c.Bool("tell") {
				checks = examiner.NodeChecks()
			}
			if c.Bool("list") {
				sys.reports(doctor.Listed(checks))
				sys.aside(false).printf("%s", doctor.List(checks))
				return nil
			}
			if !sys.Root {
				return exitf(outcome.Denied,
					"hawser doctor reads what only root may read: try with sudo")
			}
			r := sys.runChecks(c.Context, checks)
			if c.Err() != nil {
				return exitf(outcome.Interrupted, "interrupted")
			}
			sys.reports(r)
			if c.Bool("tell") {
				if err := examiner.Report(c.Context, r.Findings); err != nil {
					return err
				}
			}
			if !sys.json {
				sys.showDoctor(r)
			}
			if code := doctorCode(r.Worst()); code != exitOK {
				return silent(code)
			}
			return nil
		},
	}
}

// doctorCode is the exit code for the worst finding.
func doctorCode(worst doctor.Severity) int {
	switch worst {
	case "", doctor.Note:
		return exitOK
	case doctor.Warning:
		return exitDegraded
	case doctor.Error:
		return exitResource
	}
	return exitUnavailable
}

// runChecks runs the checks and says, should it take long, that it does.
func (s *system) runChecks(ctx context.Context, checks []doctor.Check) doctor.Report {
	tick := s.startTicker()
	defer tick.Close()
	tick.Set(fmt.Sprintf("running %d checks", len(checks)))
	return doctor.Run(ctx, checks)
}

var findingColour = map[doctor.Severity]string{
	doctor.Error: red, doctor.Unknown: yellow, doctor.Warning: yellow, doctor.Note: bold, "": bold,
}

// showDoctor prints the report for people.
func (s *system) showDoctor(r doctor.Report) {
	s.printf("%s", r.Text(s.Now(), func(of doctor.Severity, text string) string {
		return s.paint(findingColour[of], text)
	}))
}
