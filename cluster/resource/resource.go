// Package resource stops and starts resources by their target role, and has Pacemaker forget what has
// failed.
//
// Each method returns an order, which says what Pacemaker's scheduler would do. It imports order,
// change, inventory, contract and crm. Open this file first; cleanup.go has cleanup.
package resource

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Resources are those of a cluster.
type Resources struct{ Cluster crm.Cluster }

// subject is the resource that an order is about.
type subject struct {
	id     string   // of a primitive, a clone or a group
	inside []string // the primitives that it is or contains
	called string   // as a person calls it: with its address, if it has one
	plain  bool     // it is an address and nothing else
}

// Stop orders a resource to be stopped, which its id names, or the address that it holds.
func (r Resources) Stop(ctx context.Context, name string) (order.Order, error) {
	now, s, err := r.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	if err := s.managed(now.Status, "stop"); err != nil {
		return order.Order{}, err
	}
	if s.isStopped(now.CIB) {
		return order.Nothing(fmt.Sprintf("%s has been stopped already; `hawser start %s` starts it",
			s.called, s.id)), nil
	}
	o, err := order.Change(ctx, r.Cluster, now, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Stopping(cib, []string{s.id})
	})
	if err != nil {
		return o, err
	}
	o.Says = fmt.Sprintf("%s is stopped, and no node takes it until `hawser start %s`.", s.called, s.id)
	if !s.plain {
		o.Says = fmt.Sprintf("%s is stopped on every node until `hawser start %s`.", s.called, s.id)
	}
	o.Afterwards = fmt.Sprintf("%s is stopped; `hawser start %s` starts it again.", s.called, s.id)
	if s.runsHAProxy(now.CIB) {
		o.Notes = append(o.Notes, "`hawser standby NODE` takes HAProxy and the addresses off one node "+
			"alone, and `hawser reload` loads its configuration without a stop")
	}
	made := now.CIB.Tagged(contract.TagID)
	if slices.ContainsFunc(s.inside, func(id string) bool { return slices.Contains(made, id) }) {
		o.Notes = append(o.Notes, "`hawser apply` starts it again too, since hawser.yaml has it")
	}
	return o, nil
}

// Start ends that a resource is stopped by its target role, or by that of what contains it.
func (r Resources) Start(ctx context.Context, name string) (order.Order, error) {
	now, s, err := r.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	if len(s.stoppedBy(now.CIB)) == 0 && !s.isStopped(now.CIB) {
		return s.unstopped(now.Status)
	}
	if err := s.managed(now.Status, "start"); err != nil {
		return order.Order{}, err
	}
	o, err := order.Change(ctx, r.Cluster, now, s.starting)
	if err != nil {
		return o, err
	}
	o.Serving = s.inside
	o.Says = s.called + " may run again."
	o.Afterwards = s.called + " is started."
	if then, ok := o.Effect.Address(s.id); ok && then.To == "" {
		o.Notes = append(o.Notes, "Pacemaker will not start it now: no node can have it (see "+
			"`hawser status`)")
	}
	return o, nil
}

// find reads the cluster, and finds the resource in it. A fencing device is none of those that are
// stopped here: without it a failed node is not fenced, and no visitor notices before that.
func (r Resources) find(ctx context.Context, name string) (crm.Snapshot, subject, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return now, subject{}, err
	}
	s := subject{}
	if s.id, err = inventory.FindResource(now.CIB, name); err != nil {
		return now, s, err
	}
	s.called, s.inside = s.id, inventory.PrimitivesIn(now.CIB, s.id)
	if p, ok := now.CIB.Primitive(s.id); ok {
		if p.Class == "stonith" {
			return now, s, outcome.Usagef("%s is a fencing device, which hawser neither stops nor starts: "+
				"without it a failed node is not fenced; `crm resource stop %[1]s` and `crm resource start "+
				"%[1]s` do", s.id)
		}
		if s.plain = inventory.IsAddress(p.Agent()); s.plain {
			s.called = inventory.Called(s.id, inventory.IPText(p))
		}
	}
	return now, s, nil
}

// runsHAProxy says whether HAProxy is among what is meant.
func (s subject) runsHAProxy(cib *crm.CIB) bool {
	return slices.ContainsFunc(s.inside, func(id string) bool {
		p, ok := cib.Primitive(id)
		return ok && inventory.RunsHAProxy(p.Agent())
	})
}

// unstopped is the answer for a resource that is not stopped by a target role.
func (s subject) unstopped(status *crm.Status) (order.Order, error) {
	var nodes []string
	for _, r := range status.Resources {
		if slices.Contains(s.inside, crm.ResourceOf(r.ID)) && r.Active && !r.Failed &&
			!slices.Contains(nodes, r.Node) {
			nodes = append(nodes, r.Node)
		}
	}
	if len(nodes) > 0 {
		return order.Nothing(fmt.Sprintf("%s is on %s already", s.called, strings.Join(nodes, ", "))), nil
	}
	why := ""
	for _, f := range status.Failures {
		if slices.Contains(s.inside, crm.ResourceOf(f.Resource)) {
			why = fmt.Sprintf(": %s; when the cause is fixed, `hawser cleanup %s` lets it start", f, s.id)
		}
	}
	return order.Order{}, outcome.Errorf(outcome.Resource, "nobody has stopped %s, but it is not "+
		"running on any node%s: see `hawser status`; nothing was changed", s.called, why)
}

// managed is an error if Pacemaker does not act on the resource: it would do so later, when nobody
// expects it any more.
func (s subject) managed(status *crm.Status, what string) error {
	for _, r := range status.Resources {
		if slices.Contains(s.inside, crm.ResourceOf(r.ID)) && !r.Managed {
			return outcome.Errorf(outcome.Resource, "%s is not managed (maintenance mode, or "+
				"is-managed=false), so Pacemaker does not %s it; nothing was changed", s.id, what)
		}
	}
	return nil
}

// stoppedBy lists those that have the target role Stopped: the resource, what contains it and what it
// contains.
func (s subject) stoppedBy(cib *crm.CIB) []crm.Object {
	objects := cib.Objects()
	var all []crm.Object
	for _, id := range s.inside {
		for _, o := range inventory.StoppedBy(objects, id) {
			if !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	}
	return all
}

// byDefault says whether resources without a target role are stopped.
func byDefault(cib *crm.CIB) bool {
	return slices.ContainsFunc(cib.Objects(), func(o crm.Object) bool {
		p, ok := o.(*crm.Property)
		return ok && p.Keyword() == string(crm.RscDefaults) && p.Name == crm.TargetRole &&
			crm.IsStopped(p.Value)
	})
}

// isStopped says whether everything that is meant is kept stopped.
func (s subject) isStopped(cib *crm.CIB) bool {
	objects, unless := cib.Objects(), byDefault(cib)
	return !slices.ContainsFunc(s.inside, func(id string) bool {
		own := false
		if p, ok := cib.Primitive(id); ok {
			_, own = p.Meta.Get(crm.TargetRole)
		}
		return !inventory.KeptStopped(objects, id) && (own || !unless)
	})
}

// starting plans that the resource has no target role that keeps it stopped. Without one it is as
// hawser.yaml has it, so that `hawser plan` finds nothing to change. Where the default for all is
// Stopped, it gets the target role Started, which outweighs that.
func (s subject) starting(cib *crm.CIB) (crm.Plan, error) {
	changed := map[string]crm.Object{}
	var order []string
	set := func(o crm.Object, meta crm.Attrs) {
		if next, ok := crm.WithMeta(o, meta); ok {
			if changed[o.ID()] == nil {
				order = append(order, o.ID())
			}
			changed[o.ID()] = next
		}
	}
	for _, o := range s.stoppedBy(cib) {
		set(o, crm.MetaOf(o).Without(crm.TargetRole))
	}
	if byDefault(cib) {
		for _, id := range s.inside {
			o, ok := cib.Object(id)
			if role, _ := crm.MetaOf(o).Get(crm.TargetRole); ok && (role == "" || crm.IsStopped(role)) {
				set(o, crm.MetaOf(o).With(crm.TargetRole, crm.RoleStarted))
			}
		}
	}
	var all []crm.Object
	for _, id := range order {
		all = append(all, changed[id])
	}
	return change.Edit(cib, all, nil)
}
