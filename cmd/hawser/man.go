package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/manual"
)

func manCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "print a manual page, hawser(8) or hawser.yaml(5)",
		ArgsUsage: "[PAGE]",
		Description: "  To read it:    hawser man | man -l -\n" +
			"  To install it: hawser man > /usr/share/man/man8/hawser.8",
		Action: func(c *cli.Context) error {
			var page string
			switch strings.Join(c.Args().Slice(), " ") {
			case "", "hawser":
				page = sys.manualOfCommand(c.App)
			case "hawser.yaml":
				page = manualOfConfig(c.App)
			default:
				return usagef("manual page of what? accepted is hawser or hawser.yaml")
			}
			_, err := fmt.Fprint(sys.stdout, page)
			return err
		},
	}
}

// manualOfCommand is hawser(8), made from the commands themselves.
func (s *system) manualOfCommand(app *cli.App) string {
	full := *app
	full.Commands = nil
	for _, c := range app.Commands {
		full.Commands = append(full.Commands, s.described(c))
	}
	return manual.App(&full, "Cluster administration",
		manual.Section{Title: "EXIT STATUS", Text: exitcode.Text(sectionWidth)},
		manual.Section{Title: "JSON", Text: asJSON, Prose: true},
		manual.Section{Title: "ENVIRONMENT", Text: environment},
		manual.Section{Title: "FILES", Text: files},
		manual.Section{
			Title: "SEE ALSO", Prose: true,
			Text: "hawser.yaml(5), ocf_hawser_haproxy(7), ocf_hawser_floatip(7), " +
				"hawser-operations(7), hawser-troubleshooting(7), hawser-fencing(7), crm_mon(8), " +
				"cibadmin(8), crm(8), haproxy(1), and the pages in /usr/share/doc/hawser",
		})
}

// manualOfConfig is hawser.yaml(5).
func manualOfConfig(app *cli.App) string {
	return manual.Text(
		manual.Header{
			Name: "hawser.yaml", Section: "5", Short: "what the cluster should run",
			Version: app.Version, Part: "Cluster administration",
		},
		manual.Section{
			Title: "DESCRIPTION", Prose: true,
			Text: "hawser plan shows and hawser apply writes what this file says into the " +
				"cluster's configuration. hawser check validates it without a cluster. An " +
				"editor completes and checks it with the JSON Schema that hawser schema prints, " +
				"if this is the first line:\n\n" +
				"  # yaml-language-server: $schema=/usr/share/hawser/hawser.schema.json",
		},
		manual.Section{Title: "KEYS", Text: config.Help()},
		manual.Section{
			Title: "CHANGES",
			Text:  "What applying a change of a key does at most:\n\n" + config.Changes(),
		},
		manual.Section{
			Title: "EXAMPLE", Text: strings.TrimPrefix(config.Example(), "# hawser.yaml\n"),
		},
		manual.Section{Title: "FILES", Text: files},
		manual.Section{
			Title: "SEE ALSO", Text: "hawser(8), ocf_hawser_haproxy(7), ocf_hawser_floatip(7)",
		})
}
