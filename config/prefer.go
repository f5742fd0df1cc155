package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/param"
)

// Preference is one of the nodes or sites that an address prefers.
type Preference struct {
	Named
	// Score is what a map of scores gives it; more is better. In a list it is 0.
	Score int
}

// Limits of what an address may prefer.
const (
	// MostPreferred is how many nodes and sites one address may name.
	MostPreferred = 32
	// MostScore is the highest score of a preferred node.
	MostScore = 1000000
)

// preferences is a list of nodes and sites, best first, or a map of scores.
func preferences(ip *Address) kind {
	words := "a list of sites or nodes, best first, or a mapping of their scores"
	return kind{
		words: words,
		read: func(d *document, n ast.Node, what string) {
			switch r := d.resolve(n).(type) {
			case nil, *ast.NullNode:
			case *ast.MappingNode, *ast.MappingValueNode:
				ip.Scored = true
				form := fmt.Sprintf("a whole number from 1 to %d, more for the better", MostScore)
				d.entries(r, what, "NODE: SCORE", func(name string, at Position, value ast.Node) {
					score, ok := d.number(value, what+"."+name, form, 1, MostScore)
					if ok {
						ip.Prefer = append(ip.Prefer, Preference{Named{at, name}, score})
					}
				})
			case *ast.StringNode:
				d.Add(place(n), "%s is %s: expected %s, such as [%s]", what, describe(r), words, r.Value)
			default:
				var list []Named
				namedList(&list, "the name of a site or of a node", words).read(d, n, what)
				for _, n := range list {
					ip.Prefer = append(ip.Prefer, Preference{Named: n})
				}
			}
		},
		schema: schema{"anyOf": []schema{
			{"type": []string{"array", "null"}, "items": schema{"type": "string"},
				"maxItems": MostPreferred},
			{"type": "object", "additionalProperties": schema{"type": "integer", "minimum": 1,
				"maximum": MostScore}, "maxProperties": MostPreferred},
		}},
	}
}

// GoesBack reports whether an address goes back to a better node that returns, and after how long: 0
// for at once.
func (c *File) GoesBack(ip *Address) (after time.Duration, yes bool) {
	s := c.settings(ip)
	return s.FailbackAfter, s.Failback == "true"
}

// A Step is a set of nodes that an address prefers alike.
type Step struct {
	// Sites are those that the file names, for people; Nodes are all nodes, those of the sites
	// included.
	Sites, Nodes []string
}

// Steps returns what an address, or the group that it is in, prefers, best first. Nodes that no step
// has come last. The nodes of a site are alike.
func (c *File) Steps(ip *Address) []Step {
	all := slices.Clone(c.settings(ip).Prefer)
	slices.SortStableFunc(all, func(a, b Preference) int { return cmp.Compare(b.Score, a.Score) })
	var steps []Step
	named := map[string]bool{} // a node that is named itself stands where it is named
	for _, p := range all {
		named[p.Name] = true
	}
	seen := map[string]bool{}
	for i, p := range all {
		if i == 0 || !c.settings(ip).Scored || p.Score != all[i-1].Score {
			steps = append(steps, Step{})
		}
		s := &steps[len(steps)-1]
		nodes := []string{p.Name}
		if site := c.site(p.Name); site != nil {
			nodes = slices.DeleteFunc(namesOf(site.Nodes), func(n string) bool { return named[n] })
			s.Sites = append(s.Sites, site.Name)
		}
		for _, n := range nodes {
			if !seen[n] {
				s.Nodes = append(s.Nodes, n)
			}
			seen[n] = true
		}
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return len(s.Nodes) == 0 })
}

func (c *File) site(name string) *Site {
	for i := range c.Sites {
		if c.Sites[i].Name == name {
			return &c.Sites[i]
		}
	}
	return nil
}

// checkPrefer compares what an address says about where it is to be.
func (c *File) checkPrefer(d *document) {
	known := map[string]bool{}
	for _, s := range c.Sites {
		for _, n := range s.Nodes {
			known[n.Name] = true
		}
	}
	for i := range c.Addresses {
		ip := &c.Addresses[i]
		first := map[string]Position{}
		for _, p := range ip.Prefer {
			before, twice := first[p.Name]
			switch {
			case twice:
				d.Add(p.At, "%s prefers %s twice: the first is in line %d", ip.Name, p.Name, before.Line)
			case c.site(p.Name) != nil:
			case !nodePattern.MatchString(p.Name):
				d.Add(p.At, "%s prefers %q, which cannot be the name of a node or a site", ip.Name, p.Name)
			case len(known) > 0 && !known[p.Name]:
				d.Add(p.At, "%s prefers %s, which is neither a site nor a node of one: expected one of %s",
					ip.Name, p.Name, strings.Join(c.places(), ", "))
			}
			first[p.Name] = p.At
		}
		if len(ip.Prefer) > MostPreferred {
			d.Add(ip.Prefer[MostPreferred].At, "%s prefers %d nodes and sites: expected at most %d",
				ip.Name, len(ip.Prefer), MostPreferred)
		}
		s := c.settings(ip)
		if ip.FailbackAfter != 0 && s.Failback != "true" {
			d.Add(ip.FailbackAfterAt, "%s has failback_after without `failback: true`: it never goes "+
				"back, so there is nothing to wait for", ip.Name)
		}
		if ip.Failback == "true" && len(s.Prefer) == 0 {
			d.Add(ip.FailbackAt, "%s has failback, and prefers no node to which it could go back: "+
				"expected prefer, such as `prefer: [lb-1]`", ip.Name)
		}
	}
}

// places lists the names that prefer may have.
func (c *File) places() []string {
	var all []string
	for _, s := range c.Sites {
		all = append(all, s.Name)
	}
	for _, s := range c.Sites {
		all = append(all, namesOf(s.Nodes)...)
	}
	return all
}

// checkInterfaces refuses names of interfaces that cannot be one, or are given twice, or whose checks would
// have the same name.
func (c *File) checkInterfaces(d *document) {
	named := map[string]string{}
	for _, ip := range c.Addresses {
		first := map[string]Position{}
		for _, n := range ip.Interfaces {
			before, twice := first[n.Name]
			check := linkName(n.Name)
			other := cmp.Or(named[check], n.Name)
			named[check] = other
			_, err := param.ParseNIC(n.Name)
			switch {
			case err != nil:
				d.Add(n.At, "%s needs the interface %q, which %v", ip.Name, n.Name, err)
			case twice:
				d.Add(n.At, "%s needs the interface %s twice: the first is in line %d", ip.Name, n.Name,
					before.Line)
			case n.Name == ip.NIC:
				d.Add(n.At, "%s is on %s, whose carrier it needs anyway: remove it from interfaces", ip.Name,
					n.Name)
			case n.Name != other:
				d.Add(n.At, "%s needs the interface %s, whose check would be called %s, as that of %s: "+
					"write a check by interface into haproxy.checks instead", ip.Name, n.Name, check, other)
			}
			first[n.Name] = n.At
		}
	}
}
