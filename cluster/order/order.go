// Package order carries out one order of an administrator: it is foreseen by Pacemaker's scheduler,
// shown, approved, written as one transaction, and judged when the cluster has settled.
//
// The packages node and resource make orders; showing and asking are up to the caller. It imports
// change, effect, inventory and crm. Open this file first.
package order

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/effect"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Order is what was ordered, as it will be carried out.
type Order struct {
	// Says is what happens, in a sentence or more; of an order that is carried out already it says
	// that.
	Says string
	// Done says that there is nothing to do.
	Done   bool
	Effect effect.Effect
	// Notes are what an administrator should know beside it.
	Notes []string
	// Serving are the resources that have to run afterwards, beside addresses that move or stay.
	Serving []string
	// Afterwards says in a sentence what is so when the order has been carried out.
	Afterwards string

	do func(ctx context.Context, c crm.Cluster) error
}

// Change makes the order of one change of the configuration. The forecast is that of Pacemaker's
// scheduler.
func Change(ctx context.Context, c crm.Cluster, now crm.Snapshot,
	plan change.Planner) (Order, error) {
	p, err := plan(now.CIB)
	if err != nil {
		return Order{}, err
	}
	forecast, _, err := c.Rehearse(ctx, p)
	if err != nil {
		return Order{}, err
	}
	return Order{
		Done:   p.Empty(),
		Effect: effect.Of(now, p.New, forecast),
		do: func(ctx context.Context, c crm.Cluster) error {
			return change.Commit(ctx, c, p, plan)
		},
	}, nil
}

// Act makes an order that changes nothing in the configuration. like is the configuration and
// status that the order leads to, for a forecast.
func Act(ctx context.Context, c crm.Cluster, now crm.Snapshot, like *crm.CIB,
	do func(ctx context.Context, c crm.Cluster) error) (Order, error) {
	forecast, _, err := c.Rehearse(ctx, crm.Plan{Base: like, New: like})
	if err != nil {
		return Order{}, err
	}
	return Order{Effect: effect.Of(now, like, forecast), do: do}, nil
}

// Nothing is an order that is carried out already, as the sentence says.
func Nothing(says string) Order { return Order{Says: says, Done: true} }

// Do carries the order out: all of it, or nothing and an error.
func (o Order) Do(ctx context.Context, c crm.Cluster) error {
	if o.Done {
		return nil
	}
	return o.do(ctx, c)
}

// Verdict is an error if something that visitors need has failed since then, or an address is not on
// any node although it should be.
func (o Order) Verdict(ctx context.Context, c crm.Cluster, since time.Time) error {
	status, err := c.Status(ctx)
	if err != nil {
		return outcome.After(err, "the order was carried out, and what became of it is not known")
	}
	var lines []string
	for _, f := range status.Failures {
		if o.concerns(f.Resource) && f.Since(since) {
			lines = append(lines, f.String())
		}
	}
	for _, a := range o.Effect.Addresses {
		if (a.To != "" || slices.Contains(o.Serving, a.Resource)) && !active(status, a.Resource) {
			lines = append(lines, inventory.Called(a.Resource, a.IP)+" is not running on any node"+
				reason(status, a.Resource))
		}
	}
	for _, id := range o.Serving {
		if _, address := o.Effect.Address(id); !address && !active(status, id) {
			lines = append(lines, id+" is not running on any node"+reason(status, id))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return outcome.Errorf(outcome.Resource, "%s\nsee `hawser status`", strings.Join(lines, "\n"))
}

// concerns says whether the resource is an address or HAProxy, or has to run afterwards.
func (o Order) concerns(resource string) bool {
	id := crm.ResourceOf(resource)
	_, address := o.Effect.Address(id)
	return address || slices.Contains(o.Serving, id) || slices.ContainsFunc(o.Effect.HAProxies,
		func(h effect.HAProxy) bool { return h.Resource == id })
}

func active(status *crm.Status, resource string) bool {
	return slices.ContainsFunc(status.Resources, func(r crm.ResourceStatus) bool {
		return crm.ResourceOf(r.ID) == resource && r.Active && !r.Failed
	})
}

func reason(status *crm.Status, resource string) string {
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == resource && r.Reason != "" {
			return ": " + r.Reason
		}
	}
	return ""
}
