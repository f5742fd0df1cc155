package corosync

import (
	"regexp"
	"strconv"
	"strings"
)

// Quorum is how Corosync counts votes (votequorum(5)).
type Quorum struct {
	// TwoNode is two_node: each of two nodes has quorum alone.
	TwoNode bool
	// Device says whether a quorum device votes too (corosync-qdevice(8)).
	Device bool
}

// ParseQuorum reads what `corosync-cmapctl` prints.
func ParseQuorum(text string) Quorum {
	var q Quorum
	for line := range strings.Lines(text) {
		key, rest, ok := strings.Cut(strings.TrimSpace(line), " (")
		_, value, hasValue := strings.Cut(rest, "= ")
		if !ok || !hasValue {
			continue
		}
		switch key {
		case "quorum.two_node", "runtime.votequorum.two_node":
			q.TwoNode = q.TwoNode || value == "1" || value == "yes"
		case "quorum.device.model":
			q.Device = true
		}
	}
	return q
}

var groupMember = regexp.MustCompile(`^\s+([0-9]+)\s+([0-9]+)\b`)

// parseGroup reads what `corosync-cpgtool` prints: the name of a group, then a line for each member
// with its process and its node.
func parseGroup(text, name string) []int {
	var nodes []int
	inside := false
	for line := range strings.Lines(text) {
		m := groupMember.FindStringSubmatch(line)
		if m == nil {
			// The tool shows the byte that ends the name.
			inside = strings.TrimSuffix(strings.TrimSpace(line), `\x00`) == name
			continue
		}
		if id, err := strconv.Atoi(m[2]); err == nil && inside {
			nodes = append(nodes, id)
		}
	}
	return nodes
}
