package member

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// remove plans a node's leave. now is what Pacemaker says.
func remove(all machines.Cluster, name string, now crm.Snapshot) (machines.Plan, error) {
	listed := all.Node(name)
	remembered := slices.Contains(now.CIB.Nodes(), name)
	switch {
	case name == all.Here:
		return machines.Plan{}, refuse("%s is this node: run this on one of the others", name)
	case listed == nil && !remembered:
		return machines.Plan{Says: []string{name + " is no node of the cluster"}}, nil
	}
	c := all.Without(name)
	if len(c.Nodes) == 0 {
		return machines.Plan{}, refuse("%s is the only node", name)
	}
	if err := removable(c, listed, name, now); err != nil {
		return machines.Plan{}, err
	}
	l, err := leaving(c, name)
	if err != nil {
		return machines.Plan{}, err
	}
	tally := l.after.Tally()
	for _, n := range c.Nodes {
		if n.SBD.Diskless() && tally.Nodes == 2 && tally.Device == 0 {
			return machines.Plan{}, refuse("SBD on %s has no disk: with two nodes and no quorum "+
				"device each has quorum "+
				"alone, and nobody is fenced. `hawser quorum device add HOST --algorithm lms` "+
				"first, or give SBD "+
				"a disk", n.Name)
		}
	}
	if !l.loaded {
		// First it stops, and counts as one that failed; then it does not count any more.
		if here := c.Node(c.Here); slices.Contains(all.Joined(), name) {
			old := here.Running.Tally()
			delete(old.Each, name)
			if err := c.Keeps("stopping "+name, old, deviceVotes(c, old)); err != nil {
				return machines.Plan{}, err
			}
		}
		if err := c.Keeps("removing "+name, tally, deviceVotes(c, tally)); err != nil {
			return machines.Plan{}, err
		}
	}
	return l.change(c, listed, name, remembered || !l.loaded), nil
}

// removeByHand is the same for somebody who does it himself, of a cluster that was not asked.
func removeByHand(all machines.Cluster, name string) (machines.Plan, error) {
	c := all.Without(name)
	l, err := leaving(c, name)
	if err != nil {
		return machines.Plan{}, err
	}
	return l.change(c, all.Node(name), name, true), nil
}

// leave is what a node's leave makes of the configuration.
type leave struct {
	text   string
	after  corosync.Keys
	writes []machines.Step
	loaded bool // in force already
}

func leaving(c machines.Cluster, name string) (leave, error) {
	var l leave
	var err error
	l.text, l.after, err = c.Changed(func(d *corosync.Document) { d.RemoveNode(name) })
	if err != nil {
		return l, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	l.writes = c.WriteConf(l.text, c.Names()...)
	l.loaded = len(l.writes) == 0
	for _, n := range c.Nodes {
		l.loaded = l.loaded && (!n.Member() || !has(n.Running, name))
	}
	return l, nil
}

func (l leave) change(
	c machines.Cluster, listed *machines.Node, name string, remembered bool,
) machines.Plan {
	var steps []machines.Step
	if listed != nil && listed.Err == nil {
		steps = append(steps, stop(*listed)...)
	}
	steps = append(steps, l.writes...)
	if !l.loaded {
		steps = append(steps, c.Reload(inForce(l.after), c.Names()...)...)
	}
	if remembered {
		steps = append(steps, machines.Step{
			On: c.Here, Does: "have Pacemaker forget it",
			Line: "crm_node --force --remove " + machines.Quote(name),
			Fix:  "Pacemaker has to answer here: `systemctl start pacemaker`; then run the command again",
		})
	}
	return l.plan(c, listed, name, steps)
}

// removable is nil if nothing speaks against it.
func removable(c machines.Cluster, listed *machines.Node, name string, now crm.Snapshot) error {
	if err := c.Answering(); err != nil {
		return err
	}
	if err := c.Quorate(); err != nil {
		return err
	}
	if err := c.Alike(ours(name)); err != nil {
		return err
	}
	var runs []string
	for _, r := range now.Status.Resources {
		if r.Active && slices.Contains(r.Nodes, name) && !slices.Contains(runs, r.ID) {
			runs = append(runs, r.ID)
		}
	}
	if len(runs) > 0 {
		return outcome.Errorf(outcome.Resource, "%s runs %s: `hawser standby %[1]s` moves that to "+
			"the others "+
			"first, one address after the other; nothing was changed", name, list(runs))
	}
	for _, n := range now.Status.Nodes {
		if n.Name == name && n.Remote() {
			return refuse("%s is a node of pacemaker_remote, which has no part in Corosync", name)
		}
		if n.Name == name && n.Unclean {
			return outcome.Errorf(outcome.Resource, "%s is unclean: Pacemaker waits until it is "+
				"fenced. If it is "+
				"certainly off, `stonith_admin --confirm %[1]s` says so to Pacemaker; then run this again; "+
				"nothing was changed", name)
		}
	}
	if listed != nil && listed.Err != nil && slices.Contains(c.Joined(), name) {
		return outcome.Errorf(outcome.Unavailable, "%w\nit is a member of the cluster, and has to "+
			"be stopped "+
			"first: by hawser, or by you: `systemctl disable --now corosync-qdevice pacemaker "+
			"corosync` there; "+
			"nothing was changed", listed.Err)
	}
	return nil
}

func has(keys corosync.Keys, name string) bool {
	return slices.ContainsFunc(keys.Members(),
		func(m corosync.Member) bool { return m.Label() == name })
}

// stop are the steps that end the cluster's daemons on a node that leaves.
func stop(n machines.Node) []machines.Step {
	var steps []machines.Step
	var units []string
	for _, unit := range []string{qdevice, "pacemaker", "corosync"} {
		if n.Active(unit) || n.Enabled(unit) {
			units = append(units, unit)
		}
	}
	if len(units) == 0 && n.Running == nil {
		return nil
	}
	if len(units) == 0 {
		units = []string{"pacemaker", "corosync"}
	}
	line := "systemctl disable " + strings.Join(units, " ")
	for _, unit := range units {
		line += " && systemctl stop " + unit
	}
	return append(steps, machines.Step{
		On: n.Name, Does: "stop the cluster there, now and at boot", Line: line, Time: startTime,
		Fix: "`systemctl status pacemaker corosync` on " + n.Name + " says why it does not end",
	})
}

// plan is the plan, with what becomes of the cluster.
func (l leave) plan(
	of machines.Cluster, listed *machines.Node, name string, steps []machines.Step,
) machines.Plan {
	c := machines.Plan{Here: of.Here, Parts: [][]machines.Step{steps}}
	before, after := of.Base.Keys(), l.after
	tally := after.Tally()
	if len(steps) == 0 {
		c.Says = []string{name + " is no node of the cluster"}
		return c
	}
	c.Says = []string{fmt.Sprintf("%s leaves cluster %s: %s. The cluster keeps its quorum throughout.", name,
		of.Name, counts(tally))}
	was, is := before["quorum.two_node"] == "1", after["quorum.two_node"] == "1"
	if !was && is {
		c.Notes = append(c.Notes, "two_node is set: each of the two nodes goes on alone when they "+
			"do not see "+
			"each other, so that only fencing keeps an address from being held twice")
	}
	if len(after.Members()) == 1 {
		c.Notes = append(c.Notes, of.Here+" is alone then: nobody takes over until there is another node "+
			"(`hawser corosync add`)")
	}
	if listed != nil && listed.Err != nil {
		c.Notes = append(c.Notes, name+" cannot be asked, and is taken for gone. Should it start again, its "+
			"Corosync finds nobody who listens to it: `systemctl disable pacemaker corosync` there")
	} else if listed != nil {
		c.Notes = append(c.Notes, name+" still has the cluster's key, "+machines.KeyFile+
			": remove it there if the machine is not to come back")
	}
	c.Notes = append(c.Notes, halves(after, len(after.Members()))...)
	return c
}
