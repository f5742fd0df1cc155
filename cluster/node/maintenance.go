package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// wholeCluster is the option that puts every node into maintenance.
const wholeCluster = "maintenance-mode"

const unattended = "HAProxy and the addresses go on where they are, and Pacemaker does not notice " +
	"if one of them fails: nobody takes over"

// Maintenance has Pacemaker let go of a node, or of the whole cluster if name is "", or take it in
// hand again.
func (n Nodes) Maintenance(ctx context.Context, on bool, name string) (order.Order, error) {
	if name == "" {
		return n.maintenanceOfAll(ctx, on)
	}
	now, at, err := n.find(ctx, name)
	if err != nil {
		return order.Order{}, err
	}
	written := isOn(now.CIB, name, maintenance)
	value := ""
	switch {
	case on && (at.Maintenance || written):
		return order.Nothing(name + " is in maintenance already"), nil
	case on:
		value = "true"
	case !at.Maintenance && !written:
		return order.Nothing(name + " is not in maintenance" + orTheCluster(now)), nil
	case !written:
		return order.Order{}, outcome.Errorf(outcome.Resource, "%s is in maintenance, but its entry "+
			"in the configuration does not say so: `crm_attribute --node %[1]s --name maintenance "+
			"--lifetime reboot --delete` ends one that lasts until its next start; "+
			"nothing was changed", name)
	}
	o, err := order.Change(ctx, n.Cluster, now, setting(name, maintenance, value))
	if err != nil {
		return o, err
	}
	if on {
		o.Says = fmt.Sprintf("%s goes into maintenance: Pacemaker starts, stops and checks nothing "+
			"there until `hawser maintenance off %[1]s`.", name)
		o.Afterwards = fmt.Sprintf("%s is in maintenance; `hawser maintenance off %[1]s` ends that.",
			name)
		o.Notes = append(o.Notes, unattended)
		return o, nil
	}
	o.Says = "Pacemaker looks after " + name + " again" + orTheCluster(now) + "."
	o.Afterwards = name + " is out of maintenance."
	return o, nil
}

// orTheCluster completes a sentence about a node of a cluster that is in maintenance itself.
func orTheCluster(now crm.Snapshot) string {
	if now.Status.Maintenance {
		return ", but the whole cluster is in maintenance: `hawser maintenance off` ends that"
	}
	return ""
}

func (n Nodes) maintenanceOfAll(ctx context.Context, on bool) (order.Order, error) {
	now, err := crm.Read(ctx, n.Cluster)
	if err != nil {
		return order.Order{}, err
	}
	var single []string
	for _, at := range now.Status.Nodes {
		if at.Maintenance || isOn(now.CIB, at.Name, maintenance) {
			single = append(single, at.Name)
		}
	}
	word, _ := now.CIB.Property(wholeCluster)
	is := now.Status.Maintenance || crm.IsTrue(word)
	if is == on {
		if on {
			return order.Nothing("the cluster is in maintenance already"), nil
		}
		o := order.Nothing("the cluster is not in maintenance")
		o.Notes = stay(single)
		return o, nil
	}
	o, err := order.Change(ctx, n.Cluster, now, whole(on))
	if err != nil {
		return o, err
	}
	if on {
		o.Says = "The whole cluster goes into maintenance: Pacemaker starts, stops and checks " +
			"nothing until `hawser maintenance off`."
		o.Afterwards = "The cluster is in maintenance; `hawser maintenance off` ends that."
		o.Notes = append(o.Notes, unattended)
		return o, nil
	}
	o.Says = "Pacemaker looks after the cluster again, and catches up with what has happened."
	o.Afterwards = "The cluster is out of maintenance."
	o.Notes = append(o.Notes, stay(single)...)
	return o, nil
}

// stay says which nodes are in maintenance by themselves.
func stay(nodes []string) []string {
	if len(nodes) == 0 {
		return nil
	}
	notes := make([]string, 0, len(nodes))
	for _, name := range nodes {
		notes = append(notes, fmt.Sprintf("%s is in maintenance by itself, and stays so until "+
			"`hawser maintenance off %[1]s`", name))
	}
	return notes
}

// whole plans the cluster's option; off takes it away, wherever it is set.
func whole(on bool) change.Planner {
	return func(cib *crm.CIB) (crm.Plan, error) {
		if on {
			return change.Edit(cib, []crm.Object{
				&crm.Property{Section: crm.ClusterProperty, Name: wholeCluster, Value: "true"},
			}, nil)
		}
		var set []string
		for _, o := range cib.Objects() {
			p, ok := o.(*crm.Property)
			if ok && p.Name == wholeCluster && p.Keyword() == string(crm.ClusterProperty) {
				set = append(set, p.ID())
			}
		}
		p, err := change.Edit(cib, nil, set)
		if err != nil {
			return p, err
		}
		if len(set) == 0 {
			return p, outcome.Errorf(outcome.Resource, "the option %s is not set where hawser can "+
				"take it away: `cibadmin --query --xpath \"//nvpair[@name='%[1]s']\"` shows it; "+
				"nothing was changed", wholeCluster)
		}
		return p, nil
	}
}

// OnOff reads the word that says whether maintenance begins or ends.
func OnOff(word string) (bool, error) {
	known := []string{"on", "off"}
	if !slices.Contains(known, word) {
		return false, outcome.Usagef("maintenance %q: expected %s", word, strings.Join(known, " or "))
	}
	return word == "on", nil
}
