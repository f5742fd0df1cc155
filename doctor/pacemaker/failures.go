package pacemaker

import (
	"fmt"
	"strconv"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkFailures reports what failed, once for each resource and node.
func checkFailures(v *view) []doctor.Finding {
	found := v.nowhere()
	seen := map[[2]string]bool{}
	for _, c := range v.history.fails {
		seen[[2]string{c.resource, c.node}] = true
		f := doctor.Finding{
			Severity: doctor.Warning, Node: c.node, Subject: c.resource,
			What: fmt.Sprintf("%s has failed on %s, fail count %s", c.resource, c.node, c.text()),
			Why:  "it is remembered until it is cleaned up, or for its failure-timeout",
		}
		if v.tooOften(c) {
			f.Severity, f.Why = doctor.Error, "that is as often as its migration-threshold "+
				"allows: it does not run on "+c.node+" any more"
			if wait, ok := v.meta(c.resource, "failure-timeout"); ok {
				f.Severity, f.Why = doctor.Warning, f.Why+" for its failure-timeout, "+wait
			}
		}
		if reason, ok := v.lastFailure(c.resource, c.node); ok {
			f.What += "; the last: " + reason
		}
		f.Fix = []string{
			"crm_resource --cleanup --resource " + doctor.Quote(c.resource) + " --node " +
				doctor.Quote(c.node) + "    # after its cause is fixed",
		}
		found = append(found, f)
	}
	for _, failure := range v.status.Failures {
		at := [2]string{crm.ResourceOf(failure.Resource), failure.Node}
		if seen[at] || v.isDevice(at[0]) {
			continue
		}
		seen[at] = true
		f := doctor.Finding{
			Severity: doctor.Warning, Node: failure.Node, Subject: at[0],
			What: at[0] + " has failed: " + describeFailure(failure),
			Why:  "it may be over: this is Pacemaker's record of it",
			Fix: []string{
				"crm_resource --cleanup --resource " + doctor.Quote(at[0]) + " --node " +
					doctor.Quote(failure.Node) + "    # after its cause is fixed",
			},
		}
		found = append(found, f)
	}
	return found
}

// nowhere reports the addresses and HAProxies that should run and run on no node: nobody is served
// there.
func (v *view) nowhere() []doctor.Finding {
	if !v.status.Quorum {
		return nil // which says nothing of the other nodes; quorum-policy reports it
	}
	var found []doctor.Finding
	for _, m := range v.status.Missing() {
		p, ok := v.cib.Primitive(m.ID)
		if !ok || !inventory.IsFloatIP(p.Agent()) && !inventory.RunsHAProxy(p.Agent()) {
			continue
		}
		f := doctor.Finding{
			Severity: doctor.Error, Subject: m.ID, What: m.String(), Why: "nobody is served by it",
			Fix: []string{"hawser status"},
		}
		if a, ok := inventory.AddressNamed(v.cib, m.ID); ok && a.IP != "" {
			f.Why = "nobody is served at " + a.IP
		}
		found = append(found, f)
	}
	return found
}

// isDevice reports whether the resource is a fence device, whose failures the check of fencing
// reports.
func (v *view) isDevice(id string) bool {
	for _, d := range v.fenceDevices() {
		if d.Name == id {
			return true
		}
	}
	return false
}

// tooOften reports whether the resource may no longer run on the node. Without a
// migration-threshold only a failed start or stop causes that, since Pacemaker counts it as
// INFINITY.
func (v *view) tooOften(c failCount) bool {
	if c.infinite {
		return true
	}
	word, _ := v.meta(c.resource, "migration-threshold")
	threshold, err := strconv.Atoi(word)
	return err == nil && threshold > 0 && c.count >= threshold
}
