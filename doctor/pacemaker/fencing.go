package pacemaker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// fenceDevices returns the fence devices that are configured.
func (v *view) fenceDevices() []*crm.Primitive {
	return filter(v.primitives(), func(p *crm.Primitive) bool { return p.Class == "stonith" })
}

func checkFencing(ctx context.Context, v *view) ([]doctor.Finding, error) {
	devices := v.fenceDevices()
	watchdog, used := v.cib.Watchdogs()
	on := v.cib.FencingEnabled()
	var found []doctor.Finding
	switch {
	case !on && len(devices) > 0:
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: crm.StonithEnabled,
			What: "fencing is off (stonith-enabled=false), although the device " +
				strings.Join(inventory.Names(devices), ", ") + " is configured",
			Why: "the device is never used: a node that hangs keeps what it holds",
			Fix: []string{"crm_attribute --name stonith-enabled --update true"},
		})
	case !on && used:
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: crm.StonithEnabled,
			What: "fencing is off (stonith-enabled=false), although stonith-watchdog-timeout " +
				"leaves failed nodes to their watchdogs",
			Why: "without quorum a node's watchdog may fire, but Pacemaker does not wait for it: " +
				"an address is taken while the other node may still hold it",
			Fix: []string{"crm_attribute --name stonith-enabled --update true"},
		})
	case !on:
		found = append(found, v.withoutFencing())
	case len(devices) == 0 && !watchdog:
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: crm.StonithEnabled,
			What: "fencing is on (stonith-enabled is not false), and there is no fence device",
			Why:  "Pacemaker will not start any resource",
			Todo: []string{configureFencing},
		})
	case len(devices) == 0 && !used:
		sbds, _ := v.readSBDs(ctx) // the check sbd reports what is not known about it
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: crm.WatchdogTimeout,
			What: "fencing is on, but only the nodes' watchdogs could do it, and " +
				"stonith-watchdog-timeout is not set",
			Why: "a failed node cannot be fenced, and its resources are not recovered",
			Fix: sbds.relyOnWatchdogs(),
		})
	}
	for _, d := range devices {
		found = append(found, v.checkDevice(d, on)...)
	}
	if on && !used {
		found = append(found, v.unfencedNodes()...)
	}
	return append(found, v.failedFences()...), nil
}

// unfencedNodes finds nodes that joined after the devices were configured, or were forgotten.
func (v *view) unfencedNodes() []doctor.Finding {
	var members []string
	for _, n := range v.status.Nodes {
		if n.Type == "" || n.Type == "member" {
			members = append(members, n.Name)
		}
	}
	var found []doctor.Finding
	for _, node := range v.cib.Unfenced(members) {
		todo := "add " + node + " to the pcmk_host_list of the device that can switch it off: " +
			strings.Join(members, " ")
		if slices.ContainsFunc(v.fenceDevices(),
			func(d *crm.Primitive) bool { return d.Type == "fence_droplet" }) {
			todo = "add " + node + " to `droplets:` in hawser.yaml if the file lists droplets, then " +
				"`hawser apply`"
		}
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: node,
			What: "no fence device is there for " + node +
				": neither pcmk_host_list nor pcmk_host_map of one names it",
			Why:  "when " + node + " fails it cannot be fenced, and its resources are not recovered",
			Todo: []string{todo},
		})
	}
	return found
}

// configureFencing names no command: stonith-enabled=true without a device stops all recovery.
const configureFencing = "write `fencing:` into hawser.yaml, then `hawser apply`: see " +
	"hawser.yaml(5). stonith-enabled=true alone, without a fence device, stops all recovery"

// withoutFencing says what can go wrong with the addresses of this cluster.
func (v *view) withoutFencing() doctor.Finding {
	f := doctor.Finding{
		Severity: doctor.Warning, Subject: crm.StonithEnabled,
		What: "there is no fencing (stonith-enabled=false)",
		Why: "nothing guarantees that an unreachable node is down before another takes over; " +
			"the providers of these addresses still keep each on one node",
		Todo: []string{configureFencing},
	}
	if twice := inventory.AddressesHeldTwice(v.objects); len(twice) > 0 {
		f.Severity = doctor.Error
		f.Why = "a node that hangs or is cut off may keep " +
			strings.Join(inventory.Names(twice), ", ") +
			" while another one takes it: both then answer for the same address"
	}
	return f
}

func (v *view) checkDevice(d *crm.Primitive, on bool) []doctor.Finding {
	var found []doctor.Finding
	if !slices.ContainsFunc(d.Ops,
		func(op crm.Op) bool {
			return op.Name == "monitor" && positive(op.Interval) &&
				!disabled(op)
		}) {
		better := *d
		better.Ops = append(slices.Clone(d.Ops), crm.Op{Name: "monitor", Interval: "1h"})
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: d.Name,
			What: "the fence device " + d.Name + " has no monitor",
			Why:  "broken credentials or a broken path show only when a node has to be fenced",
			Fix:  []string{doctor.Define(&better)},
		})
	}
	if !on {
		return found
	}
	active := false
	for _, r := range v.status.Resources {
		if crm.ResourceOf(r.ID) == d.Name {
			active = active || r.Active && !r.Failed
		}
	}
	if reason, failed := v.lastFailure(d.Name, ""); failed || !active {
		what := "the fence device " + d.Name + " is not running on any node"
		if failed {
			what = "the fence device " + d.Name + " has failed: " + reason
		}
		severity := doctor.Error
		if active {
			severity = doctor.Warning // it has been started again
		}
		found = append(found, doctor.Finding{
			Severity: severity, Subject: d.Name, What: what,
			Why: "it cannot fence a failed node, whose resources are then not recovered",
			Fix: []string{
				"crm_resource --cleanup --resource " + doctor.Quote(d.Name) +
					"    # after its cause is fixed",
			},
		})
	}
	return found
}

// failedFences finds nodes that could not be fenced the last time.
func (v *view) failedFences() []doctor.Finding {
	last := map[string]crm.FenceEvent{}
	for _, f := range v.status.Fences {
		if old, ok := last[f.Target]; !ok || f.Time.After(old.Time) {
			last[f.Target] = f
		}
	}
	var found []doctor.Finding
	for _, f := range last {
		if f.Status != "failed" {
			continue
		}
		what := fmt.Sprintf("%s could not be fenced the last time (%s)", f.Target, f.Action)
		if f.Reason != "" {
			what += ": " + f.Reason
		}
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Node: f.Target, What: what,
			Why: "its resources are not recovered until it is fenced or known to be off",
			Fix: []string{
				"stonith_admin --history " + doctor.Quote(f.Target) + " --verbose",
				"stonith_admin --cleanup --history " + doctor.Quote(f.Target) +
					"    # once it works: clears this",
			},
		})
	}
	return found
}

// lastFailure returns why a resource last failed, on one node or on any.
func (v *view) lastFailure(id, node string) (reason string, ok bool) {
	var last crm.Failure
	for _, f := range v.status.Failures {
		if crm.ResourceOf(f.Resource) == id && (node == "" || f.Node == node) &&
			(!ok || f.Time.After(last.Time)) {
			last, ok = f, true
		}
	}
	if !ok {
		return "", false
	}
	return describeFailure(last), true
}

func describeFailure(f crm.Failure) string {
	text := fmt.Sprintf("%s on %s: %s", f.Task, f.Node, f.Meaning)
	if f.Status != "" && f.Status != "complete" && !strings.EqualFold(f.Status, "done") {
		text += " (" + strings.ToLower(f.Status) + ")"
	}
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	if !f.Time.IsZero() {
		text += ", at " + f.Time.Format("2006-01-02 15:04:05 MST")
	}
	return text
}
