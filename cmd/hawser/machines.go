package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
	"github.com/hawser-ha/hawser/param"
)

// sshVariable is the environment's word for --ssh.
const sshVariable = "HAWSER_SSH"

func sshFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "ssh", DefaultText: "ssh -l root …",
		Usage: "reach other machines with `COMMAND`, which takes a machine's name and a command " +
			"line, as ssh does; or " + sshVariable,
	}
}

func printFlag() cli.Flag {
	return &cli.BoolFlag{
		Name: "print", Usage: "change nothing and reach nobody: print what to type on which machine",
	}
}

// onWhichMachines explains, for the help, how other machines are reached.
const onWhichMachines = "Machines are reached with `ssh -l root`, by the names that corosync.conf has " +
	"for the nodes; this one is not reached but used. --ssh gives another command, and --print the " +
	"steps for somebody who carries them out himself.\n\nShows first what is done on which machine, and " +
	"asks. What was interrupted, or failed at a step, goes on when the same command is given again."

// machineOptions are those of a command that changes several machines.
type machineOptions struct {
	order string
	args  []string
	ssh   string
	yes   bool
	print bool
}

func machineOptionsOf(c *cli.Context, order string, args ...string) machineOptions {
	return machineOptions{
		order: order, args: args, ssh: c.String("ssh"), yes: c.Bool("yes"), print: c.Bool("print"),
	}
}

// reach is how the machines are reached.
func (s *system) reach(command string) (machines.Reach, error) {
	text := cmp.Or(command, os.Getenv(sshVariable), machines.DefaultCommand)
	parts, err := param.SplitWords(text)
	switch {
	case err != nil:
		return machines.Reach{}, usagef("--ssh %q %w", text, err)
	case len(parts) == 0:
		return machines.Reach{}, usagef("--ssh is empty: give a command, such as 'ssh -l root'")
	}
	return machines.Reach{
		Here:  s.Node,
		Shell: func(here string) machines.Shell { return s.Shell(parts, here) },
	}, nil
}

// reached says whether this command line can do what needs a cluster and root.
func (s *system) reached() error {
	switch {
	case !s.Live():
		return usagef("the nodes of a cluster are changed from one of them: a configuration in a file, a " +
			"shadow or another machine's has no machines")
	case !s.Root:
		return exitf(outcome.Denied, "corosync.conf, keys and certificates are root's: try with sudo")
	}
	return nil
}

// begin is what every change of machines begins with.
func (s *system) begin(ctx context.Context, o machineOptions) (machines.Reach, error) {
	if err := s.reached(); err != nil {
		return machines.Reach{}, err
	}
	if !o.print && !o.yes && !s.interactive {
		return machines.Reach{}, usagef("%s asks before it changes anything, and there is no terminal to "+
			"ask on: use --yes, or --print", o.order)
	}
	s.Locate(ctx)
	return s.reach(o.ssh)
}

// overMachines plans a change, shows it, asks, and carries it out; or prints it.
func (s *system) overMachines(
	ctx context.Context, o machineOptions, plan func(ctx context.Context) (machines.Plan, error),
) error {
	p, err := s.planMachines(ctx, plan)
	if err != nil {
		return err
	}
	report := machines.ReportOf(o.order, o.args, p)
	s.reports(&report)
	out := s.aside(!o.yes && !o.print)
	switch {
	case o.print:
		for _, line := range slices.Concat(p.Says, p.Notes) {
			for _, short := range words.Wrap(line, words.Screen-2) {
				out.printf("# %s\n", short)
			}
		}
		out.printf("\n%s", machines.Print(p.Steps()))
		return nil
	case len(p.Steps()) == 0:
		out.wrapf("%s: nothing to do.\n", strings.Join(p.Says, " "))
		return nil
	}
	out.showSteps(p)
	if !o.yes {
		if err := s.approve(ctx, "\nDo it?", "not done"); err != nil {
			return err
		}
		// While somebody read it, somebody else may have done something.
		again, err := s.planMachines(ctx, plan)
		if err != nil {
			return err
		}
		if !again.Same(p) {
			return exitf(outcome.Conflict, "the machines have changed meanwhile, and the steps are "+
				"no longer "+
				"what was approved; nothing was changed: run the command again")
		}
		p = again
	}
	return s.carryOut(ctx, o, p, &report)
}

// planMachines shows that it takes a moment.
func (s *system) planMachines(
	ctx context.Context, plan func(ctx context.Context) (machines.Plan, error),
) (machines.Plan, error) {
	tick := s.startTicker()
	defer tick.Close()
	tick.Set("asking every machine")
	p, err := plan(ctx)
	return p, outcome.Untouched(ctx, err)
}

// carryOut does the steps.
func (s *system) carryOut(
	ctx context.Context, o machineOptions, p machines.Plan, report *machines.Report,
) error {
	reach, err := s.reach(o.ssh)
	if err != nil {
		return err
	}
	out := s.aside(!o.yes)
	out.printf("\n")
	err = p.Do(ctx, reach.Shell(p.Here), func(number, of int, step machines.Step) {
		report.DoneUpTo(number - 1)
		out.printf("%s", words.Lines(fmt.Sprintf("%d/%d %s: %s\n", number, of, step.On, step.Does),
			words.Screen, 2))
	})
	if err == nil {
		report.DoneUpTo(len(report.Steps))
		return nil
	}
	again := "hawser " + o.order
	for _, a := range o.args {
		again += " " + machines.Quote(a)
	}
	kind := outcome.Of(err)
	if ctx.Err() != nil {
		kind = outcome.Interrupted
	}
	return exitf(kind, "%w\nwhat was done stays as it is, and the cluster goes on; `%s` again goes on from "+
		"here", err, again)
}

// showSteps prints what is going to be done.
func (s *terminal) showSteps(p machines.Plan) {
	for _, line := range p.Says {
		s.wrapf("%s\n", line)
	}
	s.showNotes(p.Notes)
	s.printf("\n")
	width := 0
	for _, step := range p.Steps() {
		width = max(width, len(step.On))
	}
	for _, step := range p.Steps() {
		s.printf("%s", words.Beside(step.On, step.Does, width+2, words.Screen-2))
	}
}
