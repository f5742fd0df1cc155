package crm

import (
	"context"
	"time"
)

// Cluster is a cluster whose configuration can be read and written: Tools, or crmtest.Fake.
type Cluster interface {
	// Query reads configuration and status.
	Query(ctx context.Context) (*CIB, error)
	// Check lets Pacemaker verify the plan's new configuration and simulate what it would do. Nothing is written.
	Check(ctx context.Context, p Plan) (Forecast, error)
	// Apply writes the plan: all of it, or nothing and an error. ErrStale: the configuration has changed since the plan's base was
	// read.
	Apply(ctx context.Context, p Plan) error
	// Wait returns when the cluster has nothing left to do. progress, which may be nil, is called with each change of what is pending.
	Wait(ctx context.Context, progress func(Progress)) error
	// Status asks what the cluster does now.
	Status(ctx context.Context) (*Status, error)
}

// Forecast is what Pacemaker says about a plan.
type Forecast struct {
	Actions  []Action // what the scheduler would do, in order
	Warnings []string // what crm_verify warns of
}

// Action is one thing that the scheduler would do.
type Action struct {
	Task     string        // "start", "stop", "monitor", "reload-agent", "promote", "fence", …
	Resource string        // "haproxy:0"; "" where the action is about a node
	Node     string        // "lb-1"
	Interval time.Duration // of a recurring monitor
	Key      string        // as Pacemaker writes it
}

// Progress is what a waiting caller can show.
type Progress struct {
	Pending []Pending     // actions that have been sent and have not come back
	Idle    bool          // the scheduler is idle
	Elapsed time.Duration // since Wait began
}

// Pending is one action that is under way.
type Pending struct{ Resource, Task, Node string }

// Tools is the cluster of this machine, or the one that CIB_file, CIB_shadow or CIB_server in the environment name, through Pacemaker's
// command line tools. The zero value is ready to use.
type Tools struct {
	// Dir is where the tools are; "" is /usr/sbin.
	Dir string
	// Env is the tools' environment; nil is the process's.
	Env []string
}
