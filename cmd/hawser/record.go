package main

import (
	"fmt"
	"os"
	"os/user"

	"github.com/urfave/cli/v2"
)

// changing are the commands that may change the cluster or what HAProxy serves.
var changing = map[string]bool{"apply": true, "destroy": true, "configure": true, "move": true, "reload": true}

// recorded has the system's log tell that a command was given, by whom, and what became of it: `journalctl -t hawser`. Its arguments may be
// secret and are not told.
func (s *system) recorded(name string, do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		err := do(c)
		if s.Record != nil && s.Running {
			s.Record(fmt.Sprintf("%s by %s: exit code %d", name, whoAmI(), exitCode(err)))
		}
		return err
	}
}

// whoAmI is the user, and the one who became it by way of sudo.
func whoAmI() string {
	name := fmt.Sprintf("uid %d", os.Geteuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if by := os.Getenv("SUDO_USER"); by != "" {
		name += " (sudo: " + by + ")"
	}
	return name
}
