package resource

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Cleanup orders Pacemaker to forget what has failed of a resource on a node, and to look again at
// what runs there. "" is any resource, and any node; the first word may be a node too.
func (r Resources) Cleanup(ctx context.Context, name, node string) (order.Order, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return order.Order{}, err
	}
	if _, isNode := now.Status.Node(name); isNode && node == "" && !isResource(now.CIB, name) {
		name, node = "", name
	}
	if err := checkNode(now.Status, node); err != nil {
		return order.Order{}, err
	}
	var inside []string
	if name != "" {
		if name, err = resourceCalled(now.CIB, name); err != nil {
			return order.Order{}, err
		}
		inside = primitivesIn(now.CIB, name)
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

func checkNode(status *crm.Status, node string) error {
	if _, ok := status.Node(node); ok || node == "" {
		return nil
	}
	var names []string
	for _, n := range status.Nodes {
		names = append(names, n.Name)
	}
	return outcome.Usagef("the cluster has no node %s; it has %s", node, strings.Join(names, ", "))
}

// isResource says whether the configuration has a primitive, clone or group of that name.
func isResource(cib *crm.CIB, name string) bool { return len(primitivesIn(cib, name)) > 0 }

// resourceCalled finds the resource of that name, or the one that is that address.
func resourceCalled(cib *crm.CIB, name string) (string, error) {
	if isResource(cib, name) {
		return name, nil
	}
	if a, err := inventory.FindAddress(cib, name); err == nil {
		return a.Resource, nil
	}
	var known []string
	for _, o := range cib.Objects() {
		switch o.(type) {
		case *crm.Primitive, *crm.Clone, *crm.Group:
			known = append(known, o.ID())
		}
	}
	have := "it has none"
	if len(known) > 0 {
		have = "it has " + strings.Join(known, ", ")
	}
	return "", outcome.Usagef("there is no resource %s in the cluster's configuration; %s", name,
		have)
}

// primitivesIn lists the primitives that a resource is or contains.
func primitivesIn(cib *crm.CIB, name string) []string {
	objects := cib.Objects()
	var all []string
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok &&
			slices.Contains(inventory.Family(objects, p.Name), name) {
			all = append(all, p.Name)
		}
	}
	return all
}
