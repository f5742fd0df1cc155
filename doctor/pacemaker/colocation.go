package pacemaker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkColocation checks that each address is kept where HAProxy runs.
func checkColocation(v *view) []doctor.Finding {
	var found []doctor.Finding
	if len(v.haproxies()) == 0 {
		if own := inventory.Primitives(v.objects, inventory.IsFloatIP); len(own) > 0 {
			return []doctor.Finding{
				{
					Severity: doctor.Warning, Subject: own[0].Name,
					What: "the cluster has the address " +
						strings.Join(inventory.Names(own), ", ") + " and no HAProxy",
					Why: "nothing in the cluster says whether anything answers at that address",
					Fix: []string{"hawser apply -f hawser.yaml"},
				},
			}
		}
		return nil
	}
	for _, a := range v.addresses() {
		if inventory.IsFloatIP(a.Agent()) || !v.ofAnother(a.Name) {
			found = append(found, v.colocated(a)...)
		}
	}
	return found
}

// ofAnother reports whether an address belongs to something that is not HAProxy: it shares a group,
// or a constraint, with another service, and with no HAProxy.
func (v *view) ofAnother(address string) bool {
	mine := inventory.Family(v.objects, address)
	var with []string
	for _, o := range v.objects {
		var together []string
		switch o := o.(type) {
		case *crm.Group:
			together = o.Members
		case *crm.Colocation:
			together = append(inSets(o.Sets), o.Resource, o.With)
		case *crm.Order:
			together = append(inSets(o.Sets), o.First, o.Then)
		}
		if slices.ContainsFunc(together, func(id string) bool { return slices.Contains(mine, id) }) {
			with = append(with, together...)
		}
	}
	another := false
	for _, p := range v.primitives() {
		if !slices.ContainsFunc(inventory.Family(v.objects, p.Name), func(id string) bool {
			return slices.Contains(with, id) && !slices.Contains(mine, id)
		}) {
			continue
		}
		if inventory.RunsHAProxy(p.Agent()) {
			return false
		}
		another = another || !inventory.IsAddress(p.Agent())
	}
	return another
}

func inSets(sets []crm.ResourceSet) []string {
	var all []string
	for _, s := range sets {
		all = append(all, s.Resources...)
	}
	return all
}

// pairing is how an address and HAProxy are placed relative to each other.
type pairing struct {
	right, weak, apart, reversed *crm.Colocation
	sets                         []string // colocations of sets that name both
}

func (v *view) pairing(address string) pairing {
	var out pairing
	mine := inventory.Family(v.objects, address)
	haproxy := func(id string) bool {
		for _, h := range v.haproxies() {
			if slices.Contains(inventory.Family(v.objects, h.Name), id) {
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
				a = a ||
					slices.ContainsFunc(s.Resources,
						func(id string) bool { return slices.Contains(mine, id) })
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
		case haproxy(c.Resource) && slices.Contains(mine, c.With) &&
			!strings.HasPrefix(c.Score, "-"):
			out.reversed = c
		}
	}
	return out
}

func isInfinite(score string) bool {
	if score = strings.TrimPrefix(score, "+"); strings.EqualFold(score, crm.InfinityWord) ||
		strings.EqualFold(score, "inf") {
		return true
	}
	n, err := strconv.Atoi(score)
	return err == nil && n >= crm.Infinity
}

func (v *view) colocated(a *crm.Primitive) []doctor.Finding {
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
	want := &crm.Colocation{
		Name: contract.ColocationID(a.Name), Score: crm.InfinityWord, Resource: a.Name, With: with,
	}
	if g := v.ofGroup(a.Name); g != "" {
		want.Resource = g
	}
	f := doctor.Finding{
		Severity: doctor.Error, Subject: a.Name,
		Why: "it may be on a node whose HAProxy does not run, and stays there when HAProxy dies",
	}
	if !inventory.IsFloatIP(a.Agent()) {
		f.Severity = doctor.Warning // it may belong to another service
	}
	p := v.pairing(a.Name)
	switch {
	case p.right != nil && p.reversed == nil:
		return nil
	case p.apart != nil:
		f.What = fmt.Sprintf("%s is kept away from %s (constraint %s, score %s)", a.Name,
			p.apart.With, p.apart.Name, p.apart.Score)
		want.Name = p.apart.Name
	case p.reversed != nil && p.right != nil:
		f.Severity, f.What, f.Why = doctor.Warning, fmt.Sprintf(
			"%s and %s are each placed with the other (constraints %s and %s)", a.Name,
			p.reversed.Resource, p.right.Name, p.reversed.Name),
			"HAProxy runs only where the address is: when that node fails, the address waits "+
				"until another HAProxy has started"
		f.Fix = []string{"hawser configure delete " + doctor.Quote(p.reversed.Name)}
		return []doctor.Finding{f}
	case p.reversed != nil:
		f.What = fmt.Sprintf("the colocation %s is the wrong way round: %s with %s",
			p.reversed.Name, p.reversed.Resource, a.Name)
		f.Why = "HAProxy follows the address instead of the address following HAProxy: no other " +
			"node has " +
			"one ready, and a HAProxy that dies does not move the address"
		want.Name = p.reversed.Name
	case p.weak != nil:
		f.Severity, f.What = doctor.Warning, fmt.Sprintf(
			"%s only prefers to be with %s (constraint %s, score %s)", a.Name, p.weak.With,
			p.weak.Name, p.weak.Score)
		want.Name = p.weak.Name
	case len(p.sets) > 0:
		return []doctor.Finding{
			{
				Severity: doctor.Unknown, Subject: a.Name,
				What: fmt.Sprintf(
					"whether %s follows HAProxy: the colocation %s has sets of resources, which "+
						"are not read here",
					a.Name, strings.Join(p.sets, ", ")),
				Why: f.Why,
				Fix: []string{
					"crm_simulate --live-check --show-scores | grep " + doctor.Quote(a.Name),
				},
			},
		}
	default:
		f.What = a.Name + " is not kept with HAProxy: there is no colocation"
	}
	if on := v.withoutHAProxy(a.Name); on != "" {
		f.Why = "it is on " + on + " now, where HAProxy does not run: nothing answers there"
	}
	if _, taken := v.cib.Object(want.Name); taken && p.reversed == nil && p.weak == nil &&
		p.apart == nil {
		want.Name = a.Name + "-with-" + with
	}
	f.Fix = []string{doctor.Define(want)}
	return []doctor.Finding{f}
}

// withoutHAProxy returns the node that has the address but no HAProxy, "" if there is none.
func (v *view) withoutHAProxy(address string) string {
	for _, r := range v.status.Resources {
		if crm.ResourceOf(r.ID) != address || !r.Active || r.Node == "" {
			continue
		}
		for _, other := range v.status.Resources {
			for _, h := range v.haproxies() {
				if crm.ResourceOf(other.ID) == h.Name && other.Active && other.Node == r.Node {
					return ""
				}
			}
		}
		return r.Node
	}
	return ""
}
