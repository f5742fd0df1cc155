package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/param"
)

// Site is one of sites: a place where nodes are, such as a data centre.
type Site struct {
	At    Position // of the name
	Name  string
	Nodes []Named
}

// Named is a name that the file gives: of a node, a site, an address, an interface.
type Named struct {
	At   Position
	Name string
}

// ParamSites returns the sites as the agents have them.
func (c *File) ParamSites() []param.Site {
	var all []param.Site
	for _, s := range c.Sites {
		all = append(all, param.Site{Name: s.Name, Nodes: namesOf(s.Nodes)})
	}
	return all
}

func namesOf(all []Named) []string {
	names := make([]string, len(all))
	for i, n := range all {
		names[i] = n.Name
	}
	return names
}

func (s *Site) keys() []key {
	return []key{
		{
			name: "nodes",
			kind: namedList(&s.Nodes, "the name of a node", "a list of nodes, such as [lb-1, lb-2]").
				with(schema{"items": schema{"type": "string", "pattern": nodePattern.String()},
					"minItems": 1}),
			doc:      "its nodes, as the cluster knows them",
			required: true,
			hint:     "expected the names of its nodes, such as [lb-1, lb-2]",
			effect:   move, // with failback, to a node that belongs to a better site now
		},
	}
}

// sites is a mapping whose keys are the names of sites.
func sites(to *[]Site) kind {
	return kind{
		words: "a mapping, site: {nodes: [NODE, …]}",
		keys:  new(Site).keys(),
		read: func(d *document, n ast.Node, what string) {
			first := map[string]Position{}
			d.entries(n, what, "site: {nodes: [NODE, …]}",
				func(name string, at Position, value ast.Node) {
					entry := fmt.Sprintf("%s.%s", what, name)
					if _, err := param.ParseSiteName(name); err != nil {
						d.Add(at, "%s: %q %v", what, name, err)
						return
					}
					if before, ok := first[name]; ok {
						d.Add(at, "%s is given twice: the first is in line %d", entry, before.Line)
						return
					}
					first[name] = at
					s := Site{At: at, Name: name}
					before := len(d.List)
					d.section(value, entry, s.keys())
					if len(s.Nodes) == 0 && len(d.List) == before {
						d.Add(at, "%s has no nodes: expected their names, such as [lb-1, lb-2]", entry)
					}
					*to = append(*to, s)
				})
		},
		schema: schema{
			"type":                 []string{"object", "null"},
			"additionalProperties": section(new(Site).keys()),
		},
	}
}

// namedList is a list of names. one is what each is.
func namedList(to *[]Named, one, words string) kind {
	return kind{
		words: words,
		read: func(d *document, n ast.Node, what string) {
			d.list(n, what, func(i int, n ast.Node) {
				name, at, ok := d.text(n, fmt.Sprintf("%s[%d]", what, i), one)
				if ok {
					*to = append(*to, Named{at, name})
				}
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": schema{"type": "string"}},
	}
}

// checkSites refuses a node that cannot be one, or is in two sites, and a site that has the name of a
// node: prefer could mean either.
func (c *File) checkSites(d *document) {
	in := map[string]Named{}
	for _, s := range c.Sites {
		for _, n := range s.Nodes {
			if !nodePattern.MatchString(n.Name) {
				d.Add(n.At, "sites.%s: %q cannot be the name of a node: write letters, digits, dots, "+
					"dashes and underscores", s.Name, n.Name)
			}
			if before, ok := in[n.Name]; ok {
				d.Add(n.At, "the node %s is in the site %s and in %s (line %d): expected one site for "+
					"each node", n.Name, s.Name, before.Name, before.At.Line)
				continue
			}
			in[n.Name] = Named{n.At, s.Name}
		}
	}
	for _, s := range c.Sites {
		if node, ok := in[s.Name]; ok {
			d.Add(s.At, "the site %s has the name of a node (line %d): give it another name", s.Name,
				node.At.Line)
		}
	}
}
