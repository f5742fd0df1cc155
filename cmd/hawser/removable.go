package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v2"
)

// removableTime is how long Pacemaker may take to say what runs here: a removal waits for it.
const removableTime = 20 * time.Second

// removableCommand is for the package's own script, which asks before the agents go.
func removableCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:   "removable",
		Usage:  "tell whether the agents can be taken off this node",
		Hidden: true,
		Description: "The package asks this before it is removed. While a resource runs here, " +
			"Pacemaker needs its agent: without it the next " +
			"monitor fails, and the resource can be neither stopped nor moved. Exits with 0 if " +
			"they can be taken off, else with 1.",
		Before: noArguments,
		Action: func(c *cli.Context) error {
			ctx, cancel := context.WithTimeout(c.Context, removableTime)
			defer cancel()
			warning, err := sys.Removable(ctx)
			if warning != "" {
				sys.warn(warning)
			}
			return err
		},
	}
}
