package crm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// kindError is one of the errors below.
type kindError struct {
	kind outcome.Kind
	text string
}

func (e *kindError) Error() string { return e.text }

// Outcome implements outcome.Of.
func (e *kindError) Outcome() outcome.Kind { return e.kind }

// What a Cluster's methods may fail with; match them with errors.Is. outcome.Of knows their kinds.
var (
	// ErrStale is returned by Apply when the configuration is not the one that the plan was made
	// for. Nothing was written: query, plan again, and write only if the new plan says the same as
	// the one that was approved (Plan.Same).
	ErrStale error = &kindError{
		outcome.Conflict, "the configuration is not what the plan was made for",
	}
	// ErrNotRunning says that Pacemaker does not run on this node, or does not answer.
	ErrNotRunning error = &kindError{outcome.Unavailable, "Pacemaker does not answer"}
	// ErrNoQuorum says that this part of the cluster has lost its quorum and accepts no changes.
	ErrNoQuorum error = &kindError{outcome.Unavailable, "no quorum"}
	// ErrPermission says that the user may not read or write the configuration.
	ErrPermission error = &kindError{outcome.Denied, "permission denied"}
	// ErrRefused says that Pacemaker finds the configuration invalid.
	ErrRefused error = &kindError{outcome.Usage, "Pacemaker refuses the configuration"}
	// ErrNoFencing says that Pacemaker would start nothing, because fencing is on and no device is
	// configured. The configuration is valid otherwise and can be written.
	ErrNoFencing = errors.New("fencing is on, but there is no fencing device")
	// ErrUnwritten says that the caller gave up before the change was written.
	ErrUnwritten error = &kindError{outcome.Interrupted, "interrupted: the change was not written"}
	// ErrNotInstalled says that one of Pacemaker's tools is missing.
	ErrNotInstalled error = &kindError{outcome.Unavailable, "Pacemaker's tools are not installed"}
)

// Unwritten is ErrUnwritten if whoever wanted the change has given up, otherwise the error itself.
func Unwritten(ctx context.Context, err error) error {
	if err == nil || !errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, ErrUnwritten) {
		return err
	}
	return &unwritten{ctx.Err()}
}

// unwritten is ErrUnwritten with its cause.
type unwritten struct{ cause error }

func (e *unwritten) Error() string { return ErrUnwritten.Error() }

// Unwrap makes errors.Is work.
func (e *unwritten) Unwrap() []error { return []error{ErrUnwritten, e.cause} }

// Cluster is a cluster whose configuration can be read and written: Tools, or crmtest.Fake, whose
// equal behaviour the suite crmtest.Conform checks.
type Cluster interface {
	// Query reads configuration and status.
	Query(ctx context.Context) (*CIB, error)
	// Configuration reads what Diff, Verify and Apply need, which may be less than Query reads: a
	// plan for it cannot be simulated (Check, Rehearse).
	Configuration(ctx context.Context) (*CIB, error)
	// Status asks for the cluster's present state.
	Status(ctx context.Context) (*Status, error)
	// Check has Pacemaker verify the plan's new configuration and simulate what it would do.
	// Nothing is written. ErrNoFencing comes with the forecast; the caller may go on.
	Check(ctx context.Context, p Plan) (Forecast, error)
	// Verify is Check without the simulation, for callers who show no forecast: it saves a third of
	// the work.
	Verify(ctx context.Context, p Plan) (warnings []string, err error)
	// Rehearse has Pacemaker's scheduler simulate the plan: what it would do, and the configuration
	// and status that would result. A plan made from that result says what would come next. Nothing
	// is written.
	Rehearse(ctx context.Context, p Plan) (Forecast, *CIB, error)
	// Lose has Pacemaker's scheduler simulate what it would do if that node ended, by the live
	// configuration and status. A resource of it that no other node would take is in no action.
	// Nothing is written.
	Lose(ctx context.Context, node string) (Forecast, error)
	// Apply writes the plan: all of it, or nothing and an error. ErrStale: the configuration has
	// changed since the plan's base was read.
	Apply(ctx context.Context, p Plan) error
	// Wait returns when the cluster has nothing left to do. progress, which may be nil, is called
	// each time the pending actions change.
	Wait(ctx context.Context, progress func(Progress)) error
	// ForgetProbe removes from the status the record of a probe that found the resource running on
	// the node. A missing record is not an error.
	ForgetProbe(ctx context.Context, resource, node string) error
	// Cleanup has Pacemaker forget what has failed of the resource, clone or group ("" for all) on the
	// node ("" for all), and look again at what runs there.
	Cleanup(ctx context.Context, resource, node string) error
	// Advertised asks this node's agent, such as ocf:hawser:haproxy, which operations it has and
	// how long they may take.
	Advertised(ctx context.Context, agent string) ([]AgentAction, error)
	// SetPrivate sets a node attribute of this node that never reaches the CIB.
	SetPrivate(ctx context.Context, name, value string) error
	// Private is the value of such an attribute on each node that has one.
	Private(ctx context.Context, name string) (map[string]string, error)
}

// Forecast is what Pacemaker says about a plan.
type Forecast struct {
	Actions  []Action // what the scheduler would do
	Warnings []string // crm_verify's warnings
}

// Action is one thing that the scheduler would do.
type Action struct {
	Task     string // "start", "stop", "move", "restart", "reload", "promote", "fence", …
	Resource string // "haproxy:0"; "" if the action is about a node
	Node     string // "lb-1"
	From     string // the node that a resource would leave, if it moves
	Reason   string // why, in Pacemaker's words
	Blocked  bool   // Pacemaker would do it if it could
}

// String is the action as a person says it: "start haproxy:0 on lb-1".
func (a Action) String() string {
	s := a.Task
	if a.Resource != "" {
		s += " " + a.Resource
	}
	switch {
	case a.From != "" && a.Resource != "":
		s += fmt.Sprintf(" from %s to %s", a.From, a.Node)
	case a.Node != "" && a.Resource != "":
		s += " on " + a.Node
	case a.Node != "":
		s += " " + a.Node
	}
	if a.Reason != "" {
		s += " (" + a.Reason + ")"
	}
	if a.Blocked {
		s += ", but it is blocked"
	}
	return s
}

// Progress is what a waiting caller can show.
type Progress struct {
	// what the cluster has yet to do, in the order in which it will; empty when it has settled
	Pending []Pending
	Elapsed time.Duration // since Wait began
}

// Pending is one action that the cluster has yet to do or to finish.
type Pending struct {
	Resource, Task, Node string
	Interval             time.Duration // of a recurring monitor that has yet to be started
}

// String is the action as a person says it: "start haproxy:0 on lb-1".
func (p Pending) String() string {
	s := p.Task
	if p.Resource != "" {
		s += " " + p.Resource
	}
	switch {
	case p.Node != "" && p.Resource != "":
		s += " on " + p.Node
	case p.Node != "":
		s += " " + p.Node
	}
	return s
}
