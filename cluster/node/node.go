// Package node puts nodes into standby and maintenance and takes them out again, and the whole
// cluster into maintenance.
//
// Each method returns an order, which says what Pacemaker's scheduler would do. It imports order,
// effect, change, inventory and crm. Open this file first; maintenance.go has maintenance.
package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Nodes are those of a cluster.
type Nodes struct{ Cluster crm.Cluster }

// The attributes of a node by which Pacemaker knows its state.
const (
	standby     = "standby"
	maintenance = "maintenance"
)

// Standby orders a node to run nothing.
func (n Nodes) Standby(ctx context.Context, name string) (order.Order, error) {
	now, at, err := n.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	if at.Standby || isOn(now.CIB, name, standby) {
		return order.Nothing(name + " is in standby already"), nil
	}
	o, err := order.Change(ctx, n.Cluster, now, setting(name, standby, "on"))
	if err != nil {
		return o, err
	}
	o.Says = fmt.Sprintf("%s goes into standby: it runs nothing until `hawser online %[1]s`.", name)
	o.Afterwards = fmt.Sprintf("%s is in standby; `hawser online %[1]s` ends that.", name)
	if left := others(o, name); len(left) == 1 && len(now.Status.Nodes) > 1 {
		o.Notes = append(o.Notes,
			"HAProxy runs only on "+left[0]+" then: if that fails, nobody serves")
	}
	o.Notes = append(o.Notes, held(now, at, "what runs there stays there")...)
	if !at.Online {
		o.Notes = append(o.Notes, name+" is offline: it will be in standby when it comes back")
	}
	return o, nil
}

// others lists the nodes with HAProxy once the node has none, nil if it has none now.
func others(o order.Order, name string) []string {
	var left []string
	had := false
	for _, h := range o.Effect.HAProxies {
		had = had || slices.Contains(h.Before, name)
		for _, at := range h.After {
			if at != name && !slices.Contains(left, at) {
				left = append(left, at)
			}
		}
	}
	if !had {
		return nil
	}
	return left
}

// Online ends the standby of a node.
func (n Nodes) Online(ctx context.Context, name string) (order.Order, error) {
	now, at, err := n.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	written := isOn(now.CIB, name, standby)
	switch {
	case !at.Standby && !written:
		return n.online(ctx, now, at)
	case !written:
		return order.Order{}, outcome.Errorf(outcome.Resource, "%s is in standby, but its entry in "+
			"the configuration does not say so: `crm_attribute --node %[1]s --name standby "+
			"--lifetime reboot --delete` ends one that lasts until its next start; "+
			"nothing was changed", name)
	}
	o, err := order.Change(ctx, n.Cluster, now, setting(name, standby, ""))
	if err != nil {
		return o, err
	}
	o.Says = name + " comes out of standby, and may run HAProxy and addresses again."
	o.Afterwards = name + " is out of standby."
	o.Notes = append(o.Notes, held(now, at, "nothing starts there")...)
	o.Notes = append(o.Notes, away(at)...)
	o.Notes = append(o.Notes, withoutHAProxy(now, at, o)...)
	return o, nil
}

// online is the order for a node that is not in standby. What keeps HAProxy off it is worth saying:
// that is what somebody wants to know who gives it.
func (n Nodes) online(ctx context.Context, now crm.Snapshot, at crm.NodeStatus) (order.Order, error) {
	o, err := order.Change(ctx, n.Cluster, now, setting(at.Name, standby, ""))
	if err != nil {
		return o, err
	}
	done := order.Nothing(at.Name + " is not in standby")
	done.Notes = append(held(now, at, "nothing starts there"), away(at)...)
	done.Notes = append(done.Notes, withoutHAProxy(now, at, o)...)
	return done, nil
}

// held says why Pacemaker starts and stops nothing on the node.
func held(now crm.Snapshot, at crm.NodeStatus, then string) []string {
	switch {
	case now.Status.Maintenance:
		return []string{"the whole cluster is in maintenance: " + then +
			" before `hawser maintenance off`"}
	case at.Maintenance:
		return []string{fmt.Sprintf("%s is in maintenance: %s before `hawser maintenance off %[1]s`",
			at.Name, then)}
	}
	return nil
}

// away says why a node runs nothing, whatever its standby.
func away(at crm.NodeStatus) []string {
	at.Standby = false
	if why, leaving := at.Leaving(); leaving {
		return []string{why + ": nothing runs there before it is back"}
	}
	if at.Pending {
		return []string{"the node is still joining the cluster"}
	}
	return nil
}

// withoutHAProxy says of each HAProxy that should run on the node why it will not.
func withoutHAProxy(now crm.Snapshot, at crm.NodeStatus, o order.Order) []string {
	if !at.Online || at.Unclean || now.Status.Maintenance || at.Maintenance {
		return nil
	}
	var notes []string
	for _, h := range o.Effect.HAProxies {
		if slices.Contains(h.After, at.Name) {
			continue
		}
		why := failures(now.Status, h.Resource, at.Name)
		clone := ""
		for _, r := range now.Status.Resources {
			if crm.ResourceOf(r.ID) == h.Resource {
				clone = r.Parent
			}
		}
		ban, banned := now.Status.BanOf(at.Name, h.Resource, clone)
		switch {
		case clone == "":
			// It runs on one node at a time.
		case why != "":
			notes = append(notes, fmt.Sprintf("%s will not run on %s, because it has failed "+
				"there (%s): when the cause is fixed, `hawser cleanup %[1]s %[2]s` lets it start",
				h.Resource, at.Name, why))
		case banned:
			notes = append(notes, fmt.Sprintf("%s will not run on %s: the constraint %s keeps it "+
				"off that node", h.Resource, at.Name, ban.ID))
		default:
			notes = append(notes, fmt.Sprintf("%s will not run on %s: see `hawser status`, and "+
				"`hawser cleanup %[1]s %[2]s` if it has failed there", h.Resource, at.Name))
		}
	}
	return notes
}

// failures says how a resource has failed on a node, "" if it has not.
func failures(status *crm.Status, resource, node string) string {
	var all []string
	for _, f := range status.Failures {
		if crm.ResourceOf(f.Resource) == resource && f.Node == node {
			line := f.Task + ": " + f.Meaning
			if f.Reason != "" {
				line += ": " + f.Reason
			}
			all = append(all, line)
		}
	}
	return strings.Join(all, "; ")
}

// find reads the cluster, and finds the node in it.
func (n Nodes) find(ctx context.Context, name string) (crm.Snapshot, crm.NodeStatus, error) {
	now, err := crm.Read(ctx, n.Cluster)
	if err != nil {
		return now, crm.NodeStatus{}, err
	}
	at, err := inventory.FindNode(now.Status, name)
	return now, at, err
}

// entry is what the configuration says about a node, nil if it has no entry.
func entry(cib *crm.CIB, name string) *crm.Node {
	for _, o := range cib.Objects() {
		if n, ok := o.(*crm.Node); ok && n.Uname == name {
			return n
		}
	}
	return nil
}

// isOn says whether the node's entry has an attribute that is true.
func isOn(cib *crm.CIB, name, attribute string) bool {
	n := entry(cib, name)
	if n == nil {
		return false
	}
	word, _ := n.Attributes.Get(attribute)
	return crm.IsTrue(word)
}

// setting plans an attribute of the node's entry; "" takes it away.
func setting(name, attribute, value string) change.Planner {
	return func(cib *crm.CIB) (crm.Plan, error) {
		n := entry(cib, name)
		if n == nil {
			return crm.Plan{}, outcome.Usagef("the configuration has no entry for the node %s: "+
				"`crm_attribute --node %[1]s --name %s` may set it", name, attribute)
		}
		changed := *n
		changed.Attributes = n.Attributes.Without(attribute)
		if value != "" {
			changed.Attributes.Set(attribute, value)
		}
		return change.Edit(cib, []crm.Object{&changed}, nil)
	}
}
