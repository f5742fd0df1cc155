package quorum

import (
	"context"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Orders plans changes of the quorum device, and says how it is.
type Orders struct{ machines.Reach }

// Add plans a device. by hand nobody but this machine is asked.
func (o Orders) Add(ctx context.Context, wanted Wanted, byHand bool) (machines.Plan, error) {
	self, nodes, err := o.Self(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	device, err := wanted.sensible(ctx, nodes)
	if err != nil {
		return machines.Plan{}, err
	}
	if byHand {
		c, err := machines.Assumed(self, nodes)
		if err != nil {
			return machines.Plan{}, err
		}
		return addByHand(c, device)
	}
	find := func(ctx context.Context, soFar string) (machines.Cluster, Server, error) {
		c, err := o.Find(ctx)
		if err != nil {
			return c, Server{}, err
		}
		server, err := AskServer(ctx, o.Shell(self.Name), device.Host, c.Name, soFar)
		return c, server, err
	}
	c, server, err := find(ctx, "nothing was changed")
	if err != nil {
		return machines.Plan{}, outcome.Untouched(ctx, err)
	}
	plan, err := add(c, server, device)
	plan.Between = func(ctx context.Context) error {
		c, server, err := find(ctx, "the nodes have certificates now, and no device")
		if err != nil {
			return err
		}
		return proven(c, server)
	}
	return plan, err
}

// Remove plans its end. by hand nobody but this machine is asked.
func (o Orders) Remove(ctx context.Context, byHand bool) (machines.Plan, error) {
	if byHand {
		self, nodes, err := o.Self(ctx)
		if err != nil {
			return machines.Plan{}, err
		}
		c, err := machines.Assumed(self, nodes)
		if err != nil {
			return machines.Plan{}, err
		}
		return removeByHand(c)
	}
	c, err := o.Find(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	return remove(c)
}

// Status asks every node how it is there.
func (o Orders) Status(ctx context.Context) (Status, error) {
	c, err := o.Find(ctx)
	if err != nil {
		return Status{}, err
	}
	return how(c), nil
}
