// Package exitcode has the exit codes of hawser: what each means, of which command, and which kind
// of error leads to it.
//
// It imports outcome and words. Open this file first.
package exitcode

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// The exit codes; Text documents them.
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

// entry is a code. of are the commands for which it has a meaning of their own.
type entry struct {
	code    int
	meaning string
	of      []meaningOf
}

type meaningOf struct{ command, meaning string }

// entries are all codes, for the help and the manual page.
func entries() []entry {
	const goesOn = "; the same command goes on from there"
	of := func(meaning string) []meaningOf {
		var all []meaningOf
		for _, command := range ofMachines {
			all = append(all, meaningOf{command, meaning})
		}
		return all
	}
	return []entry{
		{
			OK, "done",
			[]meaningOf{
				{"status", "all is well"}, {"doctor", "nothing is wrong, though there may be notes"},
				{"check", "the file is valid"},
				{"import", "all of it was converted"},
			},
		},
		{
			Failed, "something else failed, or the question was answered with no",
			of("a step failed on a machine" + goesOn + "; or the question was answered with no"),
		},
		{
			Usage,
			"the command line, hawser.yaml or the configuration it leads to is wrong; nothing was " +
				"changed",
			[]meaningOf{
				{"check", "the file is wrong, or cannot be read"},
				{"import", "a file cannot be read as what it should be, or nothing in it can be converted"},
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
			append([]meaningOf{
				{"doctor", "something could not be looked at, and nothing is known to fail"},
				{"quorum status", "not every node could be asked"},
			}, of("a machine cannot be reached, or the quorum is not there or would be lost")...),
		},
		{Resource, "a resource failed", []meaningOf{
			{"move", "the address cannot go there, or did not"},
			{"corosync remove", "the node runs something, or waits to be fenced"},
			{"status", "visitors are not served: an address or HAProxy runs nowhere, or no server " +
				"is up behind it"},
			{"doctor", "something fails, or will when it is needed"},
		}},
		{
			Timeout, "the cluster has not settled in time; the configuration is written",
			append([]meaningOf{
				{
					"move",
					"the cluster has not settled in time; the constraint that moved the address is " +
						"removed",
				},
				{"cleanup", "the cluster has not settled in time; the failures are cleared"},
			}, of("a step has not ended in time"+goesOn)...),
		},
		{
			Permission, "permission denied: hawser needs root, or a member of the group haclient",
			nil,
		},
		{Degraded, "", []meaningOf{
			{"status", "it works, but something needs attention"},
			{"doctor", "it works, but something needs attention"},
			{"reload", "a node goes on with the configuration that it served"},
			{"quorum status", "a change was not finished, or a node does not hear from the device"},
			{"import", "converted, with remarks that have to be read"},
		}},
		{Changes, "", []meaningOf{
			{"plan", "there are changes to apply, with --exit-code"},
			{"corosync-conf", "the file differs, with --check"},
		}},
		{Interrupted, "interrupted; the message says what was changed by then", nil},
	}
}

// ofChanges are the codes of the commands that change the cluster and wait until it has settled.
var ofChanges = []int{
	OK, Failed, Usage, Conflict, Unavailable, Resource, Timeout,
	Permission, Interrupted,
}

// ofMachines are the commands that change several machines, step by step.
var ofMachines = []string{
	"quorum device add", "quorum device remove", "corosync add", "corosync remove",
}

// ofSteps are their codes.
var ofSteps = []int{
	OK, Failed, Usage, Conflict, Unavailable, Timeout, Permission, Interrupted,
}

// ofCommand are the codes that a command may end with. Those that have no list of their own,
// protect's among them, say so in their help.
var ofCommand = map[string][]int{
	"check":  {OK, Usage, Interrupted},
	"init":   {OK, Failed, Usage, Interrupted},
	"import": {OK, Failed, Usage, Unavailable, Permission, Degraded, Interrupted},
	"schema": {OK, Usage},
	"plan": {
		OK, Failed, Usage, Unavailable, Permission, Changes,
		Interrupted,
	},
	"apply": ofChanges, "destroy": ofChanges, "adopt": ofChanges,
	"standby": ofChanges, "online": ofChanges, "maintenance": ofChanges,
	"cleanup": ofChanges, "stop": ofChanges, "start": ofChanges,
	"status": {
		OK, Usage, Unavailable, Resource, Permission, Degraded,
		Interrupted,
	},
	"reload": {
		OK, Failed, Usage, Conflict, Unavailable, Resource, Timeout,
		Permission, Degraded, Interrupted,
	},
	"move": ofChanges,
	"timing": {
		OK, Failed, Usage, Unavailable, Permission, Interrupted,
	},
	"quorum device add": ofSteps, "quorum device remove": ofSteps, "corosync add": ofSteps,
	"corosync remove": {
		OK, Failed, Usage, Conflict, Unavailable, Resource, Timeout, Permission, Interrupted,
	},
	"quorum status": {
		OK, Usage, Unavailable, Permission, Degraded, Interrupted,
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

// ofKind are the codes of the kinds of errors.
var ofKind = map[outcome.Kind]int{
	outcome.Failed: Failed, outcome.Usage: Usage, outcome.Conflict: Conflict,
	outcome.Unavailable: Unavailable,
	outcome.Resource:    Resource, outcome.Timeout: Timeout, outcome.Denied: Permission,
	outcome.Degraded:    Degraded,
	outcome.Interrupted: Interrupted,
}

// Of is the code of an error's kind.
func Of(err error) int { return ofKind[outcome.Of(err)] }

// KindOf is the kind of error that leads to a code, Failed if none does.
func KindOf(code int) outcome.Kind {
	for kind, of := range ofKind {
		if of == code {
			return kind
		}
	}
	return outcome.Failed
}

// Text lists every exit code, in lines of at most width columns; what it means of a single command
// stands below it.
func Text(width int) string {
	var b strings.Builder
	for _, e := range entries() {
		code := strconv.Itoa(e.code)
		add := func(meaning string) {
			b.WriteString(words.Beside(code, meaning, 4, width))
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
func TextOf(command string, width int) string {
	var b strings.Builder
	for _, e := range entries() {
		if !slices.Contains(ofCommand[command], e.code) {
			continue
		}
		meaning := e.meaning
		for _, own := range e.of {
			if own.command == command {
				meaning = own.meaning
			}
		}
		b.WriteString(words.Beside(strconv.Itoa(e.code), meaning, 4, width))
	}
	return strings.TrimRight(b.String(), "\n")
}
