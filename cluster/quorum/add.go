package quorum

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Wanted is the device that is to be added.
type Wanted struct{ Host, Algorithm string }

// defaultSync is how long Corosync waits for the device's vote when its membership changes.
const defaultSync = 30 * time.Second

// sbdMargin is how much longer than that SBD without a disk has to wait.
const sbdMargin = 5 * time.Second

// sensible is nil if such a device makes sense for these nodes: what can be said without asking
// anybody.
func (w Wanted) sensible(ctx context.Context, nodes []corosync.Member) (corosync.Device, error) {
	d := corosync.Device{Host: w.Host, Algorithm: w.Algorithm}
	if len(nodes)%2 != 0 && (w.Algorithm == "" || w.Algorithm == corosync.FFSplit) {
		return d, refuse("this cluster has %d nodes: ffsplit gives its vote to one of two halves, and is "+
			"for an even number of nodes. An odd number has a majority without a device; with --algorithm "+
			"lms the last node that is left goes on too", len(nodes))
	}
	if d.Algorithm == "" {
		d.Algorithm = corosync.FFSplit
	}
	if err := d.Validate(len(nodes)); err != nil {
		return d, refuse("%w", err)
	}
	if why := inNodelist(ctx, w.Host, nodes); why != "" {
		return d, refuse("%s %s: the vote is worth something at a third place only, on a machine that is "+
			"none of the nodes", w.Host, why)
	}
	return d, nil
}

// add plans a device for a cluster whose nodes were all asked.
func add(c machines.Cluster, s Server, d corosync.Device) (machines.Plan, error) {
	if err := addable(c, s, d); err != nil {
		return machines.Plan{}, err
	}
	text, keys, err := c.Changed(func(doc *corosync.Document) {
		if !same(c.Base.Keys(), d) {
			doc.SetDevice(d)
		}
	})
	if err != nil {
		return machines.Plan{}, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	after, names := keys.Tally(), c.Names()
	loaded := true
	for _, n := range c.Nodes {
		loaded = loaded && (!n.Member() || same(n.Running, d))
	}
	if !loaded {
		// The device is heard only after Corosync has been told: the nodes have to do alone.
		if err := c.Keeps("adding the device", after, 0); err != nil {
			return machines.Plan{}, err
		}
	}
	steps := c.WriteConf(text, names...)
	if len(steps) > 0 || !loaded {
		steps = append(steps, c.Reload(proofOf(d), names...)...)
	}
	return say(c, s, d, after, certificates(c, s), append(steps, start(c, d)...)), nil
}

// addByHand is the same for somebody who does it himself, of a cluster that was not asked.
func addByHand(c machines.Cluster, d corosync.Device) (machines.Plan, error) {
	text, keys, err := c.Changed(func(doc *corosync.Document) { doc.SetDevice(d) })
	if err != nil {
		return machines.Plan{}, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	s := Server{Host: d.Host, CA: &x509.Certificate{}} // as its package has made it
	steps := append(c.WriteConf(text, c.Names()...), c.Reload(proofOf(d), c.Names()...)...)
	return say(c, s, d, keys.Tally(), certificates(c, s), append(steps, start(c, d)...)), nil
}

// addable is nil if nothing speaks against a device.
func addable(c machines.Cluster, s Server, d corosync.Device) error {
	keys := c.Base.Keys()
	if err := c.Answering(); err != nil {
		return err
	}
	if err := c.Quorate(); err != nil {
		return err
	}
	if err := c.Alike(ours); err != nil {
		return err
	}
	if c.Name == "" {
		return refuse("%s has no cluster_name in its totem section: corosync-qnetd tells clusters apart by "+
			"it. A name needs a restart of the cluster", corosync.ConfFile)
	}
	if err := countable(keys); err != nil {
		return err
	}
	if now := corosync.DeviceOf(keys, corosync.Votes{}); now.Configured && !same(keys, d) {
		return refuse("the cluster has a quorum device already: %s, algorithm %s. `hawser quorum device "+
			"remove` first", now.Host, now.Algorithm)
	}
	for name, votes := range keys.Tally().Each {
		if votes != 1 && d.Algorithm == corosync.FFSplit {
			return refuse("%s has %d votes (quorum_votes): with ffsplit every node has one", name, votes)
		}
	}
	if err := installed(c); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if least := defaultSync + sbdMargin; n.SBD.Diskless() && n.SBD.Timeout < least {
			return refuse("SBD on %s has no disk and resets the node after %s; with a quorum device "+
				"Corosync "+
				"may wait %s for the vote when a node fails, so that SBD would reset the nodes that are "+
				"well. Set SBD_WATCHDOG_TIMEOUT=%d in /etc/default/sbd of every node and "+
				"stonith-watchdog-timeout to %d or more first", n.Name, timeoutOf(n), defaultSync,
				int(least.Seconds()), 2*int(least.Seconds()))
		}
	}
	return s.usable(c, idsOf(keys))
}

func timeoutOf(n machines.Node) time.Duration {
	if n.SBD.Timeout == 0 {
		return 5 * time.Second
	}
	return n.SBD.Timeout
}

// installed is nil if every node has what the device needs.
func installed(c machines.Cluster) error {
	var without []string
	for _, n := range c.Nodes {
		if !n.Programs["corosync-qdevice"] || !n.Programs["certutil"] {
			without = append(without, n.Name)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return refuse("corosync-qdevice is not installed on %s: `apt-get install corosync-qdevice` there, or "+
		"`dnf install corosync-qdevice`", strings.Join(without, ", "))
}

// same says whether a configuration has this device.
func same(keys corosync.Keys, d corosync.Device) bool {
	now := corosync.DeviceOf(keys, corosync.Votes{})
	return now.Configured && now.Model == "net" && now.Host == d.Host && now.Algorithm == d.Algorithm
}

// proofOf succeeds once Corosync has the device in force.
func proofOf(d corosync.Device) string {
	const key = "quorum.device.net.host"
	return "[ \"$(corosync-cmapctl -g " + key + ")\" = " + machines.Quote(key+" (str) = "+d.Host) + " ]"
}

// start are the steps that start the daemon where it does not run, and wait until its vote counts.
func start(c machines.Cluster, d corosync.Device) []machines.Step {
	var steps, waits []machines.Step
	for _, n := range c.Nodes {
		switch {
		case !n.Member() && n.Enabled(unit):
			continue
		case !n.Member():
			steps = append(steps, machines.Step{
				On: n.Name, Does: "have corosync-qdevice start with Corosync, which does not run",
				Line: "systemctl enable " + unit,
			})
			continue
		case n.QDevice != nil && n.QDevice.Connected() && n.Active(unit) && same(n.Running, d):
			if !n.Enabled(unit) {
				// Not restarted: its vote may be what the quorum hangs by.
				steps = append(steps, machines.Step{
					On: n.Name, Does: "start corosync-qdevice at boot", Line: "systemctl enable " + unit,
				})
			}
			continue
		}
		its := Start(n.Name, d.Host)
		steps, waits = append(steps, its[0]), append(waits, its[1:]...)
	}
	return append(steps, waits...)
}

// Start are the steps that start the daemon of a node, and wait until its vote counts.
func Start(node, host string) []machines.Step {
	return []machines.Step{
		{
			On: node, Does: "start corosync-qdevice, now and at boot",
			// One that runs has read its certificates, which may be new.
			Line: "systemctl reset-failed " + unit + "; systemctl enable " + unit +
				" && systemctl restart " + unit,
			Fix: "`journalctl --boot --unit corosync-qdevice -n 20` on " + node + " says why",
		},
		{
			On: node, Does: "wait until it is connected to " + host, Line: connected, Until: true,
			Fix: fmt.Sprintf("`corosync-qdevice-tool -s` on %s says how far it is. %s has to let "+
				"%[1]s reach "+
				"its TCP port %[3]d (ufw, firewalld, nftables, the cloud's firewall); then run the "+
				"command again",
				node, host, corosync.QnetdPort),
		},
		{
			On: node, Does: "wait until Corosync counts its vote", Line: counted, Until: true,
			Fix: "`corosync-quorumtool -s` and `corosync-qdevice-tool -s` on " + node + " say how far it is",
		},
	}
}

// What proves that a node hears from the device, and that Corosync knows it.
const (
	connected = "corosync-qdevice-tool -s | grep -q '^State:[[:space:]]*Connected'"
	counted   = "corosync-quorumtool -s | grep -q '^Flags:.*Qdevice'"
)

// say is the plan, with what becomes of the cluster.
func say(
	of machines.Cluster, s Server, d corosync.Device, after corosync.Tally,
	certificates, steps []machines.Step,
) machines.Plan {
	c := machines.Plan{Here: of.Here, Parts: [][]machines.Step{certificates, steps}}
	if len(c.Steps()) == 0 {
		c.Says = []string{fmt.Sprintf("The quorum device at %s votes with %s already", d.Host,
			d.Algorithm)}
		return c
	}
	what := "of two halves that do not see each other, one goes on"
	if d.Algorithm == corosync.LMS {
		what = "the last node that is left and hears from it goes on"
	}
	c.Says = []string{
		fmt.Sprintf("corosync-qnetd at %s votes in cluster %s from now on, with %s: %s.", d.Host, of.Name,
			d.Algorithm, what),
		fmt.Sprintf("%d votes instead of %d, %d of them make a quorum; the cluster keeps its quorum "+
			"throughout, and nothing moves.", after.Expected, after.Nodes, after.Needed),
	}
	if of.Base.Keys().Tally().Needed == 1 && after.Nodes == 2 {
		c.Notes = append(c.Notes, "two_node goes: a node that is alone and does not hear from "+d.Host+
			" stops everything, where it went on before")
	}
	if s.Signed && len(certificates) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%s has signed a certificate for a cluster called %s before. "+
			"If that is another cluster that is switched off now, give one of them another name", s.Host,
			of.Name))
	}
	var down []string
	for _, n := range of.Nodes {
		if !n.Member() {
			down = append(down, n.Name)
		}
	}
	if len(down) > 0 {
		c.Notes = append(c.Notes, "Corosync does not run on "+strings.Join(down, ", ")+
			": it starts with the device when it is started")
	}
	return c
}

func idsOf(keys corosync.Keys) []string {
	var ids []string
	for _, m := range keys.Members() {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return ids
}

// proven is nil if every node has its certificates now: only then may the rest begin.
func proven(c machines.Cluster, s Server) error {
	for _, n := range c.Nodes {
		if n.Err != nil {
			return n.Err
		}
		if !certified(n, s.CA, c.Name) {
			return outcome.Errorf(outcome.Failed, "%s does not have its certificates for %s after all: "+
				"`certutil -L -d %s` there shows what it has. Corosync goes on as it was, without the "+
				"device; run the command again", n.Name, s.Host, machines.NodeDB)
		}
	}
	return nil
}
