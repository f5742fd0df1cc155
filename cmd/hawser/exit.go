package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/crm"
)

// Exit codes of hawser. exitCodes documents them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitConflict    = 3
	exitUnavailable = 4
	exitResource    = 5
	exitTimeout     = 6
	exitPermission  = 7
	exitDegraded    = 8
	exitChanges     = 9
	exitInterrupted = 130 // 128 + SIGINT, as a shell has it
)

// exitCodes is for the help and the manual page.
var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done; status: all is well"},
	{exitFailed, "something else failed, or the question was answered with no"},
	{exitUsage, "the command line, hawser.yaml or the configuration it leads to is wrong; nothing was changed"},
	{exitConflict, "somebody else changed the configuration meanwhile, and the plan is no longer what was approved; nothing was changed"},
	{exitUnavailable, "Pacemaker does not answer, has no quorum, or is not installed"},
	{exitResource, "a resource failed; move: the address cannot go there; status: an address or HAProxy is nowhere to be had"},
	{exitTimeout, "the cluster has not settled in time; the configuration is written (move: its constraint is removed)"},
	{exitPermission, "permission denied: hawser needs root, or a member of the group haclient"},
	{exitDegraded, "status: it works, but something needs attention; reload: a node goes on with the configuration that it served"},
	{exitChanges, "plan --exit-code: there are changes to apply"},
	{exitInterrupted, "interrupted"},
}

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func exitf(code int, format string, args ...any) error {
	return &exitError{code, fmt.Errorf(format, args...)}
}

func usagef(format string, args ...any) error { return exitf(exitUsage, format, args...) }

// silent ends the program with a code when everything has been said.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// exitCode is the exit code for an error, and what to add to its text.
func exitCode(err error) (code int, hint string) {
	var (
		exit    *exitError
		usage   cli.ExitCoder
		quiet   silent
		faults  *faultList
		invalid *crm.InvalidError
		syntax  *crm.SyntaxError
	)
	switch {
	case err == nil:
		return exitOK, ""
	case errors.As(err, &quiet):
		return int(quiet), ""
	case errors.As(err, &exit):
		return exit.code, ""
	case errors.As(err, &usage): // urfave/cli's own, such as for the help of a command that does not exist
		return exitUsage, ""
	case errors.As(err, &faults), errors.As(err, &invalid), errors.As(err, &syntax), errors.Is(err, crm.ErrRefused):
		return exitUsage, "nothing was changed"
	case errors.Is(err, crm.ErrStale):
		return exitConflict, "nothing was changed; run the command again"
	case errors.Is(err, crm.ErrPermission):
		return exitPermission, ""
	case errors.Is(err, crm.ErrNotRunning), errors.Is(err, crm.ErrNoQuorum), errors.Is(err, crm.ErrNotInstalled):
		return exitUnavailable, ""
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout, ""
	case errors.Is(err, context.Canceled):
		return exitInterrupted, ""
	}
	return exitFailed, ""
}

// rootHint completes "permission denied".
func rootHint() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return ": you are not root, try with sudo"
}
