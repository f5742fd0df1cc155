package corosync

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
)

// checkLinks checks the links between the nodes.
func checkLinks(v *view) []doctor.Finding {
	var found []doctor.Finding
	members := v.keys.Members()
	links := 0
	for _, m := range members {
		links = max(links, len(m.Addresses))
	}
	if t := v.transport(); t != "knet" {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "transport", What: "the transport is " + t,
			Why: "it has one link only, and Corosync 3 develops only knet further",
			Todo: []string{
				"set `transport: knet` in " + confFile + " on every node while Corosync is stopped " +
					"on all of them",
			},
		})
	} else if links == 1 && len(members) > 1 {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "ring1_addr",
			What: "the nodes have one link to each other only",
			Why:  "a single cable, switch or network that fails splits the cluster",
			Todo: []string{
				"where the nodes have a second network: add a line ring1_addr with its address for " +
					"each node to the nodelist of " + confFile + ", on every node; then " +
					"`corosync-cfgtool -R` on one",
			},
		})
	}
	var down, silent []string
	for _, m := range members {
		if m.ID == v.self() || v.keys["runtime.members."+m.ID+".status"] != "joined" {
			continue
		}
		for link := range len(m.Addresses) {
			name := fmt.Sprintf("link %d to %s (%s)", link, m.Label(), m.Addresses[link])
			switch connected, said := v.stats[fmt.Sprintf("stats.knet.node%s.link%d.connected",
				m.ID, link)]; {
			case connected == "0":
				down = append(down, name)
			case !said && v.transport() == "knet":
				silent = append(silent, name)
			}
		}
	}
	if len(down) > 0 {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Node: v.Node, Subject: "links",
			What: "down: " + strings.Join(down, ", "),
			Why: "the nodes still see each other by another link: the next failure splits the " +
				"cluster",
			Fix: []string{
				"corosync-cfgtool -s",
				"ip -brief address    # is the address there, is the interface up? then ping the " +
					"others' from it, and see the firewall",
			},
		})
	}
	if len(silent) > 0 {
		found = append(found, doctor.Finding{
			Severity: doctor.Unknown, Node: v.Node, Subject: "links",
			What: "Corosync does not say whether these are up: " + strings.Join(silent, ", "),
			Why:  "a link that is down leaves the nodes with one link fewer",
			Fix:  []string{"corosync-cfgtool -s"},
		})
	}
	return found
}

// transport returns the transport of messages.
func (v *view) transport() string {
	if t := v.keys["totem.transport"]; t != "" {
		return t
	}
	return "knet"
}
