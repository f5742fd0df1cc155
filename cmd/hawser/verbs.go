package main

import (
	"context"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/node"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/cluster/resource"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// verb is a command by which an administrator gives one order.
type verb struct {
	name, usage, args, description string
	fewest, most                   int    // arguments
	which                          string // what is missing when there are too few
	live                           bool   // it needs a running cluster, not a configuration in a file
	order                          func(ctx context.Context, s *system, args []string) (order.Order, error)
}

// verbs are the orders that hawser takes.
func verbs() []verb {
	return []verb{
		{
			name: "standby", usage: "move everything off a node, and keep it off",
			args: "NODE", fewest: 1, most: 1,
			which: "standby which node? `hawser status` lists them",
			description: "Its addresses go to other nodes, HAProxy ends there, and the node stays a " +
				"member of the cluster with its vote. `hawser online` ends that.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				return node.Nodes{Cluster: s.Cluster}.Standby(ctx, args[0])
			},
		},
		{
			name: "online", usage: "let a node that is in standby run resources again",
			args: "NODE", fewest: 1, most: 1,
			which: "online which node? `hawser status` lists them",
			description: "HAProxy starts there again; addresses stay where they are. It says if " +
				"HAProxy will not run there because it has failed, and how to clear that.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				return node.Nodes{Cluster: s.Cluster}.Online(ctx, args[0])
			},
		},
		{
			name: "maintenance", usage: "begin or end maintenance of a node or of the cluster",
			args: "on|off [NODE]", fewest: 1, most: 2, which: "maintenance on or off?",
			description: "With on, Pacemaker starts, stops and checks nothing, on the node or, " +
				"without one, anywhere: what runs goes on, and what fails is not recovered. With " +
				"off it checks what is running and catches up.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				on, err := node.OnOff(args[0])
				if err != nil {
					return order.Order{}, err
				}
				return node.Nodes{Cluster: s.Cluster}.Maintenance(ctx, on, argument(args, 1))
			},
		},
		{
			name: "cleanup", usage: "clear recorded failures, so that Pacemaker tries again",
			args: "[RESOURCE] [NODE]", most: 2, live: true,
			description: "Of one resource or of all, on one node or on all; of an address, by its " +
				"name or the address itself. A failure keeps HAProxy or an address off the node " +
				"where it happened until it expires or is cleared. Fix the cause first: otherwise " +
				"it fails again.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				return resource.Resources{Cluster: s.Cluster}.Cleanup(ctx, argument(args, 0),
					argument(args, 1))
			},
		},
		{
			name: "stop", usage: "stop a floating IP, or another resource", args: "RESOURCE", fewest: 1,
			most: 1, which: "stop what? `hawser status` lists addresses and other resources",
			description: "RESOURCE is the id of a resource, or the address that it holds. It is on no " +
				"node until `hawser start` or, if hawser.yaml has it, `hawser apply` starts it. If " +
				"nobody is served then, as without HAProxy, the first line says so.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				return resource.Resources{Cluster: s.Cluster}.Stop(ctx, args[0])
			},
		},
		{
			name: "start", usage: "start a resource that somebody has stopped", args: "RESOURCE",
			fewest: 1, most: 1, which: "start what? `hawser status` lists addresses and other resources",
			description: "RESOURCE is the id of a resource, or the address that it holds. Removes the " +
				"target role Stopped, whatever has set it: `hawser stop`, `crm resource stop`, `pcs " +
				"resource disable`, or a `hawser destroy` that did not finish.",
			order: func(ctx context.Context, s *system, args []string) (order.Order, error) {
				return resource.Resources{Cluster: s.Cluster}.Start(ctx, args[0])
			},
		},
	}
}

// argument is one that may be missing.
func argument(args []string, at int) string {
	if at < len(args) {
		return args[at]
	}
	return ""
}

// verbCommands are the commands of the verbs.
func verbCommands(sys *system) []*cli.Command {
	var all []*cli.Command
	for _, v := range verbs() {
		all = append(all, &cli.Command{
			Name: v.name, Usage: v.usage, ArgsUsage: v.args,
			Description: v.description + "\n\nShows first what Pacemaker's scheduler would do, and " +
				"asks. Then does it: all of it, or nothing. Then waits until the cluster has settled.",
			Flags: []cli.Flag{yesFlag(), noWaitFlag(), timeoutFlag(), jsonFlag()},
			Action: func(c *cli.Context) error {
				args := c.Args().Slice()
				switch {
				case len(args) < v.fewest:
					return usagef("%s; see `%s --help`", v.which, c.Command.HelpName)
				case len(args) > v.most:
					return usagef("%s takes %s, not also %q: see `%s --help`", c.Command.HelpName,
						v.args, args[v.most], c.Command.HelpName)
				case slices.Contains(args, ""):
					return usagef("an argument is empty: see `%s --help`", c.Command.HelpName)
				}
				if err := wantTimeout(c); err != nil {
					return err
				}
				return sys.give(c.Context, v, args, applyOptions{yes: c.Bool("yes"),
					noWait: c.Bool("no-wait"), timeout: c.Duration("timeout")})
			},
		})
	}
	return all
}

func noWaitFlag() cli.Flag {
	return &cli.BoolFlag{Name: "no-wait", Usage: "return as soon as the configuration is written"}
}

// give has the order made, shows it, asks, has it carried out, and waits for what becomes of it.
func (s *system) give(ctx context.Context, v verb, args []string, o applyOptions) error {
	switch {
	case v.live && !s.Running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: %s means "+
			"nothing there", v.name)
	case !o.yes && !s.interactive:
		return usagef("%s asks before it acts, and there is no terminal to ask on: use --yes",
			v.name)
	}
	given, err := v.order(ctx, s, args)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	report, out := given.Report(v.name, args), s.aside(!o.yes)
	s.reports(&report)
	if given.Done {
		out.wrapf("%s: nothing to do.\n", given.Says)
		out.showNotes(given.Notes)
		return nil
	}
	out.showOrder(given)
	if !o.yes {
		if err := s.approve(ctx, "\nDo it?", "not done"); err != nil {
			return err
		}
	}
	began := s.Now()
	if err := given.Do(ctx, s.Cluster); err != nil {
		return err
	}
	report.Changed = true
	defer func() { report.Seconds = s.Now().Sub(began).Round(time.Millisecond).Seconds() }()
	if !o.noWait && s.Running {
		done := change.Written
		if v.live {
			done = "Pacemaker has been told"
		}
		if err := s.settle(ctx, o.timeout, done); err != nil {
			return err
		}
		report.Settled = true
		if err := given.Verdict(ctx, s.Cluster, began); err != nil {
			return err
		}
	}
	out.wrapf("%s\n", given.Afterwards)
	return nil
}

// showOrder prints what is going to happen, the gravest first.
func (s *terminal) showOrder(o order.Order) {
	if headline := o.Effect.Headline(); headline != "" {
		s.wrapf("%s\n\n", s.paint(red, headline))
	}
	s.wrapf("%s\n\n", o.Says)
	for _, line := range o.Effect.Lines() {
		s.printf("%s", words.Lines("  "+line+"\n", words.Screen, 2))
	}
	s.showNotes(o.Notes)
}

func (s *terminal) showNotes(notes []string) {
	for i, note := range notes {
		if i == 0 {
			s.printf("\n")
		}
		s.wrapf("%s %s.\n", s.paint(yellow, "Note:"), note)
	}
}
