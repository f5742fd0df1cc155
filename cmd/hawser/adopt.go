package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func adoptCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "adopt",
		Usage: "take a set-up that was made by hand into hawser.yaml",
		Description: "Makes a hawser.yaml of the HAProxy and the addresses that the cluster has, " +
			"whoever made them with crm, pcs or `hawser configure`, shows what would change, asks, " +
			"writes both, and waits. Resources of hawser's own agents are kept: they only become " +
			"hawser's to change and to remove. Where another agent is exchanged, such as " +
			"systemd:haproxy or IPaddr2, it says what is interrupted. Tokens stay in files. " +
			"/usr/share/doc/hawser/adopt.md has the whole.",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "file", Aliases: []string{"f"},
				Usage: "write hawser.yaml to `FILE` (/etc/hawser/hawser.yaml)",
			},
			&cli.StringFlag{
				Name: "token-file", Value: inventory.TokenFile,
				Usage: "where agents read tokens that are in the cluster's configuration now, " +
					"`FILE` (/etc/hawser/token)",
			},
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file if it is there"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show everything, and write nothing"},
			yesFlag(), noWaitFlag(), timeoutFlag(), jsonFlag()},
		Before: noArgumentsAndTimeout,
		Action: func(c *cli.Context) error {
			path := c.String("file")
			if path == "" {
				path = config.DefaultFiles()[0]
			}
			return sys.adopt(c.Context, path, adoptOptions{
				tokenFile: c.String("token-file"), force: c.Bool("force"), dryRun: c.Bool("dry-run"),
				applyOptions: applyOptions{yes: c.Bool("yes"), noWait: c.Bool("no-wait"),
					timeout: c.Duration("timeout")},
			})
		},
	}
}

type adoptOptions struct {
	tokenFile     string
	force, dryRun bool
	applyOptions
}

// adopt reads, plans, shows, asks, writes hawser.yaml and the plan, and waits for what becomes of it.
func (s *system) adopt(ctx context.Context, path string, o adoptOptions) error {
	switch {
	case path == "-":
		return usagef("adopt writes a file: name it with -f; `hawser adopt --dry-run` shows it")
	case !o.yes && !o.dryRun && !s.interactive:
		return usagef("adopt asks before it writes, and there is no terminal to ask on: look at " +
			"`hawser adopt --dry-run`, then use --yes")
	}
	if !o.force && !o.dryRun {
		if err := adopt.CheckFree(path, s.Root); err != nil {
			return err
		}
	}
	adopter := &adopt.Adopter{Deployer: s.Deployer()}
	found, err := adopter.Read(ctx, path, o.tokenFile)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	out := s.aside(!o.yes && !o.dryRun)
	s.warnAll(found.Remarks)
	plan, err := adopter.Plan(ctx, found)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	report := plan.Report()
	s.reports(&report)
	out.showAdoption(plan)
	if o.dryRun {
		return nil
	}
	if !o.yes {
		if err := s.approve(ctx, "\nAdopt it?", "not adopted"); err != nil {
			return err
		}
	}
	began := s.Now()
	t := s.startTicker()
	err = adopter.Adopt(ctx, plan, o.force, o.timeout, t.Set)
	t.Close()
	if err != nil {
		return err
	}
	report.Written = true
	out.printf("\nWritten, and %s too.\n", path)
	if o.noWait || !s.Running {
		return nil
	}
	if err := s.settle(ctx, o.timeout, change.Written); err != nil {
		return err
	}
	report.Settled = true
	return s.Deployer().Verdict(ctx, plan.Changes, began)
}

func (s *terminal) showAdoption(p adopt.Plan) {
	s.warnAll(p.Changes.Warnings)
	if len(p.Exchanged) > 0 {
		s.showInterruptions(p.Exchanged)
	} else {
		s.showInterruptions(p.Changes.Interruptions())
	}
	s.printf("%s:\n\n    %s\n", s.paint(bold, p.File.Path), strings.ReplaceAll(
		strings.TrimRight(string(p.YAML), "\n"), "\n", "\n    "))
	s.printf("\nIn the cluster:\n\n")
	s.showPlan(p.Changes.Changes)
	s.showForecast(p.Changes.Forecast)
}
