// Package fence is the contract between a cluster and a fence agent (ClusterLabs fence-agents,
// doc/FenceAgentAPI.md), as one declaration: an Agent says what its parameters are and how a
// machine's power is cut, restored and checked, and everything else follows from that: options on
// standard input and as flags, metadata, help and man page, dispatch, deadlines, verification,
// logging and the exit code.
//
// A fence agent's success is a promise: on the strength of it the cluster starts the machine's
// resources elsewhere. So "the order was accepted" is never enough. An off succeeds only if the
// machine was seen off after the order.
//
// It imports param. Open agent.go first.
package fence

import (
	"context"
	"io"
	"log/syslog"
	"os"
	"time"
)

// Power is the state of a plug. There is no third one: an unknown state is an error.
type Power int

// The states.
const (
	Off Power = iota + 1
	On
)

// String returns the state as fence agents print it.
func (p Power) String() string {
	switch p {
	case Off:
		return "OFF"
	case On:
		return "ON"
	}
	return "UNKNOWN"
}

// Plug is a machine that the agent can fence.
type Plug struct {
	ID, Name string
	Power    Power // 0 if it is being changed
}

// Agent is the declaration of a fence agent.
type Agent struct {
	// Name is the program's name, Version its version.
	Name, Version string
	// Short is a line about the agent, Long a text, URL where its vendor says more.
	Short, Long, URL string
	// Params are the agent's own parameters. Those that every agent has are added: action, plug,
	// the times, verbosity.
	Params []Param
	// PlugText says what the parameter plug names.
	PlugText string
	// Times are the defaults of the times.
	Times Times

	// Validate checks what this machine must have. It makes no request.
	Validate func(context.Context, *Call) error
	// Off cuts the plug's power and returns when it sees it off. It is also called for a plug that
	// is already off.
	Off func(context.Context, *Call) error
	// On gives the plug power and returns when it sees it on.
	On func(context.Context, *Call) error
	// Start is On for the second half of a reboot, for which the cluster need not wait: it returns
	// when the order is accepted.
	Start func(context.Context, *Call) error
	// Status returns the plug's power.
	Status func(context.Context, *Call) (Power, error)
	// List returns the plugs, in the order in which they are shown.
	List func(context.Context, *Call) ([]Plug, error)
	// Monitor says whether the agent could do its work now.
	Monitor func(context.Context, *Call) error
}

// Times are the parameters that every agent has for how long something may take.
type Times struct {
	Delay time.Duration // delay: before an off or a reboot begins
	Login time.Duration // login_timeout: to find the plug
	Power time.Duration // power_timeout: from the order to the verified state
	Shell time.Duration // shell_timeout: one request
	Wait  time.Duration // power_wait: how long a reboot waits for the machine to come on
}

// startTime is how long a reboot tries to switch the machine on again. The machine is fenced by
// then, and the cluster waits.
const startTime = 10 * time.Second

// limit returns how long the action may take, the delay excepted.
func (t Times) limit(action string) time.Duration {
	switch action {
	case "off", "on", "reboot":
		return t.Login + t.Power
	}
	return t.Login + 2*t.Shell
}

// Env is the boundary of the process.
type Env struct {
	Args           []string // os.Args; without any after the first, options are read from Stdin
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Log takes notices, warnings and errors for the system's log; it may be nil.
	Log io.Writer
}

// OSEnv returns the Env of this process. Its log is syslog under the agent's name, as for the
// Python fence agents; without syslog there is no log.
func OSEnv(name string) Env {
	env := Env{Args: os.Args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	if w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, name); err == nil {
		env.Log = w
	}
	return env
}
