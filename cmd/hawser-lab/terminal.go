package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// keepTerminal remembers the settings of a terminal and who may read from it. restore brings them
// back: a program that was killed, such as the shell on a node that lost its power, leaves the
// terminal as it had it, and no key would do what it says.
func keepTerminal(r io.Reader) (restore func()) {
	if !isTerminal(r) {
		return func() {}
	}
	fd := int(r.(*os.File).Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return func() {}
	}
	return func() {
		// A shell has made its own process group the terminal's; whoever else changes it is stopped,
		// unless this signal is ignored.
		signal.Ignore(syscall.SIGTTOU)
		_ = unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp())
		_ = term.Restore(fd, state)
	}
}
