package adopt

import (
	"slices"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// unit is an address, or several that are always on the same node; the one by which the others are
// placed is first.
type unit struct {
	members []*config.Address
	name    string   // of a group of Pacemaker's that they are in, "" if there is none
	groups  []string // those in whose place hawser's group stands
	// stickiness is what keeps them where they are, together.
	stickiness int
}

func (u *unit) leader() *config.Address { return u.members[0] }

func (u *unit) has(id string) bool {
	return slices.Contains(u.groups, id) ||
		slices.ContainsFunc(u.members, func(a *config.Address) bool { return a.Name == id })
}

// readUnits finds out which addresses are always together, and writes the groups.
func (r *reader) readUnits() {
	for i := range r.file.Addresses {
		r.units = append(r.units, &unit{members: []*config.Address{&r.file.Addresses[i]}})
	}
	for _, o := range r.cib.Objects() {
		if g, ok := o.(*crm.Group); ok {
			r.unite(g)
		}
	}
	for _, o := range r.cib.Objects() {
		c, ok := o.(*crm.Colocation)
		if !ok {
			continue
		}
		resource, with, plain := c.Together()
		follower, first := r.unit(resource), r.unit(with)
		if !plain || follower == nil || first == nil {
			continue
		}
		if follower != first {
			first.take(follower)
			r.units = slices.DeleteFunc(r.units, func(u *unit) bool { return u == follower })
		}
		r.becomes(c, "the group of %s", first.leader().Name)
	}
	taken := map[string]bool{}
	for _, ip := range r.file.Addresses {
		taken[ip.Name] = true
	}
	for _, u := range r.units {
		u.stickiness = r.stickinessOf(u)
		if len(u.members) < 2 {
			continue
		}
		g := config.Group{Name: u.name}
		for n := u.leader().Name + "-together"; g.Name == "" || taken[g.Name]; n += "-too" {
			g.Name = n
		}
		taken[g.Name] = true
		for _, m := range u.members {
			g.Addresses = append(g.Addresses, config.Named{Name: m.Name})
		}
		r.file.Groups = append(r.file.Groups, g)
	}
}

// take takes the addresses of another unit, behind its own.
func (u *unit) take(other *unit) {
	u.members = append(u.members, other.members...)
	u.groups = append(u.groups, other.groups...)
	if u.name == "" {
		u.name = other.name
	}
}

// unit is the one that has the address or the group, nil if none has.
func (r *reader) unit(id string) *unit {
	for _, u := range r.units {
		if u.has(id) {
			return u
		}
	}
	return nil
}

// unite has the addresses of a group of Pacemaker's be together. hawser's group takes its place unless
// something else is in it.
func (r *reader) unite(g *crm.Group) {
	var first *unit
	others := false
	for _, id := range g.Members {
		u := r.unit(id)
		switch {
		case u == nil:
			others = others || id != r.haproxy.Name
		case first == nil:
			first = u
		case u != first:
			first.take(u)
			r.units = slices.DeleteFunc(r.units, func(other *unit) bool { return other == u })
		}
	}
	replaced := slices.Contains(r.family, g.Name)
	switch {
	case first == nil:
		return
	case others:
		r.remark("the group %s stays, since not only addresses are in it: what else is in it goes on "+
			"starting after them, where they are", g.Name)
		return
	case !replaced && heldBack(g):
		r.remark("the group %s stays, since it is kept stopped, or is not managed: `hawser configure "+
			"delete` removes it when its addresses are to run", g.Name)
		return
	}
	if first.name == "" {
		first.name = g.Name
	}
	first.groups = append(first.groups, g.Name)
	if replaced {
		return // which is so anyway
	}
	r.becomes(g, "the group of %s", first.leader().Name)
}

// heldBack says whether a group is kept stopped or is not managed: without it, its addresses would start.
func heldBack(g *crm.Group) bool {
	managed, set := g.Meta.Get("is-managed")
	return crm.KeptStopped(g) || set && crm.IsFalse(managed)
}

// stickinessOf is what keeps the unit where it is: Pacemaker adds up what each resource of a group
// weighs, and each that has to be where it is.
func (r *reader) stickinessOf(u *unit) int {
	var counted []string
	for _, o := range r.cib.Objects() {
		if g, ok := o.(*crm.Group); ok && slices.ContainsFunc(g.Members, u.has) {
			counted = append(counted, g.Members...)
		}
	}
	for _, m := range u.members {
		counted = append(counted, m.Name)
	}
	for i := 0; i < len(counted); i++ { // what has to be where they are, and what has to be where that is
		for _, o := range r.cib.Objects() {
			if c, ok := o.(*crm.Colocation); ok {
				resource, with, plain := c.Together()
				if plain && with == counted[i] && !slices.Contains(counted, resource) &&
					!slices.Contains(r.family, resource) {
					counted = append(counted, resource)
				}
			}
		}
	}
	sum := 0
	slices.Sort(counted)
	for _, id := range slices.Compact(counted) {
		sum += r.stickiness(id)
	}
	return min(sum, crm.Infinity)
}

// stickiness is what keeps a resource where it is: its own meta attribute, or that of its group, or the
// default of all resources.
func (r *reader) stickiness(id string) int {
	const name = "resource-stickiness"
	family := inventory.Family(r.objects, id)
	for _, in := range family {
		for _, o := range r.objects {
			if text, ok := crm.MetaOf(o).Get(name); ok && o.ID() == in {
				score, _ := crm.ScoreOf(text)
				return score
			}
		}
	}
	for _, o := range r.objects {
		if p, ok := o.(*crm.Property); ok && p.Section == crm.RscDefaults && p.Name == name {
			score, _ := crm.ScoreOf(p.Value)
			return score
		}
	}
	return 0
}
