package adopt

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// tied says whether a colocation or a group has the address run where HAProxy runs, or where an address
// does of which that is so.
func (r *reader) tied(address string) bool { return slices.Contains(r.tiedOnes, address) }

// findTied finds the addresses that are tied to HAProxy, at once or by another.
func (r *reader) findTied() {
	all := inventory.Primitives(r.objects, inventory.IsAddress)
	for {
		before := len(r.tiedOnes)
		for _, p := range all {
			if !r.tied(p.Name) && (r.tiedToHAProxy(p.Name) || r.tiedToAnother(p.Name)) {
				r.tiedOnes = append(r.tiedOnes, p.Name)
			}
		}
		if len(r.tiedOnes) == before {
			return
		}
	}
}

// tiedToAnother says whether the address has to be where one is that is tied, or the other way round.
func (r *reader) tiedToAnother(address string) bool {
	own := inventory.Family(r.objects, address)
	return slices.ContainsFunc(r.tiedOnes, func(id string) bool {
		other := inventory.Family(r.objects, id)
		if slices.ContainsFunc(own, func(in string) bool { return slices.Contains(other, in) }) {
			return true
		}
		return slices.ContainsFunc(r.objects, func(o crm.Object) bool {
			c, ok := o.(*crm.Colocation)
			if !ok {
				return false
			}
			resource, with, plain := c.Together()
			return plain && (slices.Contains(own, resource) && slices.Contains(other, with) ||
				slices.Contains(other, resource) && slices.Contains(own, with))
		})
	})
}

func (r *reader) tiedToHAProxy(address string) bool {
	family := inventory.Family(r.objects, address)
	if slices.ContainsFunc(family, func(id string) bool { return slices.Contains(r.family, id) }) {
		return true
	}
	return slices.ContainsFunc(r.objects, func(o crm.Object) bool {
		c, ok := o.(*crm.Colocation)
		return ok && !strings.HasPrefix(c.Score, "-") && r.between(names(c), family)
	})
}

// between says whether the names hold one of an address's family, and one of HAProxy's.
func (r *reader) between(names, family []string) bool {
	has := func(these []string) bool {
		return slices.ContainsFunc(names, func(id string) bool { return slices.Contains(these, id) })
	}
	return has(family) && has(r.family)
}

// names lists the resources that a constraint is about.
func names(o crm.Object) []string {
	var all []string
	var sets []crm.ResourceSet
	switch c := o.(type) {
	case *crm.Colocation:
		all, sets = []string{c.Resource, c.With}, c.Sets
	case *crm.Order:
		all, sets = []string{c.First, c.Then}, c.Sets
	case *crm.Location:
		all, sets = []string{c.Resource}, c.Sets
	}
	for _, s := range sets {
		all = append(all, s.Resources...)
	}
	return slices.DeleteFunc(all, func(id string) bool { return id == "" })
}

// replaces says whether hawser makes something in the place of the object: of a container of HAProxy
// and its addresses, and of what ties an address to HAProxy and orders the two.
func (r *reader) replaces(o crm.Object) bool {
	switch o := o.(type) {
	case *crm.Clone:
		return slices.Contains(r.family, o.Name)
	case *crm.Group:
		return slices.Contains(r.family, o.Name)
	case *crm.Colocation:
		return len(o.Sets) == 0 && !strings.HasPrefix(o.Score, "-") && r.pair(o)
	case *crm.Order:
		return len(o.Sets) == 0 && r.pair(o)
	}
	return false
}

// pair says whether a constraint is about an address that is adopted, and HAProxy.
func (r *reader) pair(o crm.Object) bool {
	return slices.ContainsFunc(r.addresses, func(p *crm.Primitive) bool {
		return r.between(names(o), inventory.Family(r.objects, p.Name))
	})
}

// tie remembers a constraint between an address and HAProxy.
func (r *reader) tie(o crm.Object) {
	switch o.(type) {
	case *crm.Colocation, *crm.Order:
	default:
		return
	}
	if !r.pair(o) || r.replaced[o.ID()] {
		return
	}
	for _, id := range names(o) {
		if !slices.Contains(r.family, id) {
			r.found.ties = append(r.found.ties, tie{o.ID(), id})
		}
	}
}

// checkOthers refuses what would lack a resource afterwards, and says what is different for the
// constraints that stay.
func (r *reader) checkOthers(wanted map[string]bool) error {
	gone := func(id string) bool { return slices.Contains(r.found.Taken, id) && !wanted[id] }
	for _, o := range r.cib.Objects() {
		if slices.Contains(r.found.Taken, o.ID()) {
			if order, ok := o.(*crm.Order); ok && !wanted[o.ID()] && !r.replaced[o.ID()] {
				r.remark("the order %s goes: hawser has none that delays the start of an address, "+
					"and has addresses leave before HAProxy stops", order.Name)
			}
			continue
		}
		for _, id := range names(o) {
			if gone(id) {
				return outcome.Usagef("%s names %s, which hawser has under another name: delete that "+
					"constraint (`hawser configure delete %s`), adopt, and define it again for %s; "+
					"nothing was changed", crm.Title(o), id, o.ID(), r.under(id))
			}
		}
		if l, ok := o.(*crm.Location); ok {
			r.weigh(l)
		}
	}
	return nil
}

// under is the name under which hawser has what was called id.
func (r *reader) under(id string) string {
	if id == r.haproxy.Name {
		return contract.HAProxyID
	}
	if u := r.unit(id); u != nil {
		return u.leader().Name
	}
	return contract.CloneID
}

// weigh says what a location of an address that stays does from now on, such as that it no longer brings
// the address back.
func (r *reader) weigh(l *crm.Location) {
	adopted := slices.ContainsFunc(r.addresses, func(p *crm.Primitive) bool {
		return p.Name == l.Resource
	})
	if !adopted {
		return
	}
	node, score, plain := l.Preference()
	stickiness := deploy.Stickiness()
	switch {
	case strings.HasPrefix(l.Name, "cli-"):
		r.remark("the location %s stays: `crm_resource` left it behind, and for as long as it is there it "+
			"decides where %s is (`crm_resource --clear --resource %[2]s` ends that)", l.Name, l.Resource)
	case !plain:
		r.remark("the location %s stays as it is: it says more of %s than one node and a score, which is "+
			"all that prefer takes over", l.Name, l.Resource)
	case score < 0:
		r.remark("the location %s stays, and goes on keeping %s off %s: hawser.yaml has no key for that",
			l.Name, l.Resource, node)
	case score > 0 && score <= stickiness:
		r.remark("the location %s stays, and its score of %d no longer brings %s back to %s: an "+
			"address of hawser's has a stickiness of %d", l.Name, score, l.Resource, node,
			stickiness)
	}
}
