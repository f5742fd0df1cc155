// Package resource stops and starts addresses by their target role, and has Pacemaker forget what
// has failed.
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

const (
	targetRole = "target-role"
	stopped    = "Stopped"
)

// Stop orders an address to be stopped, which its name or the address itself names.
func (r Resources) Stop(ctx context.Context, name string) (order.Order, error) {
	now, a, err := r.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	if err := managed(now.Status, a.Resource, "stop"); err != nil {
		return order.Order{}, err
	}
	if isStopped(now.CIB, a.Resource) {
		return order.Nothing(fmt.Sprintf("%s has been stopped already; `hawser start %s` starts it",
			a, a.Resource)), nil
	}
	o, err := order.Change(ctx, r.Cluster, now, func(cib *crm.CIB) (crm.Plan, error) {
		return change.Stopping(cib, []string{a.Resource})
	})
	if err != nil {
		return o, err
	}
	o.Says = fmt.Sprintf("%s is stopped, and no node takes it until `hawser start %s`.", a,
		a.Resource)
	o.Afterwards = fmt.Sprintf("%s is stopped; `hawser start %s` starts it again.", a, a.Resource)
	if slices.Contains(now.CIB.Tagged(contract.TagID), a.Resource) {
		o.Notes = append(o.Notes, "`hawser apply` starts it again too, since hawser.yaml has it")
	}
	return o, nil
}

// Start ends that an address is stopped by its target role, or by that of what contains it.
func (r Resources) Start(ctx context.Context, name string) (order.Order, error) {
	now, a, err := r.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	if !isStopped(now.CIB, a.Resource) {
		return unstopped(now.Status, a)
	}
	if err := managed(now.Status, a.Resource, "start"); err != nil {
		return order.Order{}, err
	}
	o, err := order.Change(ctx, r.Cluster, now, starting(a.Resource))
	if err != nil {
		return o, err
	}
	o.Serving = []string{a.Resource}
	o.Says = a.String() + " may run again."
	o.Afterwards = a.String() + " is started."
	if then, ok := o.Effect.Address(a.Resource); ok && then.To == "" {
		o.Notes = append(o.Notes, "Pacemaker will not start it now: no node can have it (see "+
			"`hawser status`)")
	}
	return o, nil
}

// unstopped is the answer for an address that is not stopped by a target role.
func unstopped(status *crm.Status, a inventory.Address) (order.Order, error) {
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == a.Resource && r.Active && !r.Failed {
			return order.Nothing(fmt.Sprintf("%s is on %s already", a, r.Node)), nil
		}
	}
	why := ""
	for _, f := range status.Failures {
		if crm.ResourceOf(f.Resource) == a.Resource {
			why = fmt.Sprintf(": %s; when the cause is fixed, `hawser cleanup %s` lets it start", f,
				a.Resource)
		}
	}
	return order.Order{}, outcome.Errorf(outcome.Resource, "nobody has stopped %s, but it is not "+
		"running on any node%s: see `hawser status`; nothing was changed", a, why)
}

func (r Resources) find(ctx context.Context, name string) (crm.Snapshot, inventory.Address, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return now, inventory.Address{}, err
	}
	a, err := inventory.FindAddress(now.CIB, name)
	return now, a, err
}

// managed is an error if Pacemaker does not act on the resource: it would do so later, when nobody
// expects it any more.
func managed(status *crm.Status, resource, what string) error {
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == resource && !r.Managed {
			return outcome.Errorf(outcome.Resource, "%s is not managed (maintenance mode, or "+
				"is-managed=false), so Pacemaker does not %s it; nothing was changed", resource, what)
		}
	}
	return nil
}

// stoppedBy lists those that have the target role Stopped: the resource and what contains it.
func stoppedBy(cib *crm.CIB, resource string) []crm.Object {
	objects := cib.Objects()
	family := inventory.Family(objects, resource)
	var all []crm.Object
	for _, o := range objects {
		role, _ := crm.MetaOf(o).Get(targetRole)
		if slices.Contains(family, o.ID()) && strings.EqualFold(role, stopped) {
			all = append(all, o)
		}
	}
	return all
}

// byDefault says whether resources without a target role are stopped.
func byDefault(cib *crm.CIB) bool {
	return slices.ContainsFunc(cib.Objects(), func(o crm.Object) bool {
		p, ok := o.(*crm.Property)
		return ok && p.Keyword() == string(crm.RscDefaults) && p.Name == targetRole &&
			strings.EqualFold(p.Value, stopped)
	})
}

func isStopped(cib *crm.CIB, resource string) bool {
	if len(stoppedBy(cib, resource)) > 0 {
		return true
	}
	p, ok := cib.Primitive(resource)
	if !ok || !byDefault(cib) {
		return false
	}
	_, own := p.Meta.Get(targetRole)
	return !own
}

// starting plans that the resource has no target role that keeps it stopped. Without one it is as
// hawser.yaml has it, so that `hawser plan` finds nothing to change.
func starting(resource string) change.Planner {
	return func(cib *crm.CIB) (crm.Plan, error) {
		var changed []crm.Object
		for _, o := range stoppedBy(cib, resource) {
			switch o := o.(type) {
			case *crm.Primitive:
				p := *o
				p.Meta = o.Meta.Without(targetRole)
				changed = append(changed, &p)
			case *crm.Clone:
				c := *o
				c.Meta = o.Meta.Without(targetRole)
				changed = append(changed, &c)
			case *crm.Group:
				g := *o
				g.Meta = o.Meta.Without(targetRole)
				changed = append(changed, &g)
			}
		}
		if byDefault(cib) {
			changed = append(changed, started(cib, changed, resource)...)
		}
		return change.Edit(cib, changed, nil)
	}
}

// started gives the resource the target role Started, which outweighs the default for all. A change
// of it that is planned already gets it too.
func started(cib *crm.CIB, changed []crm.Object, resource string) []crm.Object {
	for _, o := range changed {
		if p, ok := o.(*crm.Primitive); ok && p.Name == resource {
			p.Meta.Set(targetRole, "Started")
			return nil
		}
	}
	o, ok := cib.Object(resource)
	if !ok {
		return nil
	}
	p, ok := o.(*crm.Primitive)
	if !ok {
		return nil
	}
	next := *p
	next.Meta = append(crm.Attrs{}, p.Meta...)
	next.Meta.Set(targetRole, "Started")
	return []crm.Object{&next}
}
