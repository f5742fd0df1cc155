package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// changing are the commands that may change the cluster or what HAProxy serves.
var changing = map[string]bool{
	"apply": true, "destroy": true, "configure": true, "move": true, "reload": true,
}

// recorded has the system's log tell that a command was given, by whom, and what became of it:
// `journalctl -t hawser`. Its arguments may be secret and are not told.
func (s *system) recorded(name string, do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		err := do(c)
		if s.Record != nil && s.Running {
			s.Record(fmt.Sprintf("%s by %s: exit code %d", name, s.User(), exitCode(err)))
		}
		return err
	}
}
