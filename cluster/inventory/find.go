package inventory

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// FindNode finds a node by its name. Its error says which there are.
func FindNode(status *crm.Status, name string) (crm.NodeStatus, error) {
	if n, ok := status.Node(name); ok {
		return n, nil
	}
	var names []string
	for _, n := range status.Nodes {
		names = append(names, n.Name)
	}
	return crm.NodeStatus{}, outcome.Usagef("the cluster has no node %s; it has %s", name,
		words.OrNone(strings.Join(names, ", ")))
}

// FindResource finds the id of a primitive, a clone or a group: by that, or by the address that it
// holds, in any spelling. Its error says which there are.
func FindResource(cib *crm.CIB, name string) (id string, err error) {
	if len(PrimitivesIn(cib, name)) > 0 {
		return name, nil
	}
	a, err := FindAddress(cib, name)
	if err == nil {
		return a.Resource, nil
	}
	if _, spelling := netip.ParseAddr(name); spelling == nil {
		return "", err
	}
	return "", outcome.Usagef("there is no resource %s in the cluster's configuration; it has %s", name,
		words.OrNone(strings.Join(resources(cib), ", ")))
}

// PrimitivesIn lists the primitives that a resource is or contains.
func PrimitivesIn(cib *crm.CIB, name string) []string {
	objects := cib.Objects()
	var all []string
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok && slices.Contains(Family(objects, p.Name), name) {
			all = append(all, p.Name)
		}
	}
	return all
}

// StoppedBy lists what keeps a resource stopped: those that have the target role Stopped of it and of
// what contains it.
func StoppedBy(objects []crm.Object, id string) []crm.Object {
	family := Family(objects, id)
	var all []crm.Object
	for _, o := range objects {
		if slices.Contains(family, o.ID()) && crm.KeptStopped(o) {
			all = append(all, o)
		}
	}
	return all
}

// KeptStopped says whether Pacemaker is told to keep the resource stopped, itself or what contains
// it.
func KeptStopped(objects []crm.Object, id string) bool { return len(StoppedBy(objects, id)) > 0 }
