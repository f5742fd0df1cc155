// Package change makes one change of the cluster's configuration: what was approved is written as
// it was planned, or not at all. It also waits until the cluster has carried it out, and stops
// resources before they are deleted.
//
// It imports crm and leaves of internal; deploy, move and rollout build on it. Start with Commit.
package change

import (
	"context"
	"errors"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Planner makes the plan for a configuration. It is called again when the configuration has changed
// since the plan was approved.
type Planner func(*crm.CIB) (crm.Plan, error)

// Changed says that the plan is no longer the one that was approved. Nothing was written.
type Changed struct {
	Next    crm.Plan // what the plan would be now
	By      string   // who edited last, as crm.CIB.LastEdit has it
	Message string   // in place of Error's own
}

// Error says what happened and what to do.
func (e *Changed) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return "somebody else changed the configuration meanwhile" + lastEdit(e.By) +
		", and the plan is not the one that was approved: nothing was written; run the command again"
}

// lastEdit names in brackets who edited last, if that is known.
func lastEdit(by string) string {
	if by == "" {
		return ""
	}
	return " (last edit: " + by + ")"
}

// LastEdit names in brackets who has edited the configuration last since it was as in from, if
// anybody has.
func LastEdit(from, to *crm.CIB) string { return lastEdit(editor(from, to)) }

// Outcome implements outcome.Of.
func (e *Changed) Outcome() outcome.Kind { return outcome.Conflict }

// maxReplans bounds how often a plan is made again because the cluster's status moved on; each time
// takes a few dozen milliseconds.
const maxReplans = 25

// Commit writes the approved plan. If the cluster has moved on meanwhile, replan is called again,
// and its plan is written only if it makes the same changes; *Changed is the error if it does not.
func Commit(ctx context.Context, c crm.Cluster, approved crm.Plan, replan Planner) error {
	plan := approved
	for range maxReplans {
		err := c.Apply(ctx, plan)
		if !errors.Is(err, crm.ErrStale) {
			return err
		}
		cib, err := c.Configuration(ctx)
		if err != nil {
			return crm.Unwritten(ctx, err)
		}
		next, err := replan(cib)
		if err != nil {
			return outcome.Errorf(outcome.Conflict,
				"somebody else changed the configuration meanwhile%s, and nothing was written; "+
					"now: %w", LastEdit(plan.Base, cib), err)
		}
		if next.Empty() {
			return nil // somebody else made the same changes
		}
		if !next.Same(approved) {
			return &Changed{Next: next, By: editor(plan.Base, cib)}
		}
		if edited(plan.Base, cib) {
			// Each of the two changes is fine by itself; Pacemaker has yet to see them together.
			if _, err := c.Verify(ctx, next); err != nil && !errors.Is(err, crm.ErrNoFencing) {
				return crm.Unwritten(ctx, err)
			}
		}
		plan = next
	}
	return outcome.Errorf(outcome.Conflict,
		"the cluster's state changed %d times while the plan was being written, "+
			"and nothing was written: wait until it has settled (`hawser status`), then run the "+
			"command again", maxReplans)
}

// edited says whether the configuration was changed, and not only the cluster's status.
func edited(from, to *crm.CIB) bool {
	return from.Version.AdminEpoch != to.Version.AdminEpoch ||
		from.Version.Epoch != to.Version.Epoch
}

// editor is who changed the configuration last, "" if it was not changed in between: then it is the
// cluster's status that makes another plan.
func editor(from, to *crm.CIB) string {
	if !edited(from, to) {
		return ""
	}
	return to.LastEdit()
}

// Write plans and writes a change that needs no approval and no check by Pacemaker, because it only
// undoes something or sets a switch.
func Write(ctx context.Context, c crm.Cluster, plan Planner) error {
	cib, err := c.Query(ctx)
	if err != nil {
		return crm.Unwritten(ctx, err)
	}
	p, err := plan(cib)
	if err != nil || p.Empty() {
		return err
	}
	return Commit(ctx, c, p, plan)
}

// undoTime bounds the cleanup after somebody has interrupted a command.
const undoTime = 20 * time.Second

// Undo is Write for what must not stay behind: it runs even if ctx is cancelled.
func Undo(ctx context.Context, c crm.Cluster, plan Planner) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	return Write(ctx, c, plan)
}

// Make plans a change, has Pacemaker verify it and writes it: one transaction that needs no
// approval. warn gets Pacemaker's warnings, and one if Pacemaker would start nothing because
// fencing is missing; it is called even if the change is not written in the end.
func Make(ctx context.Context, c crm.Cluster, plan Planner, warn func(string)) error {
	cib, err := c.Configuration(ctx)
	if err != nil {
		return outcome.Untouched(ctx, err)
	}
	p, err := plan(cib)
	if err != nil || p.Empty() {
		return outcome.Untouched(ctx, err)
	}
	warnings, err := c.Verify(ctx, p)
	switch {
	case errors.Is(err, crm.ErrNoFencing):
		warn(err.Error())
	case err != nil:
		return outcome.Untouched(ctx, err)
	}
	for _, w := range warnings {
		warn(w)
	}
	return Commit(ctx, c, p, plan)
}

// Edit is the plan that sets some objects and deletes others by their ids (crm.Edit).
func Edit(cib *crm.CIB, set []crm.Object, del []string) (crm.Plan, error) {
	spec, err := crm.Edit(cib, set, del)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}
