package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Effective lists the same as Objects, but with each primitive that is made from a template as
// Pacemaker runs it: the template's agent and settings fill in what it does not define itself. Such
// a primitive has both an agent and a Template, and is for reading, not for writing. See
// unpack_template() of Pacemaker 2.1 (lib/pengine/complex.c).
func (c *CIB) Effective() []Object {
	templates := map[string]*Primitive{}
	if resources := c.configuration().SelectElement("resources"); resources != nil {
		for id, t := range templatesOf(resources) {
			templates[id] = decodePrimitive(t)
		}
	}
	objects := c.Objects()
	for i, o := range objects {
		if p, ok := o.(*Primitive); ok && templates[p.Template] != nil {
			objects[i] = p.made(templates[p.Template])
		}
	}
	return objects
}

// Primitive finds a primitive among those that Effective lists.
func (c *CIB) Primitive(id string) (p *Primitive, ok bool) {
	for _, o := range c.Effective() {
		if p, ok = o.(*Primitive); ok && p.Name == id {
			return p, true
		}
	}
	return nil, false
}

// made returns the primitive with what the template adds.
func (o *Primitive) made(from *Primitive) *Primitive {
	out := *o
	out.Class, out.Provider, out.Type = from.Class, from.Provider, from.Type
	out.Params, out.Meta = o.Params.or(from.Params), o.Meta.or(from.Meta)
	out.Utilization = o.Utilization.or(from.Utilization)
	out.extra = append(slices.Clone(o.extra), from.extra...)
	// The primitive's operation replaces all of the template's with the same name and role,
	// whatever their intervals.
	own := map[string]bool{}
	for _, op := range o.Ops {
		own[op.nameAndRole()] = true
	}
	out.Ops = slices.Clone(o.Ops)
	for _, op := range from.Ops {
		if !own[op.nameAndRole()] {
			out.Ops = append(out.Ops, op)
		}
	}
	return &out
}

// nameAndRole tells operations apart as unpack_template() does: started and unpromoted are the same
// as no role.
func (o Op) nameAndRole() string {
	role, _ := o.Attrs.Get("role")
	switch strings.ToLower(role) {
	case "started", "unpromoted", "slave":
		role = ""
	}
	return o.Name + " " + role
}

// or returns the list plus those of the other that it lacks.
func (a Attrs) or(other Attrs) Attrs {
	out := slices.Clone(a)
	for _, at := range other {
		if _, ok := a.Get(at.Name); !ok {
			out = append(out, at)
		}
	}
	return out
}

// templatesOf lists the resource templates by their ids.
func templatesOf(resources *etree.Element) map[string]*etree.Element {
	all := map[string]*etree.Element{}
	for _, t := range resources.SelectElements("template") {
		all[value(t, "id")] = t
	}
	return all
}
