package resource

import (
	"context"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
)

// Cleanup orders Pacemaker to forget what has failed of a resource on a node, and to look again at
// what runs there. "" is any resource, and any node; the first word may be a node too.
func (r Resources) Cleanup(ctx context.Context, name, node string) (order.Order, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return order.Order{}, err
	}
	if _, isNode := now.Status.Node(name); isNode && node == "" &&
		len(inventory.PrimitivesIn(now.CIB, name)) == 0 {
		name, node = "", name
	}
	if node != "" {
		if _, err := inventory.FindNode(now.Status, node); err != nil {
			return order.Order{}, err
		}
	}
	var inside []string
	if name != "" {
		if name, err = inventory.FindResource(now.CIB, name); err != nil {
			return order.Order{}, err
		}
		inside = inventory.PrimitivesIn(now.CIB, name)
	}
	what := described(name, node)
	failures := failuresOf(now.Status, inside, node)
	then, counted := now.CIB.Forgiven(inside, node)
	if len(failures) == 0 && counted == 0 {
		return order.Nothing("Pacemaker remembers no failure" + what), nil
	}
	o, err := order.Act(ctx, r.Cluster, now, then, func(ctx context.Context, c crm.Cluster) error {
		if err := c.Cleanup(ctx, name, node); err != nil {
			return err
		}
		awaitForgotten(ctx, c, inside, node, failures)
		return nil
	})
	if err != nil {
		return o, err
	}
	o.Says = "Pacemaker forgets what has failed" + what + ", and checks again what is running."
	o.Afterwards = "Pacemaker has forgotten what had failed" + what + "."
	for _, f := range failures {
		o.Says += "\n  " + f.String()
	}
	if now.Status.Maintenance {
		o.Notes = append(o.Notes, "the whole cluster is in maintenance: nothing starts before "+
			"`hawser maintenance off`")
	}
	return o, nil
}

// forgetTime is how long Pacemaker may take to forget: the history of an action goes at once, its
// fail count by way of the attribute manager, some moments later.
const (
	forgetTime = 5 * time.Second
	forgetPoll = 50 * time.Millisecond
)

// awaitForgotten waits until nothing is left of what had failed, or something has failed again.
// Until then a fail count keeps the scheduler from starting anything, and the cluster looks as if it
// had settled. If that takes too long or cannot be found out, the wait for the cluster says more.
func awaitForgotten(ctx context.Context, c crm.Cluster, resources []string, node string,
	before []crm.Failure) {
	ctx, cancel := context.WithTimeout(ctx, forgetTime)
	defer cancel()
	for {
		now, err := crm.Read(ctx, c)
		if err != nil {
			return
		}
		if _, left := now.CIB.Forgiven(resources, node); left == 0 {
			return
		}
		for _, f := range failuresOf(now.Status, resources, node) {
			if !slices.Contains(before, f) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(forgetPoll):
		}
	}
}

func described(name, node string) string {
	what := ""
	if name != "" {
		what = " of " + name
	}
	if node != "" {
		what += " on " + node
	}
	return what
}

func failuresOf(status *crm.Status, resources []string, node string) []crm.Failure {
	var all []crm.Failure
	for _, f := range status.Failures {
		if (node == "" || f.Node == node) &&
			(len(resources) == 0 || slices.Contains(resources, crm.ResourceOf(f.Resource))) {
			all = append(all, f)
		}
	}
	return all
}
