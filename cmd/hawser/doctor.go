package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
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
			examiner := sys.Doctor(version)
			checks := examiner.Checks()
			if c.Bool("tell") {
				examiner.Seldom()
			}
			if c.Bool("node-only") || c.Bool("tell") {
				checks = examiner.NodeChecks()
			}
			if c.Bool("list") {
				return sys.listChecks(checks, c.Bool("json"))
			}
			if !sys.Root {
				return exitf(outcome.Denied,
					"hawser doctor reads what only root may read: try with sudo")
			}
			r := sys.runChecks(c.Context, checks)
			if err := c.Err(); err != nil {
				return err
			}
			if c.Bool("tell") {
				if err := examiner.Report(c.Context, r.Findings); err != nil {
					return err
				}
			}
			if c.Bool("json") {
				if err := sys.printJSON(r); err != nil {
					return err
				}
			} else {
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

// checkList is a line for each check.
func checkList(checks []doctor.Check) string {
	width := 0
	for _, c := range checks {
		width = max(width, len(c.Name))
	}
	var lines []string
	for _, c := range checks {
		lines = append(lines, fmt.Sprintf("%-*s  %s", width, c.Name, c.Short))
	}
	return strings.Join(lines, "\n")
}

// listedCheck is a check in `hawser doctor --list --json`.
type listedCheck struct {
	Name  string          `json:"check"`
	Short string          `json:"looks_for"`
	Worst doctor.Severity `json:"worst"`
	Why   string          `json:"why"`
	Mend  string          `json:"mend"`
}

func (s *system) listChecks(checks []doctor.Check, inJSON bool) error {
	if !inJSON {
		s.printf("%s\n", checkList(checks))
		return nil
	}
	list := []listedCheck{}
	for _, c := range checks {
		list = append(list, listedCheck{c.Name, c.Short, c.Worst, c.Why, c.Remedy})
	}
	return s.printJSON(list)
}

// runChecks runs the checks and says, should it take long, that it does.
func (s *system) runChecks(ctx context.Context, checks []doctor.Check) doctor.Report {
	tick := s.startTicker()
	defer tick.Close()
	tick.Set(fmt.Sprintf("running %d checks", len(checks)))
	return doctor.Run(ctx, checks)
}

var findingColour = map[doctor.Severity]string{
	doctor.Error: red, doctor.Unknown: yellow, doctor.Warning: yellow, doctor.Note: bold,
}

// showDoctor prints the report for people: what is the cluster's first, then each node's.
func (s *system) showDoctor(r doctor.Report) {
	r = words.Cleaned(r)
	nodes := []string{}
	for _, f := range r.Findings {
		if !slices.Contains(nodes, f.Node) {
			nodes = append(nodes, f.Node)
		}
	}
	slices.Sort(nodes) // "", the cluster's own, first
	for _, node := range nodes {
		title := "Cluster"
		if node != "" {
			title = "Node " + node
		}
		for _, f := range r.Findings {
			if f.Node == node && f.Reported != nil {
				title += words.Since(", reported at ", f.Reported, s.Now())
				break
			}
		}
		s.printf("%s\n", s.paint(bold, title))
		for _, group := range r.Together(node) {
			s.showFindings(group)
		}
		s.printf("\n")
	}
	s.printf("%s\n", tally(r))
}

// showFindings shows findings that are one but for their checks.
func (s *system) showFindings(group []doctor.Finding) {
	f := group[0]
	if len(group) > 1 {
		var checks []string
		for _, f := range group {
			checks = append(checks, f.Check)
		}
		f.Check, f.Why, f.Subject = strings.Join(checks, ", "), "each may be fine or not: "+
			"`hawser doctor --list` says what they look for", ""
	}
	what := f.What
	if f.Subject != "" && !strings.Contains(what, f.Subject) {
		what = f.Subject + ": " + what
	}
	s.printf("  %s  %s (%s)\n", s.paint(findingColour[f.Severity], fmt.Sprintf("%-7s", f.Severity)),
		what, f.Check)
	if f.Why != "" {
		s.printf("           %s\n", f.Why)
	}
	for _, command := range f.Fix {
		s.printf("           $ %s\n", command)
	}
}

// tally is the last line.
func tally(r doctor.Report) string {
	var parts []string
	for _, severity := range doctor.Severities() {
		if n := r.Count(severity); n > 0 {
			word := words.Count(n, string(severity))
			if severity == doctor.Unknown {
				word = fmt.Sprintf("%d could not be checked", n)
			}
			parts = append(parts, word)
		}
	}
	looked := words.Count(len(r.Checked), "check")
	if len(parts) == 0 {
		return looked + ", nothing found"
	}
	return looked + ": " + strings.Join(parts, ", ")
}
