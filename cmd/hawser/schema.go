package main

import (
	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
)

func schemaCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "schema",
		Usage: "print the JSON Schema of hawser.yaml",
		Description: "With it an editor completes hawser.yaml and checks it while it is written. " +
			"The package has " +
			"it, too:\n\n" +
			"  # yaml-language-server: $schema=/usr/share/hawser/hawser.schema.json",
		Before: noArguments,
		Action: func(*cli.Context) error {
			schema, err := config.Schema()
			if err == nil {
				_, err = sys.stdout.Write(schema)
			}
			return err
		},
	}
}
