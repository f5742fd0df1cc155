package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// checkClone looks whether HAProxy runs on every node, each on its own.
func checkClone(v *clusterView) []Finding {
	var found []Finding
	for _, p := range v.haproxies() {
		c := v.cloneOf(p.Name)
		if c == nil {
			clone := &crm.Clone{Name: p.Name + "-clone", Resource: p.Name, Meta: crm.Attrs{{Name: "interleave", Value: "true"}}}
			if v.ofGroup(p.Name) != "" {
				continue // with its address: another design, in which HAProxy starts where the address goes
			}
			found = append(found, Finding{Severity: Error, Subject: p.Name, What: p.Name + " runs on one node only: it is not cloned",
				Why: "when that node is lost, the address waits until HAProxy has started elsewhere", Fix: []string{define(append([]crm.Object{clone}, v.renamed(p.Name, clone.Name)...)...)}})
			continue
		}
		if value, _ := c.Meta.Get("interleave"); !saysYes(value) {
			found = append(found, Finding{Severity: Warning, Subject: c.Name, What: c.Name + " is not interleaved",
				Why: "a clone that is ordered or placed with it waits for HAProxy on all nodes, and restarts everywhere when one node's does", Fix: []string{setMeta(c.Name, "interleave", "true")}})
		}
		if value, _ := c.Meta.Get("globally-unique"); saysYes(value) {
			found = append(found, Finding{Severity: Warning, Subject: c.Name, What: c.Name + " is globally unique",
				Why: "Pacemaker may start several HAProxies on one node, of which only the first can bind its addresses", Fix: []string{unsetMeta(c.Name, "globally-unique") + "    # stops and starts it on every node, all at once"}})
		}
		nodes := len(filter(v.status.Nodes, func(n crm.NodeStatus) bool { return n.Type != "remote" }))
		if value, ok := c.Meta.Get("clone-max"); ok {
			if most, err := strconv.Atoi(value); err == nil && most < nodes {
				found = append(found, Finding{Severity: Warning, Subject: c.Name, What: fmt.Sprintf("%s runs on %d of %d nodes (clone-max=%s)", c.Name, most, nodes, value),
					Why: "an address can go nowhere else", Fix: []string{unsetMeta(c.Name, "clone-max")}})
			}
		}
	}
	return found
}

// renamed are the constraints that name a resource, with another name in its place: Pacemaker ignores those that go on naming what has been
// put into a clone.
func (v *clusterView) renamed(from, to string) []crm.Object {
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

// ofGroup is the group in which the resource stands, "" if in none.
func (v *clusterView) ofGroup(id string) string {
	for _, o := range v.objects {
		if g, ok := o.(*crm.Group); ok && slices.Contains(g.Members, id) {
			return g.Name
		}
	}
	return ""
}

// checkColocation looks whether each address is kept where HAProxy runs.
func checkColocation(v *clusterView) []Finding {
	var found []Finding
	if len(v.haproxies()) == 0 {
		if own := filter(v.addresses(), isFloatIP); len(own) > 0 {
			return []Finding{{Severity: Warning, Subject: own[0].Name, What: "the cluster has the address " + ids(own) + " and no HAProxy",
				Why: "nothing of the cluster says whether anybody answers at that address", Fix: []string{"hawser apply -f hawser.yaml"}}}
		}
		return nil
	}
	for _, a := range v.addresses() {
		found = append(found, v.colocated(a)...)
	}
	return found
}

// pairing is how an address and HAProxy are placed to each other.
type pairing struct {
	right, weak, apart, reversed *crm.Colocation
	sets                         []string // colocations of sets that name both
}

func (v *clusterView) pairing(address string) pairing {
	var out pairing
	mine := v.family(address)
	haproxy := func(id string) bool {
		for _, h := range v.haproxies() {
			if slices.Contains(v.family(h.Name), id) {
				return true
			}
		}
		return false
	}
	for _, o := range v.objects {
		c, ok := o.(*crm.Colocation)
		if !ok {
			continue
		}
		if len(c.Sets) > 0 {
			var a, h bool
			for _, s := range c.Sets {
				a = a || slices.ContainsFunc(s.Resources, func(id string) bool { return slices.Contains(mine, id) })
				h = h || slices.ContainsFunc(s.Resources, haproxy)
			}
			if a && h {
				out.sets = append(out.sets, c.Name)
			}
			continue
		}
		switch {
		case slices.Contains(mine, c.Resource) && haproxy(c.With):
			switch score := c.Score; {
			case isInfinite(score) && c.NodeAttribute == "":
				out.right = c
			case strings.HasPrefix(score, "-"):
				out.apart = c
			default:
				out.weak = c
			}
		case haproxy(c.Resource) && slices.Contains(mine, c.With) && !strings.HasPrefix(c.Score, "-"):
			out.reversed = c
		}
	}
	return out
}

func isInfinite(score string) bool {
	if score = strings.TrimPrefix(score, "+"); strings.EqualFold(score, contract.Infinity) || strings.EqualFold(score, "inf") {
		return true
	}
	n, err := strconv.Atoi(score)
	return err == nil && n >= contract.InfinityScore
}

func (v *clusterView) colocated(a *crm.Primitive) []Finding {
	if g := v.ofGroup(a.Name); g != "" {
		for _, h := range v.haproxies() {
			if v.ofGroup(h.Name) == g {
				return nil
			}
		}
	}
	h := v.haproxies()[0]
	with := h.Name
	if c := v.cloneOf(h.Name); c != nil {
		with = c.Name
	}
	want := &crm.Colocation{Name: contract.ColocationID(a.Name), Score: contract.Infinity, Resource: a.Name, With: with}
	if g := v.ofGroup(a.Name); g != "" {
		want.Resource = g
	}
	f := Finding{Severity: Error, Subject: a.Name, Why: "it may be on a node whose HAProxy does not run, and stays there when HAProxy dies"}
	if !isFloatIP(a) {
		f.Severity = Warning // it may be of another service
	}
	p := v.pairing(a.Name)
	switch {
	case p.right != nil && p.reversed == nil:
		return nil
	case p.apart != nil:
		f.What = fmt.Sprintf("%s is kept away from %s (constraint %s, score %s)", a.Name, p.apart.With, p.apart.Name, p.apart.Score)
		want.Name = p.apart.Name
	case p.reversed != nil && p.right != nil:
		f.Severity, f.What, f.Why = Warning, fmt.Sprintf("%s and %s are each placed with the other (constraints %s and %s)", a.Name, p.reversed.Resource, p.right.Name, p.reversed.Name),
			"HAProxy runs only where the address is: when that node is lost, the address waits until another HAProxy has started"
		f.Fix = []string{"hawser configure delete " + quote(p.reversed.Name)}
		return []Finding{f}
	case p.reversed != nil:
		f.What = fmt.Sprintf("the colocation %s is the wrong way round: %s with %s", p.reversed.Name, p.reversed.Resource, a.Name)
		f.Why = "HAProxy follows the address instead of the address HAProxy: no other node has one ready, and a HAProxy that dies does not move the address"
		want.Name = p.reversed.Name
	case p.weak != nil:
		f.Severity, f.What = Warning, fmt.Sprintf("%s only prefers to be with %s (constraint %s, score %s)", a.Name, p.weak.With, p.weak.Name, p.weak.Score)
		want.Name = p.weak.Name
	case len(p.sets) > 0:
		return []Finding{{Severity: Unknown, Subject: a.Name, What: fmt.Sprintf("whether %s follows HAProxy: the colocation %s has sets of resources, which are not read here", a.Name, strings.Join(p.sets, ", ")),
			Why: f.Why, Fix: []string{"crm_simulate --live-check --show-scores | grep " + quote(a.Name)}}}
	default:
		f.What = a.Name + " is not kept with HAProxy: there is no colocation"
	}
	if on := v.withoutHAProxy(a.Name); on != "" {
		f.Why = "it is on " + on + " now, where HAProxy does not run: nobody answers there"
	}
	if _, taken := v.cib.Object(want.Name); taken && p.reversed == nil && p.weak == nil && p.apart == nil {
		want.Name = a.Name + "-with-" + with
	}
	f.Fix = []string{define(want)}
	return []Finding{f}
}

// withoutHAProxy is the node on which the address is and HAProxy is not, "" if there is none.
func (v *clusterView) withoutHAProxy(address string) string {
	for _, r := range v.status.Resources {
		if withoutInstance(r.ID) != address || !r.Active || r.Node == "" {
			continue
		}
		for _, other := range v.status.Resources {
			for _, h := range v.haproxies() {
				if withoutInstance(other.ID) == h.Name && other.Active && other.Node == r.Node {
					return ""
				}
			}
		}
		return r.Node
	}
	return ""
}
