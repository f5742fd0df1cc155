package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// settleTime is how long apply and destroy wait unless told otherwise: longer than the time-outs of a stop and a start.
const settleTime = 5 * time.Minute

func yesFlag() cli.Flag {
	return &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "do not ask; needed where there is no terminal"}
}

func timeoutFlag() cli.Flag {
	return &cli.DurationFlag{Name: "timeout", Value: settleTime, Usage: "wait at most `TIME` for the cluster to settle, such as 90s (5m)"}
}

func applyCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "apply",
		Usage: "make the cluster run what hawser.yaml says",
		Description: "Shows the plan, asks, and writes it as one transaction: all of it, or nothing. The plan that was approved is\n" +
			"the plan that is written: if somebody else changes the configuration meanwhile so that it would be another,\n" +
			"nothing is written. Then waits until Pacemaker has done what there is to do, and fails with the agent's own\n" +
			"reason if a resource failed. Applying twice changes nothing the second time. With --yes Pacemaker verifies the\n" +
			"plan, but no forecast of what it would do is made.",
		Flags: []cli.Flag{fileFlag(), yesFlag(),
			&cli.BoolFlag{Name: "no-wait", Usage: "return as soon as the configuration is written"},
			timeoutFlag(), jsonFlag()},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			cfg, err := readConfig(c.String("file"))
			if err != nil {
				return err
			}
			return sys.apply(c.Context, cfg, applyOptions{yes: c.Bool("yes"), noWait: c.Bool("no-wait"), json: c.Bool("json"), timeout: c.Duration("timeout")})
		},
	}
}

type applyOptions struct {
	yes, noWait, json bool
	timeout           time.Duration
}

func (s *system) apply(ctx context.Context, cfg *config.File, o applyOptions) error {
	if !o.yes && !s.terminal {
		return usagef("apply asks before it writes, and there is no terminal to ask on: look at `hawser plan`, then use --yes")
	}
	// Nobody reads a forecast that is followed by the deed, and simulating it is a third of the work.
	d, err := s.draft(ctx, cfg, !o.yes || o.json)
	if err != nil {
		return err
	}
	if o.json {
		if err := s.printJSON(d.report()); err != nil {
			return err
		}
	} else {
		s.showDraft(d)
	}
	began := s.now()
	if !d.plan.Empty() {
		if err := s.tryDevice(ctx, cfg, d.plan); err != nil {
			return err
		}
		if !o.yes {
			if !s.ask(ctx, "\nApply this?") {
				return exitf(exitFailed, "not applied: nothing was changed")
			}
			began = s.now()
		}
		if err := s.write(ctx, d.plan, func(cib *crm.CIB) (crm.Plan, error) {
			p, err := diffWithFile(cfg, cib)
			if err == nil {
				_, err = checkFencing(cfg, p, d.quorum)
			}
			if err == nil {
				err = s.checkLost(ctx, cfg, p) // it may have been lost while the question stood
			}
			return p, err
		}); err != nil {
			return err
		}
		if !o.json {
			s.printf("\nWritten.\n")
		}
	}
	if o.noWait || !s.running {
		return nil
	}
	if err := s.settle(ctx, o.timeout); err != nil {
		return err
	}
	if err := s.verdict(ctx, d.plan.New.Tagged(tagID), began); err != nil {
		return err
	}
	if !d.plan.Empty() && !o.json {
		s.printf("The cluster has settled.\n")
	}
	return nil
}

// maxReplans bounds how often a plan is made again because the cluster's status moved on; each time takes a few dozen milliseconds.
const maxReplans = 25

// write applies the approved plan. If the cluster has moved on meanwhile, replan is asked again, and its plan is written only if it makes the
// same changes.
func (s *system) write(ctx context.Context, approved crm.Plan, replan func(*crm.CIB) (crm.Plan, error)) error {
	plan := approved
	for range maxReplans {
		err := s.cluster.Apply(ctx, plan)
		if !errors.Is(err, crm.ErrStale) {
			return err
		}
		cib, err := s.cluster.Query(ctx)
		if err != nil {
			return err
		}
		next, err := replan(cib)
		if err != nil {
			return exitf(exitConflict, "somebody else changed the configuration meanwhile, and nothing was written; now: %w", err)
		}
		if next.Empty() {
			return nil // somebody else made the same changes
		}
		if !next.Same(approved) {
			s.printf("\nThe plan would now be:\n")
			s.showPlan(next)
			return exitf(exitConflict, "somebody else changed the configuration meanwhile, and the plan is not the one that was approved: nothing was written; run the command again")
		}
		if edited(plan.Base, cib) {
			// Each of the two changes is fine by itself; Pacemaker has yet to see them together.
			if _, err := s.check(ctx, next, false); err != nil && !errors.Is(err, crm.ErrNoFencing) {
				return err
			}
		}
		plan = next
	}
	return exitf(exitConflict, "the cluster's state changed %d times while the plan was being written, and nothing was written: wait until it has settled (`hawser status`), then run the command again", maxReplans)
}

// edited says whether the configuration was changed, and not only the cluster's status.
func edited(from, to *crm.CIB) bool {
	return from.Version.AdminEpoch != to.Version.AdminEpoch || from.Version.Epoch != to.Version.Epoch
}
