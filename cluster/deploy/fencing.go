package deploy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

// The timeouts of the fence agent's actions. A reboot orders the cloud to switch the droplet off,
// polls until it is off, and orders it on again. Pacemaker uses these instead of its
// stonith-timeout of 60 s, so that option stays as its owner set it.
const (
	fenceReboot, fenceOff, fenceMonitor = 120 * time.Second, 120 * time.Second, 60 * time.Second
	// retryFencing makes Pacemaker forget that the device's monitor failed: an API outage would
	// leave it banned from every node.
	retryFencing = "5min"
)

func option(name, value string) crm.Object {
	return &crm.Property{Section: crm.ClusterProperty, Name: name, Value: value}
}

// fencingObjects returns what the file's key fencing asks for.
func fencingObjects(c *config.File, cur *crm.CIB) []crm.Object {
	switch f := &c.Fencing; f.Way {
	case config.FencingOff:
		if disablesFencing(cur) {
			return []crm.Object{option(crm.StonithEnabled, "false")}
		}
	case config.FencingOn:
		return []crm.Object{option(crm.StonithEnabled, "true")}
	case config.FencingSBD:
		all := []crm.Object{
			option(crm.StonithEnabled, "true"),
			option(crm.WatchdogTimeout, param.FormatDuration(stonithWatchdogTimeout(f))),
		}
		// With no-quorum-policy=ignore, a partition without quorum would count the majority as
		// fenced, and take all addresses until its watchdogs fire (pe_can_fence()). The other
		// policies wait or stop.
		if policy, _ := cur.Property(crm.NoQuorumPolicy); policy == "ignore" ||
			ownsOption(cur, crm.NoQuorumPolicy) {
			all = append(all, option(crm.NoQuorumPolicy, "stop"))
		}
		return all
	case config.FencingDroplet:
		all := []crm.Object{
			fenceDevice(&f.Droplet, cur, len(c.Addresses) > 0),
			option(crm.StonithEnabled, "true"),
		}
		if priorities(c, cur) != nil {
			all = append(all, option(crm.PriorityDelay, f.Droplet.Delay))
		}
		return all
	}
	return nil
}

// stonithWatchdogTimeout is how long after it was lost a node counts as down: twice its watchdog's
// timeout, since SBD may feed the watchdog a last time almost that long after quorum was lost
// (Pacemaker computes the same from a negative value).
func stonithWatchdogTimeout(f *config.Fencing) time.Duration { return 2 * f.Watchdog }

// fenceDevice is the one device for all nodes. Every node's fencer may use it, wherever its monitor
// runs, and Pacemaker never lets the target do it itself; so it needs neither a second device nor a
// location.
func fenceDevice(p *config.DropletFencing, cur *crm.CIB, addresses bool) *crm.Primitive {
	d := &crm.Primitive{Name: contract.FenceID, Class: "stonith", Type: "fence_droplet"}
	for _, a := range fencing.AgentOptions(p) {
		d.Params.Set(a.Name, a.Value)
	}
	nodes := cur.Members()
	if p.Droplets == nil {
		d.Params.Set("pcmk_host_list", strings.Join(nodes, " "))
	} else {
		pairs := make([]string, len(p.Droplets))
		for i, n := range p.Droplets {
			pairs[i] = n.Node + ":" + n.Droplet
		}
		d.Params.Set("pcmk_host_map", strings.Join(pairs, ";"))
	}
	if len(nodes) == 2 && !addresses && p.Delay != "" {
		d.Params.Set("pcmk_delay_max", p.Delay) // no address says which of the two is worth more
	}
	d.Params.Set("pcmk_reboot_timeout", param.FormatDuration(fenceReboot))
	d.Params.Set("pcmk_off_timeout", param.FormatDuration(fenceOff))
	d.Params.Set("pcmk_monitor_timeout", param.FormatDuration(fenceMonitor))
	d.Ops = []crm.Op{
		operation("monitor", p.Monitor, fenceMonitor), operation("start", "0s", fenceMonitor),
	}
	d.Meta = crm.Attrs{{Name: "failure-timeout", Value: retryFencing}}
	return d
}

// priorities says how much each address matters in a race of two nodes that lost sight of each
// other and both reach the cloud: the node that would fence the one with the higher sum has to wait
// (node_priority_fencing_delay()). Each address counts more than all after it together, so that two
// nodes never have the same sum. It is nil if there is no such race.
func priorities(c *config.File, cur *crm.CIB) []string {
	if c.Fencing.Way != config.FencingDroplet || c.Fencing.Droplet.Delay == "" ||
		len(cur.Members()) != 2 || len(c.Addresses) == 0 {
		return nil
	}
	const most = 1 << 19 // INFINITY is 1,000,000
	out := make([]string, len(c.Addresses))
	for i := range c.Addresses {
		out[i] = strconv.Itoa(min(1<<min(len(c.Addresses)-1-i, 19), most))
	}
	return out
}

// ownsOption says whether hawser has set an option of the cluster.
func ownsOption(cib *crm.CIB, name string) bool {
	made := cib.Tagged(contract.TagID)
	return slices.ContainsFunc(cib.Objects(), func(o crm.Object) bool {
		p, ok := o.(*crm.Property)
		return ok && p.Keyword() == string(crm.ClusterProperty) && p.Name == name &&
			p.Set != contract.BeforeID && slices.Contains(made, p.ID())
	})
}

// disablesFencing says whether `fencing: off` has to switch Pacemaker's fencing off. A fencing
// device that somebody else configured and that is in use stays in use: the file accepts a cluster
// without fencing, it does not ask to remove fencing.
func disablesFencing(cur *crm.CIB) bool {
	if !cur.FencingEnabled() {
		return true
	}
	made := cur.Tagged(contract.TagID)
	for _, id := range fencing.Devices(cur) {
		if id == fencing.WatchdogDevice && ownsOption(cur, crm.WatchdogTimeout) ||
			slices.Contains(made, id) {
			continue // goes with this plan
		}
		return false
	}
	return true
}
