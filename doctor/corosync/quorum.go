package corosync

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// checkVotes checks what counts as a majority.
func checkVotes(v *view) []doctor.Finding {
	nodes := len(v.keys.Members())
	device := v.keys["quorum.device.model"]
	twoNode := crm.IsTrue(v.keys["quorum.two_node"])
	var found []doctor.Finding
	const again = "corosync-cfgtool -R    # on one node, once the file is the same on every node"
	switch {
	case twoNode && nodes > 2:
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "two_node",
			What: fmt.Sprintf("two_node is set in a cluster of %d nodes", nodes),
			Why:  "it is for two: Corosync ignores it or lets a minority act",
			Fix:  []string{"sed -i '/two_node:/d' " + confFile + "    # on every node", again},
		})
	case twoNode && device == "" && v.above != nil && !v.above.CIB.FencingEnabled():
		f := doctor.Finding{
			Severity: doctor.Warning, Subject: "two_node",
			What: "two_node is set, and there is no fencing",
			Why: "each node goes on alone when they lose sight of each other: only the providers " +
				"keep the addresses on one of them",
			Todo: []string{
				"write `fencing:` into hawser.yaml, then `hawser apply`; or add a third node, or a " +
					"quorum device (`hawser quorum device add HOST`)",
			},
		}
		twice := inventory.Names(inventory.AddressesHeldTwice(v.above.CIB.Effective()))
		if len(twice) > 0 {
			f.Severity, f.Why = doctor.Error, "when the nodes lose sight of each other, both take "+
				strings.Join(twice, ", ")+" and both answer"
		}
		found = append(found, f)
	case nodes == 2 && !twoNode && device == "":
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "two_node",
			What: "two nodes, neither two_node nor a quorum device",
			Why: "when one fails the other has no quorum and stops everything: there is no " +
				"failover at all",
			Fix: []string{
				"sed -i 's/^\\([[:space:]]*\\)provider: corosync_votequorum/&\\n\\ttwo_node: 1/' " +
					confFile + "    # on every node; with fencing",
				again,
			},
		})
	}
	if v.keys.WaitsForAll() {
		found = append(found, v.waiting())
	}
	if word, set := v.keys["quorum.wait_for_all"]; twoNode && set && !crm.IsTrue(word) {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "wait_for_all",
			What: "wait_for_all is off in a cluster of two",
			Why: "a node that boots while it is cut off from the other one takes every address, " +
				"although the other one serves",
			Fix: []string{
				"sed -i '/wait_for_all:/d' " + confFile + "    # on every node: two_node sets it",
				again,
			},
		})
	}
	found = append(found, checkDevice(v)...)
	if twoNode && device == "" {
		if here, err := sbd.Here(v.Files); err == nil && here.Running && here.Disks == "" {
			found = append(found, doctor.Finding{
				Severity: doctor.Error, Subject: "sbd",
				What: "sbd without a disk, in a cluster of two nodes without a quorum device",
				Why: "by two_node each node has quorum alone, so that neither watchdog fires: " +
					"neither is fenced when they lose sight of each other",
				Todo: []string{
					"add a quorum device (`hawser quorum device add HOST`), a third node, a disk " +
						"for sbd, or " +
						"another fence device",
				},
			})
		}
	}
	expected := nodes
	if device != "" && !twoNode {
		expected += v.keys.Tally().Device // also while it does not vote
	}
	if nodes > 0 && v.votes.Expected != expected && v.sameVotes() {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "expected_votes",
			What: fmt.Sprintf("Corosync expects %d votes, and the nodes have %d", v.votes.Expected,
				expected),
			Why: fmt.Sprintf(
				"a quorum is %d then: a minority acts, or a majority does not",
				v.votes.Expected/2+1),
			Fix: []string{
				"sed -i '/expected_votes:/d' " + confFile + "    # on every node", again,
			},
			Todo: []string{
				fmt.Sprintf("if only the running cluster expects so many: `corosync-quorumtool -e %d`",
					expected),
			},
		})
	}
	return found
}

// waiting reports a Corosync that gives no quorum before it has seen every node once.
func (v *view) waiting() doctor.Finding {
	var missing []string
	for _, m := range v.keys.Members() {
		if v.keys["runtime.members."+m.ID+".status"] != "joined" {
			missing = append(missing, m.Label())
		}
	}
	return doctor.Finding{
		Severity: doctor.Error, Subject: "wait_for_all",
		What: "Corosync has started and waits for all nodes (wait_for_all): " +
			strings.Join(missing, ", ") + " has not been seen",
		Why: "there is no quorum until then, and nothing runs here: a node that starts alone cannot " +
			"know whether the others serve",
		Todo: []string{
			"start " + strings.Join(missing, ", ") + ", or, only if it is switched off: `" +
				corosync.StopWaiting + "`",
		},
	}
}

// sameVotes reports whether every node has one vote.
func (v *view) sameVotes() bool {
	for i := range v.keys.Members() {
		if votes, ok := v.keys[fmt.Sprintf("nodelist.node.%d.quorum_votes", i)]; ok &&
			votes != "1" {
			return false
		}
	}
	return true
}

func deviceAt(v *view, model string) string {
	if host := v.keys["quorum.device."+model+".host"]; host != "" {
		return model + " at " + host
	}
	return model
}
