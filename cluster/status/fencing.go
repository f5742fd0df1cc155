package status

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

// addFencer adds a fencing device. One that failed leaves all addresses where they are: the cluster
// works until a node fails.
func (r *Report) addFencer(res crm.ResourceStatus, cib *crm.CIB, is Is, st State) {
	if !r.Pacemaker.Fencing {
		is, st = is+FencingOff, Degraded
	}
	if st == Failed {
		st = Degraded
	}
	r.State = worst(r.State, st)
	f := Fencer{Device: res.ID, Agent: res.Agent, State: st, Is: is, Node: res.Node,
		Reason: res.Reason}
	switch {
	case is == StoppedOnPurpose:
		f.Reason = "its target role is Stopped: it fences no node"
	case st == Degraded && f.Reason == "" && f.Agent == contract.FenceDropletAgent && cib != nil:
		// Pacemaker does not keep the reason that a fence agent gives.
		if p, ok := cib.Primitive(f.Device); ok {
			f.Reason = fmt.Sprintf("`fence_droplet%s -o monitor` says why", agentFlags(p.Params))
		}
	}
	r.Pacemaker.Fencers = append(r.Pacemaker.Fencers, f)
}

// addNotFenced adds the nodes that no device would fence.
func (r *Report) addNotFenced(cib *crm.CIB) {
	if cib == nil || !r.Pacemaker.Fencing {
		return
	}
	if left := fencing.NotFenced(cib); len(left) > 0 {
		r.Pacemaker.NotFenced = left
		r.State = worst(r.State, Degraded)
	}
}

// agentFlags returns the device's options that the fence agent itself reads, as its flags.
func agentFlags(params crm.Attrs) (flags string) {
	for _, name := range []string{"token_file", "tag", "api_url", "metadata_url"} {
		if value, ok := params.Get(name); ok {
			flags += " --" + strings.ReplaceAll(name, "_", "-") + "=" + value
		}
	}
	return flags
}

// addWatchdog adds the nodes' watchdogs if fencing is left to them.
func (r *Report) addWatchdog(cib *crm.CIB) {
	if cib == nil || !r.Pacemaker.Fencing {
		return
	}
	if _, used := cib.Watchdogs(); !used {
		if len(r.Pacemaker.Fencers) == 0 {
			r.State = worst(r.State, Degraded)
		}
		return
	}
	f := Fencer{Device: fencing.WatchdogDevice, Agent: "sbd", State: OK, Is: Running,
		Reason: "the nodes' watchdogs"}
	wait, _ := cib.Property(crm.WatchdogTimeout)
	if d, err := param.ParseDuration(wait); err == nil && d > 0 {
		f.WaitSeconds = d.Seconds()
		f.Reason = fmt.Sprintf("the nodes' watchdogs; an unreachable node counts as down after "+
			"%v", d)
	}
	r.Pacemaker.Fencers = append(r.Pacemaker.Fencers, f)
}

// String is the device in a few words: "fence-droplet on lb-2".
func (f Fencer) String() string {
	switch {
	case f.Device == fencing.WatchdogDevice:
		return "SBD"
	case f.Is == Running:
		return f.Device + " on " + f.Node
	case f.Node != "":
		return f.Device + " " + string(f.Is) + " on " + f.Node
	}
	return f.Device + " " + string(f.Is)
}
