package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// reloadTime is how long a reload waits unless told otherwise: longer than the agent may take for
// it.
const reloadTime = 2 * time.Minute

func reloadCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "reload",
		Usage:     "reload HAProxy on every node",
		ArgsUsage: "[RESOURCE]",
		Description: "Checks the configuration of this node, then changes one parameter of the " +
			"resource, so that Pacemaker has every " +
			"node's agent reload HAProxy: no connection is lost, nothing restarts. Then waits, " +
			"and prints for each node the " +
			"hash of the configuration that it served and serves now, how old its worker is, and " +
			"which workers of before " +
			"still have connections. RESOURCE is needed where the cluster has more than one " +
			"HAProxy. Unchanged files are " +
			"loaded too, for the certificates that they name.\n\n" +
			"Only the configuration that was checked here is taken: a node whose files are " +
			"broken, missing or different goes " +
			"on with what it served, and takes them over as soon as they are right; hawser exits " +
			"with 8. With --differing " +
			"each node takes the files that it has.\n\n" +
			"Nodes that are offline, in standby or leaving, and those where HAProxy does not " +
			"run, are named and waited for no " +
			"longer: they load their files when HAProxy starts there. Where Pacemaker does not " +
			"manage HAProxy (maintenance), " +
			"it goes on with what it served until it is managed again; hawser exits with 8.\n\n" +
			"With --push FILE the configuration itself is brought to every node through the " +
			"cluster, for HAProxy to check there; if " +
			"no node refuses it, each keeps its former file as FILE.hawser-previous, puts the " +
			"new one in place and loads it. " +
			"--rollback pushes this node's FILE.hawser-previous.\n\n" +
			"If Pacemaker would restart HAProxy on a node instead, the reload is refused and " +
			"nothing changed. --force accepts " +
			"that: new connections wait then, but open ones are cut.",
		Flags: append(pushFlags(),
			&cli.BoolFlag{
				Name:  "differing",
				Usage: "let each node take the files that it has, though they differ",
			},
			&cli.BoolFlag{
				Name: "force", Usage: "reload even if Pacemaker would restart HAProxy on a node",
			},
			yesFlag(), jsonFlag(),
			&cli.DurationFlag{
				Name: "timeout", Value: reloadTime,
				Usage: "wait at most `TIME` for the nodes, such as 90s (2m)",
			}),
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 {
				return usagef("%s takes one resource, not also %q: see `%s --help`",
					c.Command.HelpName, c.Args().Get(1), c.Command.HelpName)
			}
			if err := wantTimeout(c); err != nil {
				return err
			}
			if pushing(c) {
				return sys.pushOrRollback(c)
			}
			if c.Bool("with-credentials") {
				return usagef("--with-credentials belongs to --push and --rollback")
			}
			return sys.reload(c.Context, c.Args().First(), reloadOptions{
				yes: c.Bool("yes"), timeout: c.Duration("timeout"),
				ReloadOptions: rollout.ReloadOptions{
					Force: c.Bool("force"), Differing: c.Bool("differing"),
				},
			})
		},
	}
}

type reloadOptions struct {
	yes     bool
	timeout time.Duration
	rollout.ReloadOptions
}

func (s *system) reload(ctx context.Context, resource string, o reloadOptions) error {
	switch {
	case !s.Running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing " +
			"is reloaded there")
	case !o.yes && !s.interactive:
		return usagef("reload asks before it reloads, and there is no terminal to ask on: use " +
			"--yes")
	}
	roller, waiting := s.Roller(), s.startTicker()
	roller.Progress = waiting.Set
	plan, err := roller.PlanReload(ctx, resource, o.ReloadOptions)
	waiting.Close()
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	s.warnAll(plan.Warnings)
	s.aside(!o.yes).printf("%s", plan.Text())
	if !o.yes {
		if err := s.approve(ctx, "\nReload?", "not reloaded"); err != nil {
			return err
		}
	}
	t := s.startTicker()
	err = roller.Reload(ctx, plan, o.timeout, t.Set)
	t.Close()
	if plan.Written() {
		s.reports(plan.Report)
		s.aside(!o.yes).showReload(plan.Report)
	}
	return err
}
