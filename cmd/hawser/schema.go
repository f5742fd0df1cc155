package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/share/schemas"
)

func schemaCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "schema",
		Usage:     "print the JSON Schema of hawser.yaml, or of what a command prints with --json",
		ArgsUsage: "[COMMAND]",
		Description: "With that of hawser.yaml an editor completes the file and checks it while it " +
			"is written:\n\n" +
			"  # yaml-language-server: $schema=/usr/share/hawser/hawser.schema.json\n\n" +
			"COMMAND is one of " + strings.Join(schemas.Names(), ", ") + "; error is what is printed " +
			"with --json where no command is understood. The package has all of them in " +
			"/usr/share/hawser/schemas, and /usr/share/doc/hawser/json.md says what can be relied on.",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			switch {
			case c.NArg() > 1:
				return usagef("%s takes one command, not also %q: see `%s --help`",
					c.Command.HelpName, c.Args().Get(1), c.Command.HelpName)
			case name == "":
				schema, err := config.Schema()
				if err == nil {
					_, err = sys.stdout.Write(schema)
				}
				return err
			case !slices.Contains(schemas.Names(), name):
				return usagef("there is no schema %q: there is that of hawser.yaml, which needs no "+
					"name, and those of what is printed with --json by %s", name,
					strings.Join(schemas.Names(), ", "))
			}
			_, err := sys.stdout.Write(schemas.Of(name))
			return err
		},
	}
}
