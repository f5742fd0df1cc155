// Package machines runs command lines on the machines of a cluster, through one command that the
// user can replace, and says what was found on each. A change that concerns several machines is a
// list of steps, which is either carried out here or printed for somebody who types it.
//
// Nothing that is secret is part of a command line: it goes through standard input.
//
// It imports internal/corosync, outcome, words and command. Open this file first; step.go has the steps,
// print.go prints them, node.go is what is found on a node, and exec.go runs ssh.
package machines

import (
	"context"
	"fmt"
	"strings"
)

// Shell runs a command line on a machine, as root there, with the input, and returns what it
// printed. The error is an *UnreachableError if the machine did not answer, and a *FailedError if
// the command line failed there.
type Shell interface {
	Run(ctx context.Context, machine, line string, input []byte) (string, error)
}

// UnreachableError says that a machine did not run what it was to run, or that nobody knows whether
// it did.
type UnreachableError struct {
	Machine string
	// Command is what was to reach it.
	Command string
	Said    string
	Err     error
}

// Error says what was tried, and what came back.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("%s cannot be reached with `%s %s`: %s", e.Machine, e.Command, e.Machine,
		saidOr(e.Said, e.Err))
}

// Unwrap makes errors.Is and errors.As work.
func (e *UnreachableError) Unwrap() error { return e.Err }

// FailedError says that a command line failed on a machine.
type FailedError struct {
	Machine string
	Code    int
	Said    string
}

// Error says what came back.
func (e *FailedError) Error() string {
	return fmt.Sprintf("on %s: %s", e.Machine, saidOr(e.Said, fmt.Errorf("exit code %d", e.Code)))
}

// lastWords is how many lines of a complaint are worth repeating.
const lastWords = 3

// saidOr returns the last lines of what a program said, in one line, or else the error.
func saidOr(said string, err error) string {
	var lines []string
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return err.Error()
	}
	return strings.Join(lines[max(0, len(lines)-lastWords):], "; ")
}

// plainRunes mean themselves to a shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@%+"

// Quote makes a word of a shell out of any text.
func Quote(text string) string {
	plain := text != "" && strings.Trim(text, plainRunes) == ""
	if plain {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
