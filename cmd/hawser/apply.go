package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// settleTime is how long apply and destroy wait unless told otherwise: longer than the time-outs of
// a stop and a start.
const settleTime = 5 * time.Minute

func yesFlag() cli.Flag {
	return &cli.BoolFlag{
		Name: "yes", Aliases: []string{"y"}, Usage: "do not ask; needed where there is no terminal",
	}
}

func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{
		Name: "timeout", Value: settleTime,
		Usage: "wait at most `TIME` for the cluster to settle, such as 90s (5m)",
	}
}

// wantTimeout refuses a time-out that is over before anything has begun.
func wantTimeout(c *cli.Context) error {
	if c.Duration("timeout") <= 0 {
		return usagef("--timeout %v: want a time longer than nothing, such as 90s",
			c.Duration("timeout"))
	}
	return nil
}

// noArgumentsAndTimeout is for the commands that wait.
func noArgumentsAndTimeout(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return wantTimeout(c)
}

func applyCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "apply",
		Usage: "make the cluster run what hawser.yaml says",
		Description: "Shows the plan, asks, and writes it as one transaction: all of it, or " +
			"nothing. The plan that was approved is " +
			"the plan that is written: if somebody else changes the configuration meanwhile so " +
			"that it would be another, " +
			"nothing is written. Then waits until Pacemaker has done what there is to do, and " +
			"fails with the agent's own " +
			"reason if a resource failed. Applying twice changes nothing the second time. With " +
			"--yes nothing is asked; what Pacemaker will do is forecast then only if the plan " +
			"changes or deletes something, since what is only added interrupts nobody.",
		Flags: []cli.Flag{fileFlag(), adoptFlag(), yesFlag(),
			noWaitFlag(), timeoutFlag(), jsonFlag()},
		Before: noArgumentsAndTimeout,
		Action: func(c *cli.Context) error {
			file, err := sys.readConfig(c.Context, c.String("file"))
			if err != nil {
				return err
			}
			return sys.apply(c.Context, file, applyOptions{
				yes: c.Bool("yes"), adopt: c.Bool("adopt"), noWait: c.Bool("no-wait"),
				timeout: c.Duration("timeout"),
			})
		},
	}
}

type applyOptions struct {
	yes, adopt, noWait bool
	timeout            time.Duration
}

// apply reads, judges and plans, shows, asks, writes, and waits for what becomes of it.
func (s *system) apply(ctx context.Context, file *config.File, o applyOptions) error {
	if !o.yes && !s.interactive {
		return usagef("apply asks before it writes, and there is no terminal to ask on: look at " +
			"`hawser plan`, then use --yes")
	}
	d := s.Deployer()
	d.Adopt = o.adopt
	// A forecast that is followed by the deed is for the log, and simulating it is a third of the
	// work: Plan makes one where somebody may be interrupted.
	plan, err := d.Plan(ctx, file, !o.yes || s.json)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	report := &deploy.Applied{Report: plan.Report()}
	s.reports(report)
	out := s.aside(!o.yes)
	out.present(plan)
	began := s.Now()
	if !plan.Changes.Empty() {
		warnings, err := d.Try(ctx, plan)
		s.warnAll(warnings)
		report.Warnings = append(report.Warnings, warnings...)
		if err != nil {
			return outcome.Untouched(ctx, err)
		}
		if !o.yes {
			if err := s.approve(ctx, "\nApply this?", "not applied"); err != nil {
				return err
			}
			began = s.Now()
		}
		if err := d.Apply(ctx, plan); err != nil {
			return err
		}
		report.Written = true
		out.printf("\nWritten.\n")
	}
	if o.noWait || !s.Running {
		return nil
	}
	done := change.Written
	if plan.Changes.Empty() {
		done = "nothing was changed"
	}
	if err := s.settle(ctx, o.timeout, done); err != nil {
		return err
	}
	report.Settled = true
	if err := d.Verdict(ctx, plan, began); err != nil {
		return err
	}
	if report.Written {
		out.printf("The cluster has settled.\n")
	}
	return nil
}

// settle waits until the cluster has nothing left to do after what was done, and shows what for.
func (s *system) settle(ctx context.Context, timeout time.Duration, done string) error {
	t := s.startTicker()
	defer t.Close()
	return change.Settle(ctx, s.Cluster, timeout, done, t.Set)
}
