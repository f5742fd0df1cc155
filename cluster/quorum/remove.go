package quorum

import (
	"fmt"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// without succeeds once Corosync has no device in force.
const without = "corosync-cmapctl -g quorum.provider && ! corosync-cmapctl -g quorum.device.model"

// remove plans the device's end: the daemons stop, the configuration goes, then the certificates.
func remove(c machines.Cluster) (machines.Plan, error) {
	if err := c.Answering(); err != nil {
		return machines.Plan{}, err
	}
	return planRemoval(c, func(after corosync.Tally) error { return removable(c, after) })
}

// planRemoval plans it. permitted is asked if Corosync is to be told anything.
func planRemoval(c machines.Cluster, permitted func(after corosync.Tally) error) (
	machines.Plan, error,
) {
	keys := c.Base.Keys()
	text, left, err := c.Changed(func(d *corosync.Document) {
		if keys["quorum.device.model"] != "" {
			d.RemoveDevice()
		}
	})
	if err != nil {
		return machines.Plan{}, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	now := corosync.DeviceOf(keys, corosync.Votes{})
	var steps []machines.Step
	names := c.Names()
	inForce := false
	for _, n := range c.Nodes {
		if n.Member() && n.Running["quorum.device.model"] != "" {
			inForce = true
			if now.Host == "" {
				now = corosync.DeviceOf(n.Running, corosync.Votes{})
			}
		}
		if n.Units[unit] != "" && (n.Active(unit) || n.Enabled(unit)) || n.QDevice != nil {
			steps = append(steps, machines.Step{
				On: n.Name, Does: "stop corosync-qdevice, and start it no more at boot",
				Line: "systemctl disable --now " + unit,
				Fix:  "`systemctl status corosync-qdevice` on " + n.Name + " says why it does not end",
			})
		}
	}
	writes := c.WriteConf(text, names...)
	if inForce || len(writes) > 0 {
		if err := permitted(left.Tally()); err != nil {
			return machines.Plan{}, err
		}
	}
	steps = append(steps, writes...)
	if inForce || len(writes) > 0 {
		steps = append(steps, c.Reload(without, names...)...)
	}
	for _, n := range c.Nodes {
		if n.CA != nil || n.Cert != nil || n.HasP12 {
			steps = append(steps, machines.Step{
				On: n.Name, Does: "remove its certificates and keys",
				Line: "cd " + machines.NodeDir + " && rm -rf nssdb qnetd-cacert.crt cluster.crt",
			})
		}
	}
	return gone(c, now, left.Tally(), steps), nil
}

// removeByHand is the same for somebody who does it himself, of a cluster that was not asked.
func removeByHand(c machines.Cluster) (machines.Plan, error) {
	for i := range c.Nodes {
		c.Nodes[i].Units = map[string]string{unit: "active enabled"}
		c.Nodes[i].HasP12 = true
		c.Nodes[i].Running = c.Base.Keys()
	}
	return planRemoval(c, func(corosync.Tally) error { return nil })
}

// removable is nil if the nodes keep the quorum without the device, before and after Corosync is
// told.
func removable(c machines.Cluster, after corosync.Tally) error {
	if err := c.Quorate(); err != nil {
		return err
	}
	if err := c.Alike(ours); err != nil {
		return err
	}
	if here := c.Node(c.Here); here.Running["quorum.device.model"] != "" {
		if err := c.Keeps("removing the device", here.Running.Tally(), 0); err != nil {
			return err
		}
	}
	if err := c.Keeps("removing the device", after, 0); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if n.SBD.Diskless() && len(c.Nodes) == 2 {
			return refuse("SBD on %s has no disk: with two nodes and no device each has quorum "+
				"alone, so that "+
				"no watchdog fires, and nobody is fenced. Add a third node, give SBD a disk, or use another "+
				"fence device first", n.Name)
		}
	}
	return nil
}

// gone is the plan, with what becomes of the cluster.
func gone(
	of machines.Cluster, was corosync.DeviceState, after corosync.Tally, steps []machines.Step,
) machines.Plan {
	c := machines.Plan{Here: of.Here, Parts: [][]machines.Step{steps}}
	if len(steps) == 0 {
		c.Says = []string{"The cluster has no quorum device, and nothing is left of one"}
		return c
	}
	at := ""
	if was.Host != "" {
		at = " at " + was.Host
	}
	c.Says = []string{fmt.Sprintf("The quorum device%s votes no more: %d votes are left, %d of them make a "+
		"quorum. The cluster keeps its quorum throughout, and nothing moves.", at, after.Nodes,
		after.Needed)}
	switch {
	case len(of.Nodes) == 2:
		c.Notes = append(c.Notes, "two_node comes back: each of the two nodes goes on alone when "+
			"they do not "+
			"see each other, so that only fencing keeps an address from being held twice")
	case len(of.Nodes)%2 == 0:
		c.Notes = append(c.Notes, fmt.Sprintf("of %d nodes, two halves that do not see each other stop both",
			len(of.Nodes)))
	}
	if was.Host != "" {
		c.Notes = append(c.Notes, fmt.Sprintf("%s keeps the certificate that it has signed: `rm "+
			"%s/cluster-%s.crt` there, if you like", was.Host, serverDB, of.Name))
	}
	return c
}
