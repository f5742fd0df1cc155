package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
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

// exitCodes is for the help and the manual page. of are the commands for which a code has a meaning of their own.
var exitCodes = []struct {
	code    int
	meaning string
	of      []commandMeaning
}{
	{exitOK, "done", []commandMeaning{{"status", "all is well"}, {"doctor", "nothing is wrong, though there may be notes"}}},
	{exitFailed, "something else failed, or the question was answered with no", nil},
	{exitUsage, "the command line, hawser.yaml or the configuration it leads to is wrong; nothing was changed", nil},
	{exitConflict, "somebody else changed the configuration meanwhile, and the plan is no longer what was approved; nothing was changed", nil},
	{exitUnavailable, "Pacemaker does not answer, has no quorum, or is not installed", []commandMeaning{
		{"doctor", "something could not be looked at, and nothing is known to fail"},
	}},
	{exitResource, "a resource failed", []commandMeaning{
		{"move", "the address cannot go there, or did not"},
		{"status", "an address or HAProxy is nowhere to be had"},
		{"doctor", "something fails, or will when it is needed"},
	}},
	{exitTimeout, "the cluster has not settled in time; the configuration is written", []commandMeaning{
		{"move", "the cluster has not settled in time; the constraint that moved the address is removed"},
	}},
	{exitPermission, "permission denied: hawser needs root, or a member of the group haclient", nil},
	{exitDegraded, "", []commandMeaning{
		{"status", "it works, but something needs attention"},
		{"doctor", "it works, but something needs attention"},
		{"reload", "a node goes on with the configuration that it served"},
	}},
	{exitChanges, "", []commandMeaning{{"plan", "there are changes to apply, with --exit-code"}}},
	{exitInterrupted, "interrupted", nil},
}

type commandMeaning struct{ command, meaning string }

// exitCodesOf are the codes that a command may end with. Those that have no list of their own, protect's among them, say so in their help.
var exitCodesOf = map[string][]int{
	"plan":    {exitOK, exitFailed, exitUsage, exitUnavailable, exitPermission, exitChanges, exitInterrupted},
	"apply":   {exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout, exitPermission, exitInterrupted},
	"destroy": {exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout, exitPermission, exitInterrupted},
	"status":  {exitOK, exitUsage, exitUnavailable, exitResource, exitPermission, exitDegraded, exitInterrupted},
	"reload": {exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout, exitPermission, exitDegraded,
		exitInterrupted},
	"move":      {exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout, exitPermission, exitInterrupted},
	"timing":    {exitOK, exitFailed, exitUsage, exitUnavailable, exitPermission, exitInterrupted},
	"doctor":    {exitOK, exitUsage, exitUnavailable, exitResource, exitPermission, exitDegraded, exitInterrupted},
	"configure": {exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitPermission, exitInterrupted},
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
		faults  *config.Faults
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

// cause strips the operation and the path from an error of package os.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
