package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Exit codes of hawser.
const (
	exitOK          = exitcode.OK
	exitFailed      = exitcode.Failed
	exitUsage       = exitcode.Usage
	exitConflict    = exitcode.Conflict
	exitUnavailable = exitcode.Unavailable
	exitResource    = exitcode.Resource
	exitTimeout     = exitcode.Timeout
	exitPermission  = exitcode.Permission
	exitDegraded    = exitcode.Degraded
	exitChanges     = exitcode.Changes
	exitInterrupted = exitcode.Interrupted
)

// silent ends the program with a code when everything has been said.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// commandExit is the exit code of a command that another command ran.
type commandExit struct {
	code int
	err  error
}

func (e *commandExit) Error() string { return e.err.Error() }
func (e *commandExit) Unwrap() error { return e.err }

// exitCode is the exit code for an error.
func exitCode(err error) int {
	var (
		quiet   silent
		command *commandExit
		usage   cli.ExitCoder
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &command):
		return command.code
	case errors.As(err, &usage):
		// urfave/cli's own, such as for the help of a command that does not exist
		return exitUsage
	}
	return exitcode.Of(err)
}

// hint is what there is to add to the text of an error; an outcome.Error says it itself.
func hint(err error) string {
	var (
		said    *outcome.Error
		faults  *config.Faults
		invalid *crm.InvalidError
		syntax  *crm.SyntaxError
	)
	switch {
	case errors.As(err, &said):
		return ""
	case errors.Is(err, crm.ErrStale):
		return "nothing was changed; run the command again"
	case errors.As(err, &faults), errors.As(err, &invalid), errors.As(err, &syntax),
		errors.Is(err, crm.ErrRefused):
		return "nothing was changed"
	}
	return ""
}

// usagef is the error for a command line, a file or a configuration that is wrong.
func usagef(format string, args ...any) error { return outcome.Usagef(format, args...) }

// exitf is an error of a kind.
func exitf(kind outcome.Kind, format string, args ...any) error {
	return outcome.Errorf(kind, format, args...)
}
