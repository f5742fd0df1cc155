package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
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

// exitCodes is for the help and the manual page. of are the commands for which a code has a meaning
// of their own.
var exitCodes = []struct {
	code    int
	meaning string
	of      []commandMeaning
}{
	{
		exitOK, "done",
		[]commandMeaning{
			{"status", "all is well"}, {"doctor", "nothing is wrong, though there may be notes"},
			{"check", "the file is valid"},
		},
	},
	{exitFailed, "something else failed, or the question was answered with no", nil},
	{
		exitUsage,
		"the command line, hawser.yaml or the configuration it leads to is wrong; nothing was " +
			"changed",
		[]commandMeaning{
			{"check", "the file is wrong, or cannot be read"},
		},
	},
	{
		exitConflict,
		"somebody else changed the configuration meanwhile, and the plan is no longer what was " +
			"approved; nothing was changed",
		nil,
	},
	{
		exitUnavailable, "Pacemaker does not answer, has no quorum, or is not installed",
		[]commandMeaning{
			{"doctor", "something could not be looked at, and nothing is known to fail"},
		},
	},
	{exitResource, "a resource failed", []commandMeaning{
		{"move", "the address cannot go there, or did not"},
		{"status", "an address or HAProxy is not running on any node"},
		{"doctor", "something fails, or will when it is needed"},
	}},
	{
		exitTimeout, "the cluster has not settled in time; the configuration is written",
		[]commandMeaning{
			{
				"move",
				"the cluster has not settled in time; the constraint that moved the address is " +
					"removed",
			},
		},
	},
	{
		exitPermission, "permission denied: hawser needs root, or a member of the group haclient",
		nil,
	},
	{exitDegraded, "", []commandMeaning{
		{"status", "it works, but something needs attention"},
		{"doctor", "it works, but something needs attention"},
		{"reload", "a node goes on with the configuration that it served"},
	}},
	{exitChanges, "", []commandMeaning{
		{"plan", "there are changes to apply, with --exit-code"},
		{"corosync-conf", "the file differs, with --check"},
	}},
	{exitInterrupted, "interrupted; the message says what was changed by then", nil},
}

type commandMeaning struct{ command, meaning string }

// codesOfChanges are those of the commands that change the cluster and wait until it has settled.
var codesOfChanges = []int{
	exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout,
	exitPermission, exitInterrupted,
}

// exitCodesOf are the codes that a command may end with. Those that have no list of their own,
// protect's among them, say so in their help.
var exitCodesOf = map[string][]int{
	"check":  {exitOK, exitUsage, exitInterrupted},
	"schema": {exitOK, exitUsage},
	"plan": {
		exitOK, exitFailed, exitUsage, exitUnavailable, exitPermission, exitChanges,
		exitInterrupted,
	},
	"apply": codesOfChanges, "destroy": codesOfChanges, "adopt": codesOfChanges,
	"standby": codesOfChanges, "online": codesOfChanges, "maintenance": codesOfChanges,
	"cleanup": codesOfChanges, "stop": codesOfChanges, "start": codesOfChanges,
	"status": {
		exitOK, exitUsage, exitUnavailable, exitResource, exitPermission, exitDegraded,
		exitInterrupted,
	},
	"reload": {
		exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitResource, exitTimeout,
		exitPermission, exitDegraded, exitInterrupted,
	},
	"move": codesOfChanges,
	"timing": {
		exitOK, exitFailed, exitUsage, exitUnavailable, exitPermission, exitInterrupted,
	},
	"corosync-conf": {exitOK, exitFailed, exitUsage, exitChanges, exitInterrupted},
	"doctor": {
		exitOK, exitUsage, exitUnavailable, exitResource, exitPermission, exitDegraded,
		exitInterrupted,
	},
	"configure": {
		exitOK, exitFailed, exitUsage, exitConflict, exitUnavailable, exitPermission,
		exitInterrupted,
	},
}

// silent ends the program with a code when everything has been said.
type silent int

func (s silent) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// codes are the exit codes of the kinds of errors.
var codes = map[outcome.Kind]int{
	outcome.Failed: exitFailed, outcome.Usage: exitUsage, outcome.Conflict: exitConflict,
	outcome.Unavailable: exitUnavailable,
	outcome.Resource:    exitResource, outcome.Timeout: exitTimeout, outcome.Denied: exitPermission,
	outcome.Degraded:    exitDegraded,
	outcome.Interrupted: exitInterrupted,
}

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
	return codes[outcome.Of(err)]
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
