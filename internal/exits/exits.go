// Package exits has the exit codes of hawser, and what each of them means, for its help and manual
// page. It imports outcome and words. Start with the codes.
package exits

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// The exit codes. Text documents them.
const (
	OK          = 0
	Failed      = 1
	Usage       = 2
	Conflict    = 3
	Unavailable = 4
	Resource    = 5
	Timeout     = 6
	Permission  = 7
	Degraded    = 8
	Changes     = 9
	Interrupted = 130 // 128 + SIGINT, as a shell has it
)

// meanings are for the help and the manual page. of are the commands for which a code has a meaning
// of their own.
var meanings = []struct {
	code    int
	meaning string
	of      []commandMeaning
}{
	{
		OK, "done",
		[]commandMeaning{
			{"status", "all is well"}, {"doctor", "nothing is wrong, though there may be notes"},
			{"check", "the file is valid"},
		},
	},
	{Failed, "something else failed, or the question was answered with no", nil},
	{
		Usage,
		"the command line, hawser.yaml or the configuration it leads to is wrong; nothing was " +
			"changed",
		[]commandMeaning{
			{"check", "the file is wrong, or cannot be read"},
		},
	},
	{
		Conflict,
		"somebody else changed the configuration meanwhile, and the plan is no longer what was " +
			"approved; nothing was changed",
		nil,
	},
	{
		Unavailable, "Pacemaker does not answer, has no quorum, or is not installed",
		[]commandMeaning{
			{"doctor", "something could not be looked at, and nothing is known to fail"},
		},
	},
	{Resource, "a resource failed", []commandMeaning{
		{"move", "the address cannot go there, or did not"},
		{"status", "visitors are not served: an address or HAProxy runs nowhere, or no server " +
			"is up behind it"},
		{"doctor", "something fails, or will when it is needed"},
	}},
	{
		Timeout, "the cluster has not settled in time; the configuration is written",
		[]commandMeaning{
			{
				"move",
				"the cluster has not settled in time; the constraint that moved the address is " +
					"removed",
			},
		},
	},
	{
		Permission, "permission denied: hawser needs root, or a member of the group haclient",
		nil,
	},
	{Degraded, "", []commandMeaning{
		{"status", "it works, but something needs attention"},
		{"doctor", "it works, but something needs attention"},
		{"reload", "a node goes on with the configuration that it served"},
	}},
	{Changes, "", []commandMeaning{
		{"plan", "there are changes to apply, with --exit-code"},
		{"corosync-conf", "the file differs, with --check"},
	}},
	{Interrupted, "interrupted; the message says what was changed by then", nil},
}

type commandMeaning struct{ command, meaning string }

// codesOfChanges are those of the commands that change the cluster and wait until it has settled.
var codesOfChanges = []int{
	OK, Failed, Usage, Conflict, Unavailable, Resource, Timeout,
	Permission, Interrupted,
}

// codesOf are the codes that a command may end with. Those that have no list of their own,
// protect's among them, say so in their help.
var codesOf = map[string][]int{
	"check":  {OK, Usage, Interrupted},
	"schema": {OK, Usage},
	"plan": {
		OK, Failed, Usage, Unavailable, Permission, Changes,
		Interrupted,
	},
	"apply": codesOfChanges, "destroy": codesOfChanges, "adopt": codesOfChanges,
	"standby": codesOfChanges, "online": codesOfChanges, "maintenance": codesOfChanges,
	"cleanup": codesOfChanges, "stop": codesOfChanges, "start": codesOfChanges,
	"status": {
		OK, Usage, Unavailable, Resource, Permission, Degraded,
		Interrupted,
	},
	"reload": {
		OK, Failed, Usage, Conflict, Unavailable, Resource, Timeout,
		Permission, Degraded, Interrupted,
	},
	"move": codesOfChanges,
	"timing": {
		OK, Failed, Usage, Unavailable, Permission, Interrupted,
	},
	"corosync-conf": {OK, Failed, Usage, Changes, Interrupted},
	"doctor": {
		OK, Usage, Unavailable, Resource, Permission, Degraded,
		Interrupted,
	},
	"configure": {
		OK, Failed, Usage, Conflict, Unavailable, Permission,
		Interrupted,
	},
}

// kinds are the exit codes of the kinds of errors.
var kinds = map[outcome.Kind]int{
	outcome.Failed: Failed, outcome.Usage: Usage, outcome.Conflict: Conflict,
	outcome.Unavailable: Unavailable,
	outcome.Resource:    Resource, outcome.Timeout: Timeout, outcome.Denied: Permission,
	outcome.Degraded:    Degraded,
	outcome.Interrupted: Interrupted,
}

// Of is the exit code of a kind of errors.
func Of(kind outcome.Kind) int { return kinds[kind] }

// Width is that of the texts: man(1) indents them by 7 of 80 columns.
const Width = 73

// Text lists every exit code; what it means of a single command stands below it.
func Text() string {
	var b strings.Builder
	for _, e := range meanings {
		code := strconv.Itoa(e.code)
		add := func(meaning string) {
			b.WriteString(words.Beside(code, meaning, 4, Width))
			code = ""
		}
		if e.meaning != "" {
			add(e.meaning)
		}
		for _, own := range e.of {
			add(own.command + ": " + own.meaning)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// TextOf lists the exit codes of one command, with what they mean of it.
func TextOf(command string) string {
	var b strings.Builder
	for _, e := range meanings {
		if !slices.Contains(codesOf[command], e.code) {
			continue
		}
		meaning := e.meaning
		for _, own := range e.of {
			if own.command == command {
				meaning = own.meaning
			}
		}
		b.WriteString(words.Beside(strconv.Itoa(e.code), meaning, 4, Width))
	}
	return strings.TrimRight(b.String(), "\n")
}
