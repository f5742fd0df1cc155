package pacemaker

import (
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
)

// checkRecovery finds what makes an address move more often than it must, or keeps a resource away
// for good.
func checkRecovery(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, a := range inventory.Primitives(v.objects, inventory.IsFloatIP) {
		if _, ok := v.meta(a.Name, "resource-stickiness"); !ok {
			found = append(found, doctor.Finding{
				Severity: doctor.Note, Subject: a.Name,
				What: a.Name + " has no resource-stickiness",
				Why:  "it may move back when a failed node returns: one more interruption",
				Fix:  []string{setMeta(a.Name, "resource-stickiness", "100")},
			})
		}
	}
	for _, p := range v.primitives() {
		if !inventory.IsFloatIP(p.Agent()) && !inventory.RunsHAProxy(p.Agent()) {
			continue
		}
		if _, ok := v.meta(p.Name, "failure-timeout"); !ok {
			wait := "60s"
			if inventory.RunsHAProxy(p.Agent()) {
				wait = "10s"
			}
			found = append(found, doctor.Finding{
				Severity: doctor.Note, Subject: p.Name, What: p.Name + " has no failure-timeout",
				Why: "a start that failed once keeps it off that node until somebody cleans it up",
				Fix: []string{setMeta(p.Name, "failure-timeout", wait)},
			})
		}
	}
	return found
}
