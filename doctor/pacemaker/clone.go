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
				Fix: []string{
					doctor.Define(append([]crm.Object{clone}, v.renamed(p.Name, clone.Name)...)...),
				},
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
			filter(v.status.Nodes, func(n crm.NodeStatus) bool { return n.Type != "remote" }))
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

// renamed returns the constraints that name a resource, with another name in its place: Pacemaker
// ignores those that still name what has been put into a clone.
func (v *view) renamed(from, to string) []crm.Object {
	swap := func(names ...*string) (changed bool) {
		for _, n := range names {
			if *n == from {
				*n, changed = to, true
			}
		}
		return changed
	}
	inSets := func(sets []crm.ResourceSet) (out []crm.ResourceSet, changed bool) {
		for _, s := range sets {
			s.Resources = slices.Clone(s.Resources)
			for i := range s.Resources {
				changed = swap(&s.Resources[i]) || changed
			}
			out = append(out, s)
		}
		return out, changed
	}
	var all []crm.Object
	for _, o := range v.objects {
		switch o := o.(type) {
		case *crm.Colocation:
			c := *o
			sets, changed := inSets(c.Sets)
			c.Sets = sets
			if swap(&c.Resource, &c.With) || changed {
				all = append(all, &c)
			}
		case *crm.Order:
			c := *o
			sets, changed := inSets(c.Sets)
			c.Sets = sets
			if swap(&c.First, &c.Then) || changed {
				all = append(all, &c)
			}
		case *crm.Location:
			c := *o
			sets, changed := inSets(c.Sets)
			c.Sets = sets
			if swap(&c.Resource) || changed {
				all = append(all, &c)
			}
		}
	}
	return all
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
