package member

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/quorum"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// sensible is nil if such a node can be one of the cluster's: what can be said without asking it.
func sensible(m corosync.Member, nodes []corosync.Member) error {
	alone := corosync.Cluster{Name: "x", Nodes: []corosync.Member{m}, Timing: corosync.Cloud}
	if err := alone.Validate(); err != nil {
		return refuse("%w", err)
	}
	for _, known := range nodes {
		if strings.EqualFold(known.Label(), m.Name) {
			if !slices.Equal(known.Addresses, m.Addresses) {
				return refuse("%s is a node already, with the address %s: `hawser corosync remove "+
					"%[1]s` first, "+
					"if it is to have another", known.Label(), list(known.Addresses))
			}
			continue
		}
		if len(known.Addresses) != len(m.Addresses) {
			return refuse("the nodes have %d addresses each, one for each link, and %s has "+
				"%d", len(known.Addresses),
				m.Name, len(m.Addresses))
		}
		for _, a := range known.Addresses {
			if slices.ContainsFunc(m.Addresses, func(own string) bool { return equal(own, a) }) {
				return refuse("%s is the address of %s", a, known.Label())
			}
		}
	}
	return nil
}

func equal(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x == y
}

// add plans a node's entry into a cluster whose nodes were all asked; the new machine was asked too.
func add(all machines.Cluster, machine machines.Node, m corosync.Member) (machines.Plan, error) {
	c := all.Without(m.Name)
	if err := addable(c, machine, m); err != nil {
		return machines.Plan{}, err
	}
	e, err := entering(c, m)
	if err != nil {
		return machines.Plan{}, err
	}
	if !e.loaded && !joined(c, machine) {
		tally := e.after.Tally()
		if err := c.Keeps("adding "+m.Name, tally, deviceVotes(c, tally), m.Name); err != nil {
			return machines.Plan{}, err
		}
	}
	return e.change(c, machine, m)
}

// addByHand is the same for somebody who does it himself, of a cluster that was not asked.
func addByHand(all machines.Cluster, m corosync.Member) (machines.Plan, error) {
	c := all.Without(m.Name)
	e, err := entering(c, m)
	if err != nil {
		return machines.Plan{}, err
	}
	return e.change(c, machines.Node{Name: m.Name}, m)
}

// entry is what a node's entry makes of the configuration.
type entry struct {
	id     string // the node's
	text   string
	after  corosync.Keys
	writes []machines.Step
	loaded bool // in force already
}

func entering(c machines.Cluster, m corosync.Member) (entry, error) {
	var e entry
	var err error
	e.text, e.after, err = c.Changed(func(d *corosync.Document) {
		for _, known := range d.Keys().Members() {
			if known.Label() == m.Name {
				e.id = known.ID
				return
			}
		}
		e.id = d.AddNode(m)
	})
	if err != nil {
		return e, outcome.Usagef("%s: %w", corosync.ConfFile, err)
	}
	e.writes = c.WriteConf(e.text, c.Names()...)
	e.loaded = len(e.writes) == 0
	for _, n := range c.Nodes {
		e.loaded = e.loaded && (!n.Member() || has(n.Running, m.Name))
	}
	return e, nil
}

// joined says whether the machine is a member of this cluster.
func joined(c machines.Cluster, machine machines.Node) bool {
	return machine.Member() && slices.Contains(c.Joined(), machine.Name)
}

func (e entry) change(c machines.Cluster, machine machines.Node, m corosync.Member) (machines.Plan, error) {
	var steps []machines.Step
	if machine.Member() && !joined(c, machine) {
		steps = append(steps, machines.Step{
			On: m.Name, Does: "stop the Corosync that runs there, which is not in this cluster",
			Line: "systemctl stop pacemaker corosync",
		})
		machine.Running = nil
	}
	steps = append(steps, key(c, machine, m.Name)...)
	device := corosync.DeviceOf(e.after, corosync.Votes{})
	if device.Configured && e.after["quorum.device.net.tls"] != "off" &&
		!quorum.Certified(machine, c.Name) {
		certificates, err := quorum.ForNode(c, m.Name)
		if err != nil {
			return machines.Plan{}, err
		}
		steps = append(steps, certificates...)
	}
	if machine.Conf != e.text {
		steps = append(steps, machines.ConfStep(machine, e.text))
	}
	steps = append(steps, e.writes...)
	if !e.loaded {
		steps = append(steps, c.Reload(inForce(e.after), c.Names()...)...)
	}
	steps = append(steps, start(c, machine, m.Name, e.id, device)...)
	return come(c, m, c.Base.Keys(), e.after, steps), nil
}

// addable is nil if nothing speaks against it.
func addable(c machines.Cluster, machine machines.Node, m corosync.Member) error {
	if err := c.Answering(); err != nil {
		return err
	}
	if err := machine.Unknown(); err != nil {
		return outcome.Errorf(outcome.Unavailable, "%w\nhawser writes the key and the configuration there; "+
			"say with --ssh how it is reached, or with --print see what to type yourself; nothing was "+
			"changed", err)
	}
	if err := c.Quorate(); err != nil {
		return err
	}
	if err := c.Alike(ours(m.Name)); err != nil {
		return err
	}
	if v, ok := c.Base.Keys()["quorum.expected_votes"]; ok {
		return refuse("expected_votes: %s is set in %s: it would not count the new node. Take the line out "+
			"on every node, then `corosync-cfgtool -R` on one", v, corosync.ConfFile)
	}
	if machine.Hostname != "" && machine.Hostname != m.Name {
		return refuse("the machine that answers as %s calls itself %s: `hostnamectl set-hostname "+
			"%[1]s` there, "+
			"or add it under its own name", m.Name, machine.Hostname)
	}
	var missing []string
	for _, p := range []struct{ program, packaged string }{
		{"corosync", "corosync"}, {"pacemakerd", "pacemaker"}, {"hawser", "hawser"},
	} {
		if !machine.Programs[p.program] {
			missing = append(missing, p.packaged)
		}
	}
	if c.Base.Keys()["quorum.device.model"] != "" && !machine.Programs[qdevice] {
		missing = append(missing, qdevice)
	}
	if len(missing) > 0 {
		return refuse("%s is not installed on %s: install it there first, as on the other nodes (without "+
			"starting it; /usr/share/doc/hawser/install.md)", list(missing), m.Name)
	}
	return foreign(c, machine, m)
}

// foreign is nil if the machine is of no other cluster.
func foreign(c machines.Cluster, machine machines.Node, m corosync.Member) error {
	theirs := machine.Written["totem.cluster_name"]
	if machine.ConfErr != nil {
		return refuse("%s of %s cannot be read: %w. Move it away there", corosync.ConfFile, m.Name,
			machine.ConfErr)
	}
	// Many clusters have the name that nobody has chosen, so the name alone says nothing.
	known := c.Base.Keys().Members()
	others, ours := 0, false
	for _, n := range machine.Written.Members() {
		if n.Label() == m.Name || slices.Equal(n.Addresses, m.Addresses) || example(n) {
			continue
		}
		others++
		ours = ours || theirs == c.Name && slices.ContainsFunc(known, func(k corosync.Member) bool {
			return k.Label() == n.Label() && slices.Equal(k.Addresses, n.Addresses)
		})
	}
	if !ours && others > 0 {
		return refuse("%s is a node of another cluster, %s, by its %s: remove it there first, or move that "+
			"file away", m.Name, theirs, corosync.ConfFile)
	}
	if machine.Member() && !ours {
		joined := 0
		for key, value := range machine.Running {
			if strings.HasPrefix(key, "runtime.members.") && strings.HasSuffix(key, ".status") &&
				value == "joined" {
				joined++
			}
		}
		if joined > 1 {
			return refuse("%s runs in another cluster, %s: remove it there first", m.Name, theirs)
		}
	}
	return nil
}

// example says whether a node is that of the file which a package brings: it has no address that
// another node could reach.
func example(n corosync.Member) bool {
	return !slices.ContainsFunc(n.Addresses, func(a string) bool {
		ip, err := netip.ParseAddr(a)
		return err != nil || !ip.IsLoopback()
	})
}

// key are the steps that give the machine the cluster's key.
func key(c machines.Cluster, machine machines.Node, name string) []machines.Step {
	here := c.Node(c.Here)
	if here == nil || here.KeySum == "" || here.KeySum == machine.KeySum {
		return nil
	}
	text := &machines.Text{Name: "authkey", Secret: true}
	return []machines.Step{
		{On: c.Here, Does: "hand out Corosync's key", Line: "cat " + machines.KeyFile, Output: text},
		{
			On: name, Does: "take Corosync's key", Input: text, Into: machines.KeyFile, Mode: "0400",
			Kept: true,
		},
	}
}

// startTime is how long Pacemaker may take to have a new node online.
const startTime = 3 * time.Minute

// start are the steps that start the daemons of the new node, where they do not run.
func start(
	c machines.Cluster, machine machines.Node, name, id string, device corosync.DeviceState,
) []machines.Step {
	var steps []machines.Step
	running := joined(c, machine)
	if !running || !machine.Active("pacemaker") || !machine.Enabled("pacemaker") ||
		!machine.Enabled("corosync") {
		steps = append(steps, machines.Step{
			On: name, Does: "start Corosync and Pacemaker, now and at boot",
			Line: "systemctl enable --now corosync && systemctl enable --now pacemaker", Time: startTime,
			Fix: "`journalctl --boot --unit corosync --unit pacemaker -n 30` on " + name + " says why",
		})
	}
	status := "runtime.members." + id + ".status"
	steps = append(steps, machines.Step{
		On: c.Here, Does: "wait until " + name + " is a member",
		Line:  "[ \"$(corosync-cmapctl -g " + status + ")\" = '" + status + " (str) = joined' ]",
		Until: true, Time: startTime,
		Fix: "between the nodes something keeps Corosync's UDP port 5405 away (ufw, firewalld, nftables, " +
			"the cloud's firewall); `corosync-cfgtool -n` shows the links. Then run the command again",
	})
	connected := running && machine.QDevice != nil && machine.QDevice.Connected()
	if device.Configured && !connected {
		steps = append(steps, quorum.Start(name, device.Host)...)
	}
	steps = append(steps, machines.Step{
		On: c.Here, Does: "wait until Pacemaker has " + name + " as a member",
		Line:  "crm_node -l | grep -Eq '^[0-9]+ " + strings.ReplaceAll(name, ".", `\.`) + " member'",
		Until: true, Time: startTime,
		Fix: "`crm_mon -1` here, and `journalctl --boot --unit pacemaker -n 30` on " + name,
	})
	if running && len(steps) == 2 { // nothing is waited for
		return nil
	}
	return steps
}

// come is the plan, with what becomes of the cluster.
func come(
	of machines.Cluster, m corosync.Member, before, after corosync.Keys, steps []machines.Step,
) machines.Plan {
	c := machines.Plan{Here: of.Here, Parts: [][]machines.Step{steps}}
	tally := after.Tally()
	if len(steps) == 0 {
		c.Says = []string{m.Name + " is a node of the cluster already, and runs"}
		return c
	}
	c.Says = []string{fmt.Sprintf("%s (%s) becomes a node of cluster %s: %s. The cluster keeps its quorum "+
		"throughout; HAProxy starts on %[1]s, and addresses stay where they are.", m.Name,
		list(m.Addresses), of.Name, counts(tally))}
	was, is := before["quorum.two_node"] == "1", after["quorum.two_node"] == "1"
	if was && !is {
		c.Notes = append(c.Notes, "two_node goes: from now on a majority is needed, and a node that "+
			"is alone "+
			"stops everything")
	}
	c.Notes = append(c.Notes, halves(after, len(after.Members()))...)
	return c
}
