package adopt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// nodeByNode are the steps by which hawser's HAProxy starts beside the old one, on the nodes without the
// addresses first. That needs two names and a clone: two resources of one name, or one that runs on one
// node only, are exchanged in one step. holder is the node with the addresses, "" if it is not known.
func nodeByNode(cib *crm.CIB, found Found, holder string) []Step {
	nodes := cib.Members()
	if len(found.StopFirst) == 0 || len(nodes) < 2 || found.clone == "" || len(found.File.Addresses) == 0 {
		return nil
	}
	if holder == "" || !slices.Contains(nodes, holder) {
		holder = nodes[0]
	}
	others := slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return n == holder })
	old, keepOff := found.clone, contract.CloneID+"-not-yet"
	wanted := map[string]crm.Object{}
	for _, o := range deploy.Objects(found.File, cib) {
		wanted[o.ID()] = o
	}
	var away, offs []string
	for _, n := range others {
		id := old + "-leaves-" + n
		away = append(away, fmt.Sprintf("location %s %s -inf: %s", id, old, n))
		offs = append(offs, id)
	}
	start := []string{
		wanted[contract.HAProxyID].String(), wanted[contract.CloneID].String(),
		fmt.Sprintf("location %s %s -inf: %s", keepOff, contract.CloneID, holder),
	}
	var move []string
	for _, a := range found.File.Addresses {
		move = append(move, wanted[a.Name].String())
	}
	move = append(move, found.tieTo(cib, contract.CloneID)...)
	end := []string{"hawser stop " + old + " --yes"}
	for _, id := range offs {
		end = append(end, "hawser configure delete "+id)
	}
	end = append(end, "hawser configure delete "+old+" "+found.haproxy,
		"hawser configure delete "+keepOff)
	return []Step{
		{
			Says: fmt.Sprintf("The old HAProxy leaves every node but %s, which has the addresses as far as "+
				"is known (`hawser status`; exchange the names here if it is another). Addresses that are "+
				"elsewhere go to %[1]s.", holder),
			Commands: []string{load(away)},
		},
		{
			Says:     "hawser's HAProxy starts on " + strings.Join(others, ", ") + ", and serves there.",
			Commands: []string{load(start)},
		},
		{
			Says: "The addresses go there, with hawser's agent. This interrupts for as long as an address " +
				"takes to move.",
			Commands: []string{load(move)},
		},
		{
			Says:     fmt.Sprintf("The old HAProxy stops and goes, and hawser's starts on %s, too.", holder),
			Commands: end,
		},
		{
			Says: "Nothing is exchanged any more: hawser.yaml is written, and becomes the cluster's." +
				returning(found),
			Commands: []string{"hawser adopt"},
		},
	}
}

// returning says which addresses go back to a better node in the last step.
func returning(found Found) string {
	var all []string
	for _, a := range found.File.Addresses {
		if a.Failback != "" {
			all = append(all, a.Name)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " With failback, as it was, the better node gets " + strings.Join(all, ", ") + " back then."
}

// load is the command that writes statements in one transaction.
func load(statements []string) string {
	return "hawser configure load - <<'EOF'\n" + strings.Join(statements, "\n") + "\nEOF"
}

// tieTo are the constraints between the addresses and the old HAProxy, under their ids, as they have to be
// for the new one. What a constraint of that id would not allow goes in the same transaction.
func (f Found) tieTo(cib *crm.CIB, clone string) []string {
	var all []string
	for _, tie := range f.ties {
		o, ok := cib.Object(tie.id)
		if !ok {
			continue
		}
		switch o.(type) {
		case *crm.Colocation:
			all = append(all, (&crm.Colocation{
				Name: tie.id, Score: crm.InfinityWord, Resource: tie.address, With: clone,
			}).String())
		case *crm.Order:
			all = append(all, (&crm.Order{
				Name: tie.id, Kind: "Optional", First: tie.address, FirstAction: "stop", Then: clone,
				ThenAction: "stop", Symmetrical: "false",
			}).String())
		}
	}
	return all
}

// tie is a constraint between an address, or the group that it is in, and HAProxy.
type tie struct{ id, address string }
