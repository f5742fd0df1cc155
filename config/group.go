package config

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// Group is one of groups: addresses that move together.
type Group struct {
	At        Position
	Name      string
	NameAt    Position
	Addresses []Named
}

func (g *Group) keys() []key {
	return []key{
		{
			name:     "name",
			kind:     id(&g.Name),
			at:       &g.NameAt,
			doc:      "what the plan and messages call it",
			required: true,
			effect:   nothing,
		},
		{
			name: "addresses",
			kind: namedList(&g.Addresses, "the name of an address",
				"a list of addresses, such as [VIP, VIP6]"),
			doc: "the names of those that move together. Where one of them cannot run, none of them " +
				"is; one that can run on no node is left out, but for the first",
			required: true,
			effect:   move,
		},
	}
}

// groups is the list groups.
func groups(to *[]Group) kind {
	return kind{
		words: "a list",
		keys:  new(Group).keys(),
		read: func(d *document, n ast.Node, what string) {
			names := map[string]Position{}
			d.list(n, what, func(i int, n ast.Node) {
				g := Group{At: place(n)}
				d.section(n, fmt.Sprintf("%s[%d]", what, i), g.keys())
				if first, ok := names[g.Name]; ok && g.Name != "" {
					d.Add(g.NameAt, "the group %s is given twice: the first is in line %d", g.Name,
						first.Line)
				}
				names[g.Name] = g.NameAt
				*to = append(*to, g)
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": section(new(Group).keys())},
	}
}

// Address returns the address of that name, nil if there is none.
func (c *File) Address(name string) *Address {
	for i := range c.Addresses {
		if c.Addresses[i].Name == name {
			return &c.Addresses[i]
		}
	}
	return nil
}

// GroupOf returns the group that an address is in, nil if it is in none.
func (c *File) GroupOf(name string) *Group {
	for i := range c.Groups {
		if slices.Contains(namesOf(c.Groups[i].Addresses), name) {
			return &c.Groups[i]
		}
	}
	return nil
}

// Leader returns the address that decides where this one is: the first of its group, or itself.
func (c *File) Leader(ip *Address) *Address {
	if g := c.GroupOf(ip.Name); g != nil {
		if first := c.Address(g.Addresses[0].Name); first != nil {
			return first
		}
	}
	return ip
}

// Leads reports whether the address decides where it is, and those of its group.
func (c *File) Leads(ip *Address) bool { return c.Leader(ip).Name == ip.Name }

// Together returns the addresses that are where this one is, itself included, in the file's order.
func (c *File) Together(ip *Address) []*Address {
	g := c.GroupOf(ip.Name)
	if g == nil {
		return []*Address{ip}
	}
	var all []*Address
	for _, n := range g.Addresses {
		if member := c.Address(n.Name); member != nil {
			all = append(all, member)
		}
	}
	return all
}

// settings returns the address of the group that says where the group is to be; it has prefer,
// failback and failback_after. Members that say so say the same.
func (c *File) settings(ip *Address) *Address {
	s := Address{}
	for _, member := range c.Together(ip) {
		if len(s.Prefer) == 0 {
			s.Prefer, s.Scored = member.Prefer, member.Scored
		}
		if s.Failback == "" {
			s.Failback = member.Failback
		}
		if s.FailbackAfter == 0 {
			s.FailbackAfter = member.FailbackAfter
		}
	}
	return &s
}

// checkGroups refuses addresses that are not there or in two groups, and members that want to be in
// different places.
func (c *File) checkGroups(d *document) {
	in := map[string]*Group{}
	for i := range c.Groups {
		g := &c.Groups[i]
		if g.Name == "" {
			continue // which has been reported
		}
		if len(g.Addresses) == 1 {
			d.Add(g.Addresses[0].At, "the group %s has one address: expected two or more", g.Name)
		}
		if len(g.Addresses) == 0 {
			d.Add(g.At, "the group %s has no addresses: expected two or more", g.Name)
		}
		if c.Address(g.Name) != nil {
			d.Add(g.NameAt, "the group %s has the name of an address: give it another name", g.Name)
		}
		for _, n := range g.Addresses {
			if c.Address(n.Name) == nil {
				d.Add(n.At, "the group %s has the address %s, which is not one of floating_ips", g.Name,
					n.Name)
			}
			switch before := in[n.Name]; {
			case before == g:
				d.Add(n.At, "the group %s has %s twice", g.Name, n.Name)
			case before != nil:
				d.Add(n.At, "%s is in the group %s and in %s (line %d): expected one group for each "+
					"address", n.Name, g.Name, before.Name, before.At.Line)
			default:
				in[n.Name] = g
			}
		}
	}
	for i := range c.Groups {
		c.checkMembers(d, &c.Groups[i], in)
	}
}

func (c *File) checkMembers(d *document, g *Group, in map[string]*Group) {
	var prefers, goesBack, waits *Address
	for _, n := range g.Addresses {
		ip := c.Address(n.Name)
		if ip == nil || in[n.Name] != g {
			continue
		}
		if len(ip.Prefer) > 0 {
			if prefers != nil && !slices.EqualFunc(ip.Prefer, prefers.Prefer,
				func(a, b Preference) bool { return a.Name == b.Name && a.Score == b.Score }) {
				d.Add(ip.Prefer[0].At, "%s and %s move together, as the group %s says, and do not "+
					"prefer the same: write prefer once", ip.Name, prefers.Name, g.Name)
			}
			prefers = ip
		}
		if ip.Failback != "" {
			if goesBack != nil && ip.Failback != goesBack.Failback {
				d.Add(ip.FailbackAt, "%s and %s move together, as the group %s says, and only one of "+
					"them has failback: write it once", ip.Name, goesBack.Name, g.Name)
			}
			goesBack = ip
		}
		if ip.FailbackAfter != 0 {
			if waits != nil && ip.FailbackAfter != waits.FailbackAfter {
				d.Add(ip.FailbackAfterAt, "%s and %s move together, as the group %s says, and have "+
					"different failback_after: write it once", ip.Name, waits.Name, g.Name)
			}
			waits = ip
		}
	}
}

// Belonging is one of resources: one of the user's own that belongs to an address.
type Belonging struct {
	At, IDAt, WithAt, AfterAt Position
	ID, With, After           string
}

func (b *Belonging) keys() []key {
	return []key{
		{
			name:     "id",
			kind:     id(&b.ID),
			at:       &b.IDAt,
			doc:      "the resource's id in the cluster's configuration",
			required: true,
			effect:   nothing,
		},
		{
			name:   "with",
			kind:   id(&b.With),
			at:     &b.WithAt,
			doc:    "the address where it runs: it goes wherever that is",
			effect: nothing,
		},
		{
			name:   "after",
			kind:   id(&b.After),
			at:     &b.AfterAt,
			doc:    "the address after which it starts, and before which it is stopped",
			effect: nothing,
		},
	}
}

// belongings is the list resources.
func belongings(to *[]Belonging) kind {
	return kind{
		words: "a list",
		keys:  new(Belonging).keys(),
		read: func(d *document, n ast.Node, what string) {
			first := map[string]Position{}
			d.list(n, what, func(i int, n ast.Node) {
				b := Belonging{At: place(n)}
				before := len(d.List)
				entry := fmt.Sprintf("%s[%d]", what, i)
				d.section(n, entry, b.keys())
				if len(d.List) == before && b.With == "" && b.After == "" {
					d.Add(b.At, "%s has neither with nor after: expected the address to which %s "+
						"belongs", entry, b.ID)
				}
				if at, ok := first[b.ID]; ok && b.ID != "" {
					d.Add(b.IDAt, "the resource %s is given twice: the first is in line %d", b.ID,
						at.Line)
				}
				first[b.ID] = b.IDAt
				*to = append(*to, b)
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": section(new(Belonging).keys())},
	}
}

func (c *File) checkBelongings(d *document) {
	for _, b := range c.Resources {
		if c.Address(b.ID) != nil {
			d.Add(b.IDAt, "%s is one of floating_ips: addresses that move together are a group", b.ID)
		}
		for _, n := range []Named{{b.WithAt, b.With}, {b.AfterAt, b.After}} {
			if n.Name != "" && c.Address(n.Name) == nil {
				d.Add(n.At, "%s belongs to %s, which is not one of floating_ips", b.ID, n.Name)
			}
		}
	}
}
