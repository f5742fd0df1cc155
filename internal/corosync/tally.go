package corosync

import (
	"fmt"
	"strconv"
)

// Tally is how many votes a configuration gives, and how many of them make a quorum (votequorum(5)).
type Tally struct {
	// Nodes are the votes of all nodes together, Device those of the quorum device.
	Nodes, Device int
	// Expected are all votes, Needed how many make a quorum.
	Expected, Needed int
	// Each is the votes of a node by its label.
	Each map[string]int
}

// Tally counts the votes of a configuration, written or in force.
func (k Keys) Tally() Tally {
	t := Tally{Each: map[string]int{}}
	for i, m := range k.Members() {
		votes := 1
		if n, err := strconv.Atoi(k[fmt.Sprintf("nodelist.node.%d.quorum_votes", i)]); err == nil {
			votes = n
		}
		t.Each[m.Label()] = votes
		t.Nodes += votes
	}
	if k["quorum.device.model"] != "" {
		t.Device = t.Nodes - 1
		if n, err := strconv.Atoi(k["quorum.device.votes"]); err == nil {
			t.Device = n
		}
	}
	t.Expected = t.Nodes + t.Device
	if n, err := strconv.Atoi(k["quorum.expected_votes"]); err == nil && n > 0 {
		t.Expected = n
	}
	t.Needed = t.Expected/2 + 1
	if on(k["quorum.two_node"]) && t.Device == 0 && t.Expected == 2 {
		t.Needed = 1
	}
	return t
}

func on(word string) bool { return word == "1" || word == "yes" }
