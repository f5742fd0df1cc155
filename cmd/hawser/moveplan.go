package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// aMove is a move that Pacemaker's scheduler has played through.
type aMove struct {
	resource, from, to string
	also               []string // what else would happen
	plan               crm.Plan // writes the constraint
	constraint         crm.Object
	lasts              time.Duration // the constraint, if nobody removes it
}

// movePrefix begins the ids of the constraints that a move writes and removes.
const movePrefix = contract.MovePrefix

// moveReserve is how much longer than its move a constraint lasts: the time to remove it, and what the nodes' clocks differ by.
const moveReserve = time.Minute

// moveDate is how a constraint's end is written. Pacemaker reads ISO 8601.
const moveDate = "2006-01-02 15:04:05Z"

// constraint sends the resource to the node, or away from where it is if the node is "", until then. Whatever becomes of hawser,
// Pacemaker does not heed it longer.
func constraint(resource, from, node string, until time.Time) (crm.Object, error) {
	score, at := "inf:", node
	if node == "" {
		score, at = "-inf:", from
	}
	script, err := crm.ParseWords([]string{"location", movePrefix + resource, resource, "rule", score, "#uname", "eq", at,
		"and", "date", "lt", until.UTC().Format(moveDate)})
	if err != nil {
		return nil, err
	}
	if len(script.Objects) != 1 {
		return nil, fmt.Errorf("crm: the constraint of a move was read as %d objects", len(script.Objects))
	}
	return script.Objects[0], nil
}

var moveEnd = regexp.MustCompile(`date lt "?([^"]*Z)`)

// expired lists the constraints of moves that were killed, and whose time is over.
func expired(cib *crm.CIB, now time.Time) []string {
	var ids []string
	for _, o := range cib.Objects() {
		if !strings.HasPrefix(o.ID(), movePrefix) || o.Keyword() != "location" {
			continue
		}
		found := moveEnd.FindStringSubmatch(o.String())
		if found == nil {
			continue
		}
		if end, err := time.Parse(moveDate, found[1]); err == nil && now.After(end.Add(clockSkew)) {
			ids = append(ids, o.ID())
		}
	}
	return ids
}

// sending is the plan that writes the constraint, and removes those that are over.
func sending(cib *crm.CIB, c crm.Object, now time.Time) (crm.Plan, error) {
	old := slices.DeleteFunc(expired(cib, now), func(id string) bool { return id == c.ID() })
	spec, err := crm.Edit(cib, []crm.Object{c}, old)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// releasing is the plan that removes the constraint, if it is still the one that was written.
func releasing(cib *crm.CIB, c crm.Object) (crm.Plan, error) {
	var ids []string
	if there, ok := cib.Object(c.ID()); ok && there.String() == c.String() {
		ids = []string{c.ID()}
	}
	spec, err := crm.Edit(cib, nil, ids)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// forgetExpired removes what moves that were killed have left.
func (s *system) forgetExpired(ctx context.Context, cib *crm.CIB) error {
	forget := func(cib *crm.CIB) (crm.Plan, error) {
		spec, err := crm.Edit(cib, nil, expired(cib, s.now()))
		if err != nil {
			return crm.Plan{}, err
		}
		return crm.Diff(cib, spec)
	}
	p, err := forget(cib)
	if err != nil || p.Empty() {
		return err
	}
	return s.write(ctx, p, forget)
}

// rehearsal is what the scheduler would do, and what there would be then.
type rehearsal interface {
	Rehearse(context.Context, crm.Plan) (crm.Forecast, *crm.CIB, error)
}

// rehearse plays the move through, and the removal of its constraint after it. It is an error if the address would not go to the node, or
// not stay there.
func (s *system) rehearse(ctx context.Context, cib *crm.CIB, status *crm.Status, resource, from, node string, timeout time.Duration) (aMove, error) {
	m := aMove{resource: resource, from: from, lasts: timeout + moveReserve}
	stage, ok := s.cluster.(rehearsal)
	if !ok {
		return m, errors.New("this cluster cannot play a move through")
	}
	var err error
	if m.constraint, err = constraint(resource, from, node, s.now().Add(m.lasts)); err != nil {
		return m, err
	}
	if m.plan, err = sending(cib, m.constraint, s.now()); err != nil {
		return m, err
	}
	forecast, after, err := stage.Rehearse(ctx, m.plan)
	if err != nil {
		return m, err
	}
	for _, a := range forecast.Actions {
		switch {
		case instanceOf(a.Resource) == resource && a.Task == "move" && !a.Blocked:
			m.to = a.Node
		case a.Resource != "" || a.Task == "fence":
			m.also = append(m.also, a.String())
		}
		if instanceOf(a.Resource) == resource && a.Task == "stop" {
			return m, cannot("no other node can have %s: it would be stopped (%s)", resource, a.Reason)
		}
	}
	if m.to == "" || node != "" && m.to != node {
		return m, s.refused(status, cib, resource, node, m.to)
	}
	if why := servesOn(status, resource, m.to); why != nil {
		return m, why
	}
	undo, err := releasing(after, m.constraint)
	if err != nil {
		return m, err
	}
	forecast, _, err = stage.Rehearse(ctx, undo)
	if err != nil {
		return m, err
	}
	for _, a := range forecast.Actions {
		if instanceOf(a.Resource) == resource {
			return m, cannot("%s would not stay on %s: when the move is over, Pacemaker would %s%s. Raise its resource-stickiness, or change what draws it away",
				resource, m.to, a, locations(cib, resource))
		}
	}
	return m, nil
}

// refused says why the scheduler does not send the address to the node.
func (s *system) refused(status *crm.Status, cib *crm.CIB, resource, node, to string) error {
	if node == "" {
		return cannot("Pacemaker has no other node for %s%s", resource, locations(cib, resource))
	}
	why := locations(cib, resource)
	if b, ok := banOf(status, node, resource); ok {
		why = ": the constraint " + b.ID + " keeps it off that node"
		if strings.HasPrefix(b.ID, contract.BanPrefix) {
			why += "; `crm resource clear " + resource + "` ends that"
		}
	}
	would := "would leave it where it is"
	if to != "" {
		would = "would move it to " + to
	}
	return cannot("%s cannot move to %s: Pacemaker %s%s", resource, node, would, why)
}

// locations names the constraints that say where the resource should be.
func locations(cib *crm.CIB, resource string) string {
	var ids []string
	for _, o := range cib.Objects() {
		if l, ok := o.(*crm.Location); ok && l.Resource == resource && !strings.HasPrefix(l.Name, movePrefix) && l.Name != contract.WhereServedID(resource) {
			ids = append(ids, l.Name)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " (see the location constraints " + strings.Join(ids, ", ") + ")"
}

// carryOut writes the constraint, waits until the address is there, and removes the constraint whatever has happened.
func (s *system) carryOut(ctx context.Context, m aMove, timeout time.Duration) error {
	began := s.now()
	err := s.write(ctx, m.plan, func(cib *crm.CIB) (crm.Plan, error) { return sending(cib, m.constraint, s.now()) })
	if err != nil {
		if code, _ := exitCode(err); code != exitConflict && !errors.Is(err, crm.ErrNoQuorum) && !errors.Is(err, crm.ErrRefused) {
			err = errors.Join(err, s.release(ctx, m)) // it may have been written all the same
		}
		return err
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := s.startTicker()
	t.set("waiting for " + m.resource + " to move to " + m.to)
	waited := s.cluster.Wait(limited, func(p crm.Progress) { t.set(describeProgress(p)) })
	t.close()
	if err := s.release(ctx, m); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return exitf(exitInterrupted, "interrupted: the constraint of the move is removed; `hawser status` shows where %s is", m.resource)
	case limited.Err() != nil:
		return exitf(exitTimeout, "%s has not moved to %s within %v: the constraint of the move is removed, `hawser status` shows what becomes of it", m.resource, m.to, timeout)
	case waited != nil:
		return waited
	}
	return s.arrived(ctx, m, began)
}

// releaseTime bounds the removal of the constraint, which is done for somebody who has given up too.
const releaseTime = 20 * time.Second

func (s *system) release(ctx context.Context, m aMove) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer cancel()
	replan := func(cib *crm.CIB) (crm.Plan, error) { return releasing(cib, m.constraint) }
	cib, err := s.cluster.Query(ctx)
	var p crm.Plan
	if err == nil {
		p, err = replan(cib)
	}
	if err == nil {
		err = s.write(ctx, p, replan)
	}
	if err != nil {
		return afterStop(err, fmt.Sprintf("the constraint %s could not be removed; Pacemaker heeds it for at most %v more: the next `hawser move`, or "+
			"`hawser configure delete %[1]s`, removes it", m.constraint.ID(), m.lasts))
	}
	return nil
}

// arrived is an error unless the address is where it was to go, the constraint being gone.
func (s *system) arrived(ctx context.Context, m aMove, began time.Time) error {
	status, err := s.cluster.Status(ctx)
	if err != nil {
		return err
	}
	at := "nowhere"
	for _, r := range status.Resources {
		if instanceOf(r.ID) == m.resource && r.Active && r.Node != "" {
			if r.Node == m.to && !r.Failed {
				return nil
			}
			at = "on " + r.Node
		}
	}
	for _, f := range status.Failures {
		if instanceOf(f.Resource) == m.resource && f.Time.After(began.Add(-clockSkew)) {
			return exitf(exitResource, "%s has not moved to %s, it is %s: %s", m.resource, m.to, at, describeFailure(f))
		}
	}
	return exitf(exitResource, "%s has not moved to %s, it is %s: see `hawser status`", m.resource, m.to, at)
}
