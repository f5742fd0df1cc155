package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/urfave/cli/v2"
)

type pushOptions struct {
	yes     bool
	timeout time.Duration
	rollout.PushOptions
}

// pushFlags are the flags of `hawser reload` that make it push.
func pushFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "push", TakesFile: true,
			Usage: "bring the configuration `FILE` (- is standard input) to every node first: " +
				"each checks it before any takes it",
		},
		&cli.BoolFlag{
			Name: "rollback",
			Usage: "push the configuration that was served before the last push, as this node " +
				"has kept it",
		},
		&cli.BoolFlag{
			Name: "with-credentials",
			Usage: "push a configuration although it holds passwords: the cluster's " +
				"configuration can be read by the group haclient",
		},
	}
}

// pushing is whether the command line asks for a push or a rollback.
func pushing(c *cli.Context) bool { return c.IsSet("push") || c.Bool("rollback") }

func (s *system) pushOrRollback(c *cli.Context) error {
	o := pushOptions{
		yes: c.Bool("yes"), timeout: c.Duration("timeout"),
		PushOptions: rollout.PushOptions{
			Force: c.Bool("force"), WithCredentials: c.Bool("with-credentials"),
		},
	}
	switch {
	case c.IsSet("push") && c.Bool("rollback"):
		return usagef("--push brings a new configuration and --rollback the former one: use one " +
			"of them")
	case c.Bool("differing"):
		return usagef("--differing lets each node take its own files, and a push brings the same " +
			"to all: use one of them")
	case !s.Running:
		return usagef("there is no cluster behind a configuration in a file or a shadow: nothing " +
			"can be pushed to it")
	case !o.yes && !s.interactive:
		return usagef("a push asks before it changes files on every node, and there is no " +
			"terminal to ask on: use --yes")
	}
	switch {
	case c.Bool("rollback") && s.Remote:
		return usagef("--rollback pushes what this node has kept, and the cluster is another " +
			"machine's: run it there")
	case c.Bool("rollback"):
		return s.rollback(c.Context, c.Args().First(), o)
	}
	return s.push(c.Context, c.Args().First(), c.String("push"), o)
}

// rollback pushes the configuration from before the last push, as this node has kept it.
func (s *system) rollback(ctx context.Context, resource string, o pushOptions) error {
	cib, err := s.Cluster.Query(ctx)
	if err != nil {
		return err
	}
	p, err := inventory.Find(cib, resource)
	if err != nil {
		return err
	}
	path := rollout.Previous(p)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		there, err := s.Roller().WithPrevious(ctx, p)
		where := "No node has reported one"
		if len(there) > 0 {
			where = "Run this on " + strings.Join(there, " or ") + ", which has one"
		} else if err != nil {
			where = "Run this on a node that has one"
		}
		return usagef("there is no %s: no push has changed what this node served. %s, or push a "+
			"file: `hawser reload --push FILE`", path, where)
	}
	return s.push(ctx, resource, path, o)
}

// push brings the configuration to every node that runs the resource.
func (s *system) push(ctx context.Context, resource, file string, o pushOptions) error {
	text, err := interruptible(ctx, func() ([]byte, error) { return s.readConfiguration(file) })
	if err != nil {
		return err
	}
	roller, waiting := s.Roller(), s.startTicker()
	roller.Progress = waiting.Set
	plan, err := roller.PlanPush(ctx, resource, file, text, o.PushOptions)
	waiting.Close()
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	s.warnAll(plan.Warnings)
	out := s.aside(!o.yes)
	out.printf("%s", plan.Text(file))
	if !o.yes {
		if err := s.approve(ctx, "\nPush it?", "not pushed"); err != nil {
			return err
		}
	}
	t := s.startTicker()
	report, err := roller.Push(ctx, plan, o.timeout, t.Set)
	t.Close()
	s.reports(report)
	out.printf("%s", report.Text())
	return err
}

// readConfiguration reads a file that may be "-", standard input.
func (s *system) readConfiguration(file string) ([]byte, error) {
	const longest = 16 << 20
	in := s.stdin
	if file != "-" {
		if file == "" {
			return nil, usagef("--push \"\": want the name of a configuration file, or - for " +
				"standard input")
		}
		opened, err := os.Open(file)
		if err != nil {
			return nil, usagef("the configuration %s cannot be read: %w%s", file,
				outcome.Cause(err), outcome.AskRoot(s.Root))
		}
		defer func() { _ = opened.Close() }()
		if info, err := opened.Stat(); err == nil && !info.Mode().IsRegular() &&
			info.Mode()&fs.ModeNamedPipe == 0 {
			return nil, usagef("%s is not a file: one configuration file is pushed", file)
		}
		in = opened
	}
	text, err := io.ReadAll(io.LimitReader(in, longest+1))
	switch {
	case err != nil:
		return nil, usagef("the configuration %s cannot be read: %w", file, outcome.Cause(err))
	case len(text) > longest:
		return nil, usagef("%s is larger than %d MiB: that is no configuration of HAProxy", file,
			longest>>20)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, usagef("%s is empty: nothing was changed", file)
	}
	return text, nil
}
