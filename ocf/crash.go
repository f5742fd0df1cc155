package ocf

import (
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// DieBySignal makes a crash end this process by a signal, SIGABRT. By itself a Go program ends with
// exit code 2 when it panics, when its runtime finds neither memory nor a thread, and on SIGQUIT:
// ErrArgs, for which Pacemaker bans the node. An action that a signal ended is ErrGeneric to it
// (lib/services/services_linux.c, async_action_complete).
//
// It comes too late for a process that finds no thread before main (three of them, Go 1.26).
//
// No core is dumped: it would hold the secret parameters. Unlike a limit of its size that holds for
// this process only, and not for the service that it starts.
func DieBySignal() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	debug.SetTraceback("crash")
}

// recovered runs an action, and makes an error of its panic.
func recovered(action func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this is a fault of the agent, please report it: %v\n%s", p,
				debug.Stack())
		}
	}()
	return action()
}
