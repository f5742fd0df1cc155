// Package move moves a floating IP to another node, and leaves nothing behind that keeps it there.
//
// Mover.Plan has Pacemaker's scheduler simulate the move; Mover.Move writes a constraint, waits,
// and removes it whatever happens. It imports change, inventory, contract and crm, and never
// deploy, rollout or status. Open this file first.
package move

import (
	"context"
	"errors"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Mover is what a move needs.
type Mover struct {
	Cluster crm.Cluster
	Now     func() time.Time
}

// Move is a move that Pacemaker's scheduler has simulated.
type Move struct {
	Resource, From, To string
	Also               []string // what else would happen

	plan       crm.Plan // writes the constraint
	constraint crm.Object
	lasts      time.Duration // how long the constraint lasts if nothing removes it
}

// There says whether the address is already where it should go.
func (m Move) There() bool { return m.From == m.To }

// reserve is how much longer than its move a constraint lasts: time to remove it, and for the
// difference between the nodes' clocks.
const reserve = time.Minute

// Plan simulates a move of the address, which its name or the address itself names, to the node (""
// for any other node), and then the removal of the move's constraint. It is an error if the address
// would not go to the node, or would not stay there. timeout is how long the move may take.
func (m *Mover) Plan(ctx context.Context, resource, node string,
	timeout time.Duration) (Move, error) {
	now, err := crm.Read(ctx, m.Cluster)
	if err != nil {
		return Move{}, err
	}
	address, err := inventory.FindAddress(now.CIB, resource)
	if err != nil {
		return Move{}, err
	}
	resource = address.Resource
	at, err := whereIs(now, resource)
	if err != nil {
		return Move{}, err
	}
	if err := fit(now.Status, resource, at.Node, node); err != nil {
		return Move{}, err
	}
	if at.Node == node {
		return Move{Resource: resource, From: node, To: node}, nil
	}
	mv, err := m.rehearse(ctx, now, Move{Resource: resource, From: at.Node,
		lasts: timeout + reserve}, node)
	return mv, outcome.Untouched(ctx, err)
}

// rehearse completes the plan of a move to the node.
func (m *Mover) rehearse(ctx context.Context, now crm.Snapshot, mv Move,
	node string) (Move, error) {
	var err error
	if mv.constraint, err = constraint(mv.Resource, mv.From, node,
		m.Now().Add(mv.lasts)); err != nil {
		return mv, err
	}
	if mv.plan, err = sending(now.CIB, mv.constraint, m.Now()); err != nil {
		return mv, err
	}
	forecast, after, err := m.Cluster.Rehearse(ctx, mv.plan)
	if err != nil {
		return mv, err
	}
	for _, a := range forecast.Actions {
		ours := crm.ResourceOf(a.Resource) == mv.Resource
		switch {
		case ours && a.Task == "move" && !a.Blocked:
			mv.To = a.Node
		case a.Resource != "" || a.Task == "fence":
			mv.Also = append(mv.Also, a.String())
		}
		if ours && a.Task == "stop" {
			return mv, cannot("no other node can have %s: it would be stopped (%s)", mv.Resource,
				a.Reason)
		}
	}
	if mv.To == "" || node != "" && mv.To != node {
		return mv, refused(now, mv.Resource, node, mv.To)
	}
	if why := servesOn(now.Status, mv.Resource, mv.To); why != nil {
		return mv, why
	}
	undo, err := releasing(after, mv.constraint)
	if err != nil {
		return mv, err
	}
	if forecast, _, err = m.Cluster.Rehearse(ctx, undo); err != nil {
		return mv, err
	}
	for _, a := range forecast.Actions {
		if crm.ResourceOf(a.Resource) == mv.Resource && goesBack(now.CIB, mv.Resource) && a.Node != "" {
			return mv, cannot("%s would not stay on %s: it has failback, and goes back to %s at once. "+
				"`hawser standby %[3]s` keeps it away from there, or change prefer or failback in "+
				"hawser.yaml", mv.Resource, mv.To, a.Node)
		}
		if crm.ResourceOf(a.Resource) == mv.Resource {
			return mv, cannot("%s would not stay on %s: when the move is over, Pacemaker would "+
				"%s%s. Raise its resource-stickiness, "+
				"or remove the constraint that pulls it away", mv.Resource, mv.To, a,
				locations(now.CIB, mv.Resource))
		}
	}
	return mv, nil
}

// Move writes the constraint, waits until the address is there, and removes the constraint whatever
// has happened.
func (m *Mover) Move(ctx context.Context, mv Move, timeout time.Duration,
	progress change.Progress) error {
	began := m.Now()
	err := change.Commit(ctx, m.Cluster, mv.plan, func(cib *crm.CIB) (crm.Plan, error) {
		return sending(cib, mv.constraint, m.Now())
	})
	if err != nil {
		if outcome.Of(err) != outcome.Conflict && !errors.Is(err, crm.ErrNoQuorum) &&
			!errors.Is(err, crm.ErrRefused) {
			err = errors.Join(err, m.release(ctx, mv)) // it may have been written anyway
		}
		return err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	progress("waiting for " + mv.Resource + " to move to " + mv.To)
	waited := m.Cluster.Wait(limited, func(p crm.Progress) { progress(change.Describe(p)) })
	if err := m.release(ctx, mv); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return outcome.Errorf(outcome.Interrupted,
			"interrupted: the constraint of the move is removed; `hawser status` shows where %s is",
			mv.Resource)
	case limited.Err() != nil:
		return outcome.Errorf(outcome.Timeout,
			"%s has not moved to %s within %v: the constraint of the move is removed, "+
				"`hawser status` shows what becomes of it", mv.Resource, mv.To, timeout)
	case waited != nil:
		return waited
	}
	return m.arrived(ctx, mv, began)
}

// arrived is an error unless the address is where it should be once the constraint is gone.
func (m *Mover) arrived(ctx context.Context, mv Move, began time.Time) error {
	status, err := m.Cluster.Status(ctx)
	if err != nil {
		return err
	}
	at := "not on any node"
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == mv.Resource && r.Active && r.Node != "" {
			if r.Node == mv.To && !r.Failed {
				return nil
			}
			at = "on " + r.Node
		}
	}
	for _, f := range status.Failures {
		if crm.ResourceOf(f.Resource) == mv.Resource && f.Since(began) {
			return outcome.Errorf(outcome.Resource, "%s has not moved to %s, it is %s: %s",
				mv.Resource, mv.To, at, f)
		}
	}
	return outcome.Errorf(outcome.Resource, "%s has not moved to %s, it is %s: see `hawser status`",
		mv.Resource, mv.To, at)
}
