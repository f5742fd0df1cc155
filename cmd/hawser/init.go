package main

import (
	"context"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/adopt"
	"github.com/hawser-ha/hawser/cluster/draft"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

func initCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "print a hawser.yaml to start from, with what this machine and its cluster have",
		Description: "Looks at the cluster, at this machine's interfaces and cloud, and at HAProxy's " +
			"configuration, and prints a hawser.yaml with comments: what was found is written as keys, and " +
			"what has to be decided is commented out. It is valid as it stands. What could not be looked " +
			"at, and what the cluster runs already, its first lines say. Nothing in the cluster is " +
			"changed, and no cluster is needed.\n\n" +
			"  hawser init -o /etc/hawser/hawser.yaml",
		Flags: []cli.Flag{
			outputFlag(),
			&cli.BoolFlag{Name: "force", Usage: "overwrite the file if it is there"},
			&cli.StringFlag{Name: "config", Value: contract.DefaultConffile,
				Usage: "HAProxy's configuration, `FILE` or directory (" + contract.DefaultConffile + ")"},
			jsonFlag(),
		},
		Before: func(c *cli.Context) error {
			if word := c.Args().First(); word != "" {
				return usagef("%s takes no argument %q: the file to write is named with -o: `%s -o %s`",
					c.Command.HelpName, word, c.Command.HelpName, word)
			}
			return nil
		},
		Action: sys.telling(func(c *cli.Context) error {
			if c.IsSet("output") && c.String("output") == "" {
				return usagef("-o names no file")
			}
			return sys.draft(c.Context, c.String("config"), c.String("output"), c.Bool("force"))
		}),
	}
}

// draft prints or writes a hawser.yaml to start from.
func (s *system) draft(ctx context.Context, config, to string, force bool) error {
	if to == "-" {
		to = ""
	}
	config, err := filepath.Abs(config)
	if err == nil {
		config, err = param.ParsePath(config)
	}
	if err != nil {
		return usagef("--config %q %w", config, err)
	}
	if to != "" && !force {
		if err := adopt.CheckFreeFor(to, s.Root, "-o"); err != nil {
			return err
		}
	}
	facts := s.Draft(ctx, config)
	if ctx.Err() != nil {
		return exitf(outcome.Interrupted, "interrupted: nothing was changed")
	}
	made, err := draft.Of(facts)
	if err != nil {
		return exitf(outcome.Failed, "%w", err)
	}
	report, out := made.Report(facts), s.aside(false)
	s.reports(&report)
	if to == "" {
		out.printf("%s", made.YAML)
		return nil
	}
	if err := s.writeYAML(to, made.YAML, adopt.Mode(made.File), force); err != nil {
		return err
	}
	report.Written = to
	if !s.json {
		s.warnAll(made.Remarks)
	}
	out.wrapf("Written to %s. Read it and decide what is commented out, then: `hawser check %[1]s`, `hawser "+
		"plan -f %[1]s`.\n", to)
	return nil
}
