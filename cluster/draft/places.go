package draft

import (
	"net/netip"

	"github.com/hawser-ha/hawser/param"
)

// sites writes an example of sites: nodes whose links are in different networks are at different
// sites in it.
func (w *writer) sites() {
	w.line("")
	groups := w.apart()
	w.say("", "Sites: places where nodes are, such as data centres, for addresses to prefer and for "+
		"HAProxy, as ${HAWSER_SITE} (places.md).")
	if len(groups) > 1 {
		w.say("", "Corosync's links are in %d networks here.", len(groups))
	} else {
		names := w.examples(2)
		half := (len(names) + 1) / 2
		groups = [][]string{names[:half], names[half:]}
	}
	w.keys("", "sites:")
	for i, name := range []string{"main", "reserve", "third"} {
		if i < len(groups) {
			w.keys("", "  "+name+": {nodes: "+flow(groups[i])+"}")
		}
	}
}

// apart groups the nodes by the networks of their first links. It is nil if they are all in one, in more
// than three, or if that is not known.
func (w *writer) apart() [][]string {
	var networks []netip.Prefix
	var groups [][]string
	for _, m := range w.facts.Cluster.Members {
		if len(m.Links) == 0 {
			return nil
		}
		bits := 24
		if m.Links[0].Is6() {
			bits = 64
		}
		network, err := m.Links[0].Prefix(bits)
		if err != nil {
			return nil
		}
		at := -1
		for i, n := range networks {
			if n == network {
				at = i
			}
		}
		if at < 0 {
			networks, groups, at = append(networks, network), append(groups, nil), len(groups)
		}
		groups[at] = append(groups[at], m.Name)
	}
	if len(groups) < 2 || len(groups) > 3 || len(groups) == len(w.facts.Cluster.Members) {
		return nil // a network for each node says nothing about sites
	}
	return groups
}

// quorum writes the quorum device.
func (w *writer) quorum() {
	w.line("")
	device := w.facts.Cluster.Device
	if _, err := param.ParseHost(device); device != "" && err == nil {
		w.say("", "The quorum device, as corosync.conf has it.")
		w.line("quorum: {device: %s}", quoted(device))
		return
	}
	why := "a vote at a third place, corosync-qnetd: where two nodes or two sites lose sight of each " +
		"other, the side that it sees goes on."
	switch n := len(w.facts.Cluster.Members); {
	case len(w.apart()) > 1:
		why += " This cluster has none: a cut between its networks may stop the nodes on both sides."
	case n > 0 && n%2 == 0:
		why += " This cluster has an even number of nodes and none."
	}
	w.say("", "Quorum device: %s `hawser quorum device add HOST` sets it up.", why)
	w.keys("", "quorum: {device: qnetd.example.org}")
}

// groups writes an example of a group.
func (w *writer) groups(found []candidate) {
	w.line("")
	w.say("", "Addresses that are always on the same node, such as both families of one name.")
	names := named(found)
	if c, ok := w.other(found); ok {
		names = append(names, c.name)
	}
	if len(names) < 2 {
		names = []string{"VIP", "VIP6"}
	}
	w.keys("", "groups:", "  - {name: edge, addresses: "+flow(names[:2])+"}")
}

// resources writes an example of what belongs to an address.
func (w *writer) resources(found []candidate) {
	address := "VIP"
	if names := named(found); len(names) > 0 {
		address = names[0]
	}
	w.line("")
	w.say("", "What else of the cluster, made by you, runs where an address is: its id, the address, and "+
		"after which address it starts.")
	w.keys("", "resources:", "  - {id: dhcpd, with: "+address+", after: "+address+"}")
}

// named are the names of the addresses, those that are written as keys first.
func named(found []candidate) []string {
	var sure, doubtful []string
	for _, c := range found {
		if c.doubtful {
			doubtful = append(doubtful, c.name)
		} else {
			sure = append(sure, c.name)
		}
	}
	return append(sure, doubtful...)
}
