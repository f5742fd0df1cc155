package crm

import (
	"slices"
	"strings"
)

// Pacemaker tells nodes apart by their names (uname), whatever their case, and gives each an id of
// its own making. Two entries of one name are two nodes to its scheduler, of which one is never
// seen: with fencing, the machine that has the name is fenced for it.

// identified returns the objects with the id that the configuration has for each node that is named
// only by its uname; a node that is not there yet has its uname for an id. Such a definition that
// says nothing about the node changes nothing of it.
func (c *CIB) identified(objects []Object) []Object {
	out := slices.Clone(objects)
	for i, o := range out {
		n, ok := o.(*Node)
		if !ok || n.NodeID != "" {
			continue
		}
		named := *n
		named.NodeID = n.Uname
		if cur := c.nodeCalled(n.Uname); cur != nil {
			if n.Description == "" && len(n.Attributes)+len(n.Utilization)+len(n.extra) == 0 {
				named = *cur
			}
			named.NodeID, named.Uname = cur.NodeID, cur.Uname
			if named.Type = n.Type; named.Type == "" {
				named.Type = cur.Type
			}
		}
		out[i] = &named
	}
	return out
}

// Merged returns the node as it would be with the definition's attributes besides those that it has;
// a node that is not there yet is what the definition says.
func (c *CIB) Merged(n *Node) *Node {
	there, ok := c.Counterpart(n)
	if !ok {
		return n
	}
	cur := there.(*Node)
	merged := *n
	merged.Attributes, merged.Utilization = cur.Attributes, cur.Utilization
	for _, a := range n.Attributes {
		merged.Attributes = merged.Attributes.with(a)
	}
	for _, a := range n.Utilization {
		merged.Utilization = merged.Utilization.with(a)
	}
	if n.Description == "" {
		merged.Description = cur.Description
	}
	merged.extra = append(slices.Clone(cur.extra), n.extra...)
	return &merged
}

// with returns a copy of the list that has the attribute.
func (a Attrs) with(at Attr) Attrs {
	out := slices.Clone(a)
	out.Set(at.Name, at.Value)
	return out
}

func (c *CIB) nodeCalled(uname string) *Node {
	for _, o := range c.objects() {
		if n, ok := o.(*Node); ok && strings.EqualFold(n.Uname, uname) {
			return n
		}
	}
	return nil
}

// checkNames reports a name that the plan would give to a second node.
func (d *differ) checkNames(objects []Object) {
	seen := map[string]*Node{}
	for _, o := range objects {
		n, ok := o.(*Node)
		if !ok {
			continue
		}
		name := strings.ToLower(n.Uname)
		if other := seen[name]; other != nil && (d.names(n) || d.names(other)) {
			d.r.object = "node " + n.Uname
			d.r.add("", "", "there would be two nodes of this name, %s and %s, and Pacemaker would "+
				"fence the machine for the one that it never sees: define it without an id, or "+
				"with the one that it has", other.ID(), n.ID())
		}
		seen[name] = n
	}
}

// names says whether the plan gives the node its name.
func (d *differ) names(n *Node) bool {
	cur, ok := d.byKey[key(n)].(*Node)
	return !ok || !strings.EqualFold(cur.Uname, n.Uname)
}

// namesake says whether the object is a node, and another object has the same id.
func (d *differ) namesake(o Object) bool {
	if _, isNode := o.(*Node); !isNode {
		return false
	}
	return slices.ContainsFunc(d.have, func(other Object) bool {
		_, isNode := other.(*Node)
		return !isNode && other.ID() == o.ID()
	})
}
