// Package ocf is the contract between Pacemaker and a resource agent (OCF Resource Agent API 1.1),
// as one declaration: an Agent says what its parameters and operations are and how to start, stop
// and monitor the resource, and everything else follows from that: meta-data, usage, validation,
// dispatch, deadlines, verification, locking, logging and the exit reason.
//
// It imports param. Open agent.go first.
package ocf

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// Agent is the declaration of a resource agent.
type Agent struct {
	// Name is the agent's type, the last part of ocf:provider:type.
	Name string
	// Version is the agent's own version; it is shown in the meta-data.
	Version string
	// LogName is the identifier of the agent's messages in syslog and the journal; "Name(instance)"
	// if empty, as the shell agents have it.
	LogName string
	// Short is a line about the agent, Long a text.
	Short, Long string
	// Params are the parameters in the order in which they are shown.
	Params []Param
	// Ops are the advertised operations with the timeouts and intervals that users are to
	// configure. An operation that is not listed has no advertised timeout. Main adds meta-data,
	// validate-all, and reload for callers of OCF 1.0 besides reload-agent.
	Ops []Op

	// Validate looks at this node: files that must be there, values that must fit together. It runs
	// before Start and in validate-all, and never for a stop or a monitor, which have to work on
	// what is left of a broken set-up.
	Validate func(context.Context) error
	// Start makes the resource run. It is also called if it already runs, so it must be idempotent.
	// It may return before the resource is up: Main then polls Monitor until it is.
	Start func(context.Context) error
	// Stop ends the resource. It is also called if nothing is left of it. Parameters may be missing
	// or wrong. Main then polls Monitor until it answers Stopped.
	Stop func(context.Context) error
	// Blocked, if not nil, is called when a stop has waited for the lock of the instance for a
	// second: it ends what may hold the lock and would go on for long. The stop then waits on, for
	// half of its time: after that it goes on without the lock.
	Blocked func(context.Context)
	// Monitor says what it finds. An error with Degraded is the reason for the degradation; an
	// error with any other State means that the resource failed or that its state could not be
	// found out.
	Monitor func(context.Context, Check) (State, error)
	// Busy, if not nil, is asked in place of Monitor when another action has had the lock for half
	// of the monitor's time. It changes nothing.
	Busy func(context.Context, Check) (State, error)
	// Reload, if not nil, applies changed parameters or configuration without interrupting the
	// service. Pacemaker answers a failed reload-agent by stopping and starting the resource.
	Reload func(context.Context) error
}

// Op is an advertised operation.
type Op struct {
	Name              string        // start, stop, monitor, reload-agent …
	Timeout, Interval time.Duration // Interval is for monitor only; 0 leaves it out
	Depth             int           // the OCF_CHECK_LEVEL of a monitor
}

// Env is the boundary of the process.
type Env struct {
	Args           []string            // os.Args: the action is Args[1]
	Getenv         func(string) string // os.Getenv
	Stdout, Stderr io.Writer
	LogName        string // in place of the agent's
}

// OSEnv returns the Env of this process.
func OSEnv() Env {
	return Env{Args: os.Args, Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr}
}

// advertised returns the timeout of the operation in Ops: that of the first with that name, or 20 s
// as Pacemaker's own default is (Pacemaker Explained, "Resource operations", timeout).
func (a *Agent) advertised(action string) time.Duration {
	for _, op := range a.Ops {
		if op.Name == action {
			return op.Timeout
		}
	}
	return 20 * time.Second
}

// usage prints what an operator reads who runs the agent by hand.
func (a *Agent) usage(w io.Writer) {
	actions := "start|stop|monitor|"
	if a.Reload != nil {
		actions += "reload|reload-agent|"
	}
	fmt.Fprintf(w, `usage: %s ACTION

%s. ACTION is
%smeta-data|validate-all|usage

This is an OCF resource agent: Pacemaker runs it, with parameters in
OCF_RESKEY_<name>. To run an action by hand on a node of the cluster, use
crm_resource --resource ID --force-check|--force-start|--force-stop --verbose
`, a.Name, a.Short, actions)
}
