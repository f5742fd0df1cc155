package deploy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/param"
)

// Place is where an address will be, and those that move with it.
type Place struct {
	// Addresses are their names, the one that decides first.
	Addresses []string `json:"addresses"`
	// Group is what they are called together, if they are several.
	Group string `json:"group,omitempty"`
	// Steps are the nodes of the cluster, the best first; an address prefers those of one step alike.
	Steps []PlaceStep `json:"steps"`
	// GoesBack says whether they go back to a better node that returns.
	GoesBack bool `json:"goes_back"`
	// GoesBackAfter is how many seconds a node of the first step has to be well before; 0 for none. If
	// it is not 0, they go back to the first step only.
	GoesBackAfter int `json:"goes_back_after"`
}

// PlaceStep is a set of nodes that an address prefers alike.
type PlaceStep struct {
	// Nodes are their names.
	Nodes []string `json:"nodes"`
	// Site is where they are, if all of them are at one site.
	Site string `json:"site,omitempty"`
}

// Places says where each address will be. It is empty if no address prefers a node and none belongs
// together: then each runs on any node, and stays there.
func (p Plan) Places() []Place { return places(p.file, p.Changes.New) }

func places(file *config.File, cib *crm.CIB) []Place {
	all := []Place{}
	if file == nil || cib == nil {
		return all
	}
	sites := file.ParamSites()
	said := len(file.Groups) > 0
	for _, ip := range file.Leaders() {
		p := Place{Addresses: []string{ip.Name}, Steps: []PlaceStep{}}
		for _, member := range file.Together(ip) {
			if member.Name != ip.Name {
				p.Addresses = append(p.Addresses, member.Name)
			}
		}
		if g := file.GroupOf(ip.Name); g != nil {
			p.Group = g.Name
		}
		rest := cib.Members()
		for _, s := range file.Steps(ip) {
			said = true
			p.Steps = append(p.Steps, newStep(sites, s.Nodes))
			rest = slices.DeleteFunc(rest, func(n string) bool { return slices.Contains(s.Nodes, n) })
		}
		if len(rest) > 0 {
			p.Steps = append(p.Steps, newStep(sites, rest))
		}
		after, back := file.GoesBack(ip)
		p.GoesBack, p.GoesBackAfter = back, int(after/time.Second)
		all = append(all, p)
	}
	if !said {
		return []Place{}
	}
	return all
}

func newStep(sites []param.Site, nodes []string) PlaceStep {
	s := PlaceStep{Nodes: nodes, Site: param.SiteOf(sites, nodes[0])}
	for _, n := range nodes {
		if param.SiteOf(sites, n) != s.Site {
			s.Site = ""
		}
	}
	return s
}

// String says it in a sentence: "VIP: lb-1 or lb-2 (main), then lb-3 (reserve); stays where it is when
// a better node returns".
func (p Place) String() string {
	text := strings.Join(p.Addresses, ", ")
	if p.Group != "" {
		text += " (together, " + p.Group + ")"
	}
	var steps []string
	for _, s := range p.Steps {
		step := strings.Join(s.Nodes, " or ")
		if s.Site != "" {
			step += " (" + s.Site + ")"
		}
		steps = append(steps, step)
	}
	text += ": " + strings.Join(steps, ", then ")
	they, it := " stays where it is", "it is"
	if p.Group != "" {
		they, it = " stay where they are", "they are"
	}
	switch {
	case len(p.Steps) < 2:
		return text + ";" + they + " while " + it + " well there"
	case !p.GoesBack:
		return text + ";" + they + " when a better node returns"
	}
	back := "; goes back"
	if p.Group != "" {
		back = "; go back"
	}
	if p.GoesBackAfter > 0 { // to the best only, which "a better node" would not say
		return text + back + " when " + strings.Join(p.Steps[0].Nodes, " or ") + " has been well for " +
			lasting(p.GoesBackAfter)
	}
	return text + back + " when a better node returns"
}

// lasting is a number of seconds for people.
func lasting(seconds int) string {
	if seconds%60 == 0 {
		return strconv.Itoa(seconds/60) + " min"
	}
	return strconv.Itoa(seconds) + " s"
}

// checkNodes refuses sites and preferences that name what is no node of the cluster, and resources that
// are not there. The error is *config.Faults.
func checkNodes(file *config.File, cib *crm.CIB) error {
	faults := &config.Faults{Path: file.Path}
	members := cib.Members()
	known := func(n config.Named, what string) {
		if len(members) > 0 && !slices.Contains(members, n.Name) {
			faults.Add(n.At, "%s %s, which is no node of the cluster: expected one of %s", what, n.Name,
				strings.Join(members, ", "))
		}
	}
	sites := map[string]bool{}
	for _, s := range file.Sites {
		sites[s.Name] = true
		for _, n := range s.Nodes {
			known(n, "the site "+s.Name+" has")
		}
	}
	for i := range file.Addresses {
		ip := &file.Addresses[i]
		for _, p := range ip.Prefer {
			if !sites[p.Name] && len(file.Sites) == 0 { // a node of a site has been looked at
				known(p.Named, ip.Name+" prefers")
			}
		}
	}
	for _, b := range file.Resources {
		o, ok := cib.Object(b.ID)
		clone := cloneOf(cib, b.ID)
		switch {
		case !ok:
			faults.Add(b.IDAt, "%s is no resource of the cluster: expected the id of one, as `crm_mon` or "+
				"`hawser status` shows it", b.ID)
		case !isResource(o):
			faults.Add(b.IDAt, "%s is a %s: expected a resource", b.ID, o.Keyword())
		case clone != "": // Pacemaker passes over constraints of what is in one
			faults.Add(b.IDAt, "%s is in the clone %s, and only the clone as a whole can belong to an "+
				"address: expected %[2]s", b.ID, clone)
		}
	}
	return faults.Err()
}

// cloneOf returns the clone that a primitive or a group is in, "" if it is in none.
func cloneOf(cib *crm.CIB, resource string) string {
	within := []string{resource}
	for _, o := range cib.Objects() {
		if g, ok := o.(*crm.Group); ok && slices.Contains(g.Members, resource) {
			within = append(within, g.Name)
		}
	}
	for _, o := range cib.Objects() {
		if c, ok := o.(*crm.Clone); ok && slices.Contains(within, c.Resource) {
			return c.Name
		}
	}
	return ""
}

func isResource(o crm.Object) bool {
	switch o.(type) {
	case *crm.Primitive, *crm.Group, *crm.Clone:
		return true
	}
	return false
}
