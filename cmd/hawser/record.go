package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"
)

// finishing has a command that changes something finish what it has begun: when whoever reads its
// output goes away (`hawser move … | head -1`), the next word printed would end the program with
// SIGPIPE, between two steps.
func finishing(do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		broken := make(chan os.Signal, 1)
		signal.Notify(broken, syscall.SIGPIPE)
		defer signal.Stop(broken)
		return do(c)
	}
}

// changing are the commands that may change the cluster or what HAProxy serves.
var changing = map[string]bool{
	"apply": true, "destroy": true, "adopt": true, "configure": true, "move": true, "reload": true,
	"standby": true, "online": true, "maintenance": true, "cleanup": true, "stop": true,
	"start": true, "quorum": true, "corosync": true,
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
