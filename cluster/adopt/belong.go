package adopt

import (
	"slices"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// readBelongings makes entries of resources of the colocations and orders that tie another resource to an
// address.
func (r *reader) readBelongings() {
	var all []*config.Belonging
	entry := func(id string) *config.Belonging {
		for _, b := range all {
			if b.ID == id {
				return b
			}
		}
		all = append(all, &config.Belonging{ID: id})
		return all[len(all)-1]
	}
	for _, o := range r.cib.Objects() {
		switch o := o.(type) {
		case *crm.Colocation:
			resource, with, plain := o.Together()
			u := r.unit(with)
			if !plain || u == nil || !r.foreign(resource) {
				continue
			}
			if b := entry(resource); b.With == "" {
				b.With = u.named(with)
				r.becomes(o, "resources: %s with %s", resource, b.With)
			}
		case *crm.Order:
			first, then, plain := o.Follows()
			u := r.unit(first)
			if !plain || u == nil || !r.foreign(then) {
				continue
			}
			if b := entry(then); b.After == "" {
				b.After = u.last(first)
				r.becomes(o, "resources: %s after %s", then, b.After)
			}
		}
	}
	for _, b := range all {
		r.file.Resources = append(r.file.Resources, *b)
	}
}

// named is the address that a constraint about the unit means.
func (u *unit) named(id string) string {
	if slices.Contains(u.groups, id) {
		return u.leader().Name
	}
	return id
}

// last is the address after which something starts: the last one of a group, as Pacemaker starts them.
func (u *unit) last(id string) string {
	if slices.Contains(u.groups, id) {
		return u.members[len(u.members)-1].Name
	}
	return id
}

// foreign says whether the id is that of a resource which is neither an address that is adopted nor
// HAProxy.
func (r *reader) foreign(id string) bool {
	if r.unit(id) != nil || slices.Contains(r.family, id) {
		return false
	}
	o, ok := r.cib.Object(id)
	if !ok {
		return false
	}
	switch o := o.(type) {
	case *crm.Primitive, *crm.Clone:
		return true
	case *crm.Group:
		return !slices.ContainsFunc(o.Members, func(m string) bool { return r.unit(m) != nil })
	}
	return false
}
