package pacemaker

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkClone checks that HAProxy runs on every node, each on its own.
func checkClone(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, p := range v.haproxies() {
		c := v.cloneOf(p.Name)
		if c == nil {
			clone := &crm.Clone{
				Name: p.Name + "-clone", Resource: p.Name,
				Meta: crm.Attrs{{Name: "interleave", Value: "true"}},
			}
			if v.ofGroup(p.Name) != "" {
				// with its address: another design, in which HAProxy starts where the address goes
				continue
			}
			found = append(found, doctor.Finding{
				Severity: doctor.Error, Subject: p.Name,
				What: p.Name + " runs on one node only: it is not cloned",
				Why:  "when that node fails, the address waits until HAProxy has started elsewhere",
				// Pacemaker ignores constraints that still name what has been put into a clone.
				Fix: []string{doctor.Define(append([]crm.Object{clone},
					crm.Retarget(v.objects, p.Name, clone.Name)...)...)},
			})
			continue
		}
		if value, _ := c.Meta.Get("interleave"); !crm.IsTrue(value) {
			found = append(found, doctor.Finding{
				Severity: doctor.Warning, Subject: c.Name, What: c.Name + " is not interleaved",
				Why: "a clone that is ordered or placed with it waits for HAProxy on all nodes, " +
					"and restarts everywhere when one node's does",
				Fix: []string{setMeta(c.Name, "interleave", "true")},
			})
		}
		if value, _ := c.Meta.Get("globally-unique"); crm.IsTrue(value) {
			found = append(found, doctor.Finding{
				Severity: doctor.Warning, Subject: c.Name, What: c.Name + " is globally unique",
				Why: "Pacemaker may start several HAProxies on one node, of which only the first " +
					"can bind its addresses",
				Fix: []string{
					unsetMeta(c.Name, "globally-unique") +
						"    # stops and starts it on every node, all at once",
				},
			})
		}
		nodes := len(
			filter(v.status.Nodes, func(n crm.NodeStatus) bool { return !n.Remote() }))
		if value, ok := c.Meta.Get("clone-max"); ok {
			if most, err := strconv.Atoi(value); err == nil && most < nodes {
				found = append(found, doctor.Finding{
					Severity: doctor.Warning, Subject: c.Name,
					What: fmt.Sprintf("%s runs on %d of %d nodes (clone-max=%s)", c.Name, most,
						nodes, value),
					Why: "an address cannot move elsewhere",
					Fix: []string{unsetMeta(c.Name, "clone-max")},
				})
			}
		}
	}
	return found
}

// ofGroup returns the group of a resource, "" if it is in none.
func (v *view) ofGroup(id string) string {
	for _, o := range v.objects {
		if g, ok := o.(*crm.Group); ok && slices.Contains(g.Members, id) {
			return g.Name
		}
	}
	return ""
}
