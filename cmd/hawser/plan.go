package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/plantext"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func fileFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "file", Aliases: []string{"f"},
		Usage: "what the cluster should run is in `FILE` (/etc/hawser/hawser.yaml, " +
			"else ./hawser.yaml; - is standard input)",
	}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON"}
}

func adoptFlag() cli.Flag {
	return &cli.BoolFlag{
		Name: "adopt", Usage: "take over what the file names and somebody else made, such as a " +
			"HAProxy and an address set up with crm",
	}
}

func planCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "plan",
		Usage: "show what apply would change, and what Pacemaker would do then",
		Description: "Compares hawser.yaml with the cluster's configuration and prints each " +
			"object that would be created (+), " +
			"changed (~) or deleted (-), in the language of `crm configure`, then what " +
			"Pacemaker's own scheduler would " +
			"do with it. Nothing is written. Only objects that hawser made are changed or deleted.",
		Flags: []cli.Flag{fileFlag(), adoptFlag(), jsonFlag(),
			&cli.BoolFlag{Name: "exit-code", Usage: "exit with 9 if there is anything to change"}},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			file, err := sys.readConfig(c.Context, c.String("file"))
			if err != nil {
				return err
			}
			d := sys.Deployer()
			d.Adopt = c.Bool("adopt")
			plan, err := d.Plan(c.Context, file, true)
			if err != nil {
				return outcome.Untouched(c.Context, err)
			}
			sys.reports(plan.Report())
			sys.aside(false).present(plan)
			if c.Bool("exit-code") && !plan.Changes.Empty() {
				return silent(exitChanges)
			}
			return nil
		},
	}
}

// present prints a plan, with what there is to say about it.
func (s *terminal) present(p deploy.Plan) {
	s.warnAll(p.Warnings)
	s.showInterruptions(p.Interruptions())
	s.showPlan(p.Changes)
	if p.Forecasted {
		s.showForecast(p.Forecast)
	}
	s.printf("%s", plantext.Places(p.Places()))
	s.printf("%s", plantext.Protection(p.Protection()))
}

// warnAll prints warnings, each line of them with the program's name.
func (s *terminal) warnAll(warnings []string) {
	for _, w := range warnings {
		for line := range strings.Lines(w) {
			s.warn(strings.TrimSpace(line))
		}
	}
}
