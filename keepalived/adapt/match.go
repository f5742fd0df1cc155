package adapt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// member is a virtual router on one node.
type member struct {
	*model.Instance
	config *model.Config
}

// router is a virtual router: the instances of the nodes that belong together.
type router struct {
	members []member // in the order of the nodes
}

func (r *router) of(c *model.Config) *model.Instance {
	for _, m := range r.members {
		if m.config == c {
			return m.Instance
		}
	}
	return nil
}

// match finds which instances of different nodes are one virtual router.
func (a *adapter) match() {
	for _, n := range a.nodes {
		for _, i := range n.Config.Instances {
			var best *router
			most := 0
			for _, r := range a.routers {
				if r.of(n.Config) != nil {
					continue
				}
				if fits := r.fits(i); fits > most {
					best, most = r, fits
				}
			}
			if best == nil {
				best = &router{}
				a.routers = append(a.routers, best)
			}
			best.members = append(best.members, member{i, n.Config})
		}
	}
	if len(a.nodes) == 1 {
		for _, i := range a.nodes[0].Config.Instances {
			a.say(a.nodes[0].Config, i.At, Remark, "the file of one node was read: with those of "+
				"the others, "+
				"`hawser import keepalived` finds prefer and failback")
		}
		return
	}
	for _, r := range a.routers {
		a.compare(r)
	}
}

// fits weighs how much speaks for an instance being one with those of a router; 0 is that nothing
// does. Two that only have their virtual_router_id in common are one for VRRP, if nothing fits better;
// two with different ones are, if name or interface and an address say so.
func (r *router) fits(i *model.Instance) int {
	first := r.members[0].Instance
	if first.IPv6 != i.IPv6 {
		return 0
	}
	points := 0
	shared := slices.ContainsFunc(i.Addresses, func(x *model.Address) bool {
		return slices.ContainsFunc(first.Addresses, func(y *model.Address) bool {
			return x.Prefix.Addr() == y.Prefix.Addr()
		})
	})
	if shared {
		points += 4
	}
	if first.Name == i.Name {
		points++
	}
	if first.Interface == i.Interface {
		points++
	}
	switch {
	case first.VRID == i.VRID && i.VRID > 0:
		return points + 8
	case shared && points > 4:
		return points
	}
	return 0
}

// compare says in what the instances of a router differ, and what that meant.
func (a *adapter) compare(r *router) {
	first := r.members[0]
	if len(r.members) == 1 {
		a.say(first.config, first.At, Remark, "no other node has it: only %s could hold its addresses",
			first.config.Node)
	}
	for _, m := range r.members[1:] {
		if m.VRID != first.VRID {
			a.say(m.config, m.At, Remark, "virtual_router_id is %d, and %d on %s: the two did not see "+
				"each other, and both held the addresses", m.VRID, first.VRID, first.config.Node)
		}
	}
	for _, m := range r.members[1:] {
		for _, differs := range unheard(first.Instance, m.Instance) {
			a.say(m.config, cmp.Or(differs.at, m.At), Remark, "%s on %s: the two refused each "+
				"other's adverts, "+
				"and both held the addresses", differs.what, first.config.Node)
		}
	}
	for _, m := range r.members {
		for _, address := range m.Addresses {
			var without []string
			for _, other := range r.members {
				if !slices.ContainsFunc(other.Addresses, func(x *model.Address) bool {
					return x.Prefix.Addr() == address.Prefix.Addr()
				}) {
					without = append(without, other.config.Node)
				}
			}
			if len(without) > 0 {
				text := "it was not served there"
				if !address.Excluded {
					text = "keepalived refuses adverts with other addresses, so both nodes held theirs"
				}
				a.say(m.config, address.At, Remark, "it is missing on %s: %s; in hawser every "+
					"node can take it",
					strings.Join(without, ", "), text)
			}
		}
	}
}

// difference is what makes two instances deaf to each other.
type difference struct {
	at   *syntax.Statement
	what string // ends so that "on NODE" may follow
}

// unheard are the reasons for which an instance does not hear the first one.
func unheard(first, i *model.Instance) []difference {
	var all []difference
	if i.Auth != first.Auth {
		all = append(all, difference{i.AuthAt, "the authentication is not that"})
	}
	if i.Version != first.Version {
		all = append(all, difference{nil, fmt.Sprintf("VRRP version %d here, and "+
			"%d", i.Version, first.Version)})
	} else if i.Version == 2 && i.Advert != first.Advert {
		all = append(all, difference{i.AdvertAt, fmt.Sprintf("%gs here, and "+
			"%gs", i.Advert, first.Advert)})
	}
	if (len(i.Peers) == 0) != (len(first.Peers) == 0) {
		all = append(all, difference{nil, "it has no unicast_peer, or one that is missing"})
	}
	return all
}

// bundle are virtual routers whose addresses move together: those of a vrrp_sync_group, or one alone.
type bundle struct {
	routers    []*router
	group      *model.Group
	addresses  []*address
	name       string // of the group, if there are several addresses
	prefer     string // as it is written, "" if no node is preferred
	failback   bool
	after      int // seconds
	needs      []string
	interfaces []string
	why        []string // comments
}

// bundle puts the routers together that move together.
func (a *adapter) bundle() {
	in := map[*router]*bundle{}
	for _, r := range a.routers {
		b := &bundle{routers: []*router{r}}
		for _, other := range a.routers {
			if in[other] != nil && together(r, other) {
				b = in[other]
				b.routers = append(b.routers, r)
				break
			}
		}
		if len(b.routers) == 1 {
			a.bundles = append(a.bundles, b)
		}
		in[r] = b
		if b.group == nil {
			for _, m := range r.members {
				if m.Sync != nil && len(m.Sync.Members) > 1 {
					b.group = m.Sync
				}
			}
		}
	}
	for _, r := range a.routers {
		for _, m := range r.members {
			if m.Sync == nil && in[r].group != nil {
				a.say(m.config, m.At, Remark, "in a vrrp_sync_group on another node only: in "+
					"hawser its "+
					"addresses move together everywhere")
			}
		}
	}
}

// together reports whether two routers are in one group on some node.
func together(x, y *router) bool {
	for _, m := range x.members {
		if other := y.of(m.config); other != nil && m.Sync != nil && m.Sync == other.Sync {
			return true
		}
	}
	return false
}

// instance is the first instance that a bundle has on a node.
func (b *bundle) instance(c *model.Config) *model.Instance {
	for _, r := range b.routers {
		if i := r.of(c); i != nil {
			return i
		}
	}
	return nil
}

// title is what a bundle is called in comments.
func (b *bundle) title() string {
	var names []string
	for _, r := range b.routers {
		for _, m := range r.members {
			if !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
	}
	what := "vrrp_instance " + strings.Join(names, ", ")
	if b.group != nil {
		what = fmt.Sprintf("vrrp_sync_group %s: %s", b.group.Name, what)
	}
	return printable(what)
}
