package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/outcome"
)

func destroyCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "destroy",
		Usage: "stop and remove what apply made",
		Description: "Shows what will be removed, asks, stops the resources, waits until they " +
			"are stopped, and then deletes exactly " +
			"what hawser made, in one transaction; options that hawser replaced get their old " +
			"values back. What it made is " +
			"recorded in the cluster, in the tag hawser: the file named by -f is not needed and " +
			"not read. If a resource " +
			"cannot be stopped, nothing is deleted.",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "file", Aliases: []string{"f"},
				Usage: "accepted as with apply: what is removed is recorded in the cluster, not " +
					"in `FILE`",
			},
			yesFlag(), timeoutFlag(), jsonFlag()},
		Before: noArgumentsAndTimeout,
		Action: func(c *cli.Context) error {
			return sys.destroy(c.Context, c.Bool("yes"), c.Duration("timeout"))
		},
	}
}

func (s *system) destroy(ctx context.Context, yes bool, timeout time.Duration) error {
	if !yes && !s.interactive {
		return usagef("destroy asks before it writes, and there is no terminal to ask on: use " +
			"--yes")
	}
	d := s.Deployer()
	removal, err := d.PlanRemoval(ctx)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	report := removal.Report()
	s.reports(&report)
	out := s.aside(!yes)
	if removal.Empty() {
		out.printf("Nothing to do: the cluster's configuration has nothing that hawser made.\n")
		return nil
	}
	out.warnAll(removal.Warnings)
	out.showInterruptions(removal.Interruptions())
	out.showPlan(removal.Changes)
	out.showForecast(removal.Forecast)
	if !yes {
		if err := s.approve(ctx, "\nStop and remove this?", "not removed"); err != nil {
			return err
		}
	}
	t := s.startTicker()
	err = d.Destroy(ctx, removal, timeout, t.Set)
	t.Close()
	if err != nil {
		return err
	}
	report.Written = true
	out.printf("\nRemoved.\n")
	if !s.Running {
		return nil
	}
	err = s.settle(ctx, timeout, "what hawser made is removed")
	report.Settled = err == nil
	return err
}
