package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// moveTime is how long a move waits unless told otherwise: a cloud takes some seconds over an
// address.
const moveTime = 2 * time.Minute

func moveCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "move",
		Usage:     "move a floating IP to another node",
		ArgsUsage: "FLOATING-IP [NODE]",
		Description: "Moves the address (its name, or the address itself) to the node, or to the " +
			"one that Pacemaker finds best after this one, while HAProxy goes on " +
			"everywhere. Pacemaker's scheduler plays the move through first: it is refused, and " +
			"nothing changed, if the " +
			"address would not go there, or not stay there. To move it, hawser writes a location " +
			"constraint, waits, and " +
			"removes it again, whether the move succeeded or not, so that nothing keeps the " +
			"address where it went but its " +
			"stickiness. If hawser is killed meanwhile the constraint ends by itself, and the " +
			"next move removes it.\n\n" +
			"New connections go to the new node from the moment on at which the network knows " +
			"it. A request that is under " +
			"way then is answered by the old node only where the network keeps it there; a LAN " +
			"does not.",
		Flags: []cli.Flag{yesFlag(), jsonFlag(),
			&cli.DurationFlag{
				Name: "timeout", Value: moveTime,
				Usage: "wait at most `TIME` for the move, such as 90s (2m)",
			}},
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			switch {
			case len(args) == 0:
				return usagef("move what? see `%s --help`; `hawser status` lists the floating IPs",
					c.Command.HelpName)
			case len(args) > 2:
				return usagef("%s takes a floating IP and a node, not also %q: see `%s --help`",
					c.Command.HelpName, args[2], c.Command.HelpName)
			}
			if err := wantTimeout(c); err != nil {
				return err
			}
			return sys.move(c.Context, args[0], c.Args().Get(1), moveOptions{
				yes: c.Bool("yes"), timeout: c.Duration("timeout"),
			})
		},
	}
}

type moveOptions struct {
	yes     bool
	timeout time.Duration
}

func (s *system) move(ctx context.Context, resource, node string, o moveOptions) error {
	switch {
	case !s.Running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing " +
			"can be moved there")
	case !o.yes && !s.interactive:
		return usagef("move asks before it moves an address, and there is no terminal to ask on: " +
			"use --yes")
	}
	mover := s.Mover()
	plan, err := mover.Plan(ctx, resource, node, o.timeout)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	resource = plan.Resource // the address itself may have been given
	report, out := plan.Report(), s.aside(!o.yes)
	s.reports(&report)
	if plan.There() {
		if err := mover.Tidy(ctx); err != nil {
			return err
		}
		out.printf("%s is on %s already: nothing to do.\n", resource, node)
		return nil
	}
	out.printf("%s moves from %s to %s.\n", resource, plan.From, plan.To)
	for _, a := range plan.Also {
		out.printf("With it: %s\n", a)
	}
	if !o.yes {
		if err := s.approve(ctx, "\nMove it?", "not moved"); err != nil {
			return err
		}
	}
	began := s.Now()
	t := s.startTicker()
	err = mover.Move(ctx, plan, o.timeout, t.Set)
	t.Close()
	if err != nil {
		return err
	}
	report.Moved, report.Seconds = true, s.Now().Sub(began).Seconds()
	out.printf("Moved; nothing keeps it there but its stickiness.\n")
	return nil
}
