package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

func fileFlag() cli.Flag {
	return &cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "what the cluster should run is in `FILE` (./hawser.yaml, else /etc/hawser/hawser.yaml)"}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON"}
}

func planCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "show what apply would change, and what Pacemaker would do then",
		Description: "Compares hawser.yaml with the cluster's configuration and prints each object that would be created (+),\n" +
			"changed (~) or deleted (-), in the language of `crm configure`, then what Pacemaker's own scheduler would\n" +
			"do with it. Nothing is written. Only objects that hawser made are changed or deleted.",
		Flags: []cli.Flag{fileFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "exit-code", Usage: "exit with 9 if there is anything to change"}},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			cfg, err := readConfig(c.String("file"))
			if err != nil {
				return err
			}
			d, err := sys.draft(c.Context, cfg, true)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				err = sys.printJSON(d.report())
			} else {
				sys.showDraft(d)
			}
			if err == nil && c.Bool("exit-code") && !d.plan.Empty() {
				return silent(exitChanges)
			}
			return err
		},
	}
}

// draft is a plan with what there is to say about it.
type draft struct {
	plan     crm.Plan
	forecast crm.Forecast
	warnings []string
	foretold bool // forecast was made
	quorum   quorum
}

// protects says what stands between the cluster and an address that is held twice, now and with the plan.
func (d draft) protects() (now, then string) {
	return protection(d.plan.Base, d.quorum), protection(d.plan.New, d.quorum)
}

// draft compares the file with the cluster, and lets Pacemaker verify the outcome and, if the forecast is wanted, say what it would do. What the
// file refers to on this node is looked at meanwhile.
func (s *system) draft(ctx context.Context, cfg *config.File, forecast bool) (draft, error) {
	local := make(chan nodeChecked, 1)
	go func() { local <- s.checkNode(ctx, cfg) }()

	d, err := s.draftCluster(ctx, cfg, forecast)
	checked := <-local
	// What is wrong with the file is the more useful answer, unless the cluster cannot be asked at all: both then.
	if err != nil || checked.err != nil {
		var invalid *crm.InvalidError
		if checked.err != nil && err != nil && !errors.As(err, &invalid) && !isUsage(err) {
			return draft{}, checked.err
		}
		return draft{}, errors.Join(checked.err, err)
	}
	d.warnings = append(checked.warnings, d.warnings...)
	return d, nil
}

func isUsage(err error) bool {
	code, _ := exitCode(err)
	return code == exitUsage
}

func (s *system) draftCluster(ctx context.Context, cfg *config.File, forecast bool) (draft, error) {
	cib, err := s.cluster.Query(ctx)
	if err != nil {
		return draft{}, err
	}
	var d draft
	d.plan, err = diffWithFile(cfg, cib)
	if err != nil {
		return draft{}, err
	}
	d.quorum = s.corosyncQuorum(ctx)
	warning, err := checkFencing(cfg, d.plan, d.quorum)
	if err != nil {
		return draft{}, err
	}
	if err := s.checkLost(ctx, cfg, d.plan); err != nil {
		return draft{}, err
	}
	aboutSBD, err := s.checkSBD(ctx, cfg, cib)
	if err != nil {
		return draft{}, err
	}
	for _, w := range []string{warning, aboutSBD} {
		if w != "" {
			d.warnings = append(d.warnings, w)
		}
	}
	if d.plan.Empty() {
		return d, nil
	}
	d.foretold = forecast
	d.forecast, err = s.check(ctx, d.plan, forecast)
	if errors.Is(err, crm.ErrNoFencing) {
		err = nil // checkFencing has looked at that
	}
	d.warnings = append(d.warnings, d.forecast.Warnings...)
	return d, err
}

// check lets Pacemaker verify a plan, and simulate it if the forecast is wanted.
func (s *system) check(ctx context.Context, p crm.Plan, forecast bool) (crm.Forecast, error) {
	cheap, ok := s.cluster.(interface {
		Verify(context.Context, crm.Plan) ([]string, error)
	})
	if forecast || !ok {
		return s.cluster.Check(ctx, p)
	}
	warnings, err := cheap.Verify(ctx, p)
	return crm.Forecast{Warnings: warnings}, err
}

// diff is what the file changes in the configuration.
func diffWithFile(c *config.File, cib *crm.CIB) (crm.Plan, error) {
	p, err := crm.Diff(cib, crm.Spec{Objects: clusterObjects(c, cib), Tag: tagID})
	if err != nil {
		return crm.Plan{}, err
	}
	return p, onlyOurs(p)
}

// showDraft prints the plan and the warnings.
func (s *system) showDraft(d draft) {
	for _, w := range d.warnings {
		for line := range strings.Lines(w) {
			s.warn("%s", strings.TrimSpace(line))
		}
	}
	s.showPlan(d.plan)
	if d.foretold {
		s.showForecast(d.forecast)
	}
	if now, then := d.protects(); now == then {
		s.printf("\nAgainst a split: %s.\n", now)
	} else {
		s.printf("\nAgainst a split: now %s; then %s.\n", now, then)
	}
}
