package corosync

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Votes is what corosync-quorumtool says.
type Votes struct {
	Quorate bool
	// Expected and Total are votes; Needed is how many make a quorum.
	Expected, Total, Needed int
	// Flags are votequorum's: 2Node, WaitForAll, LastManStanding, Qdevice …
	Flags []string
	// Members is how many nodes are present, and Device is what this node's line says about a
	// quorum device, such as "A,V,NMW" or "NR".
	Members int
	Device  string
	// DeviceVotes are the votes of the quorum device's own line, if it has one.
	DeviceVotes int
}

// AskVotes asks the Corosync of this node.
func AskVotes(ctx context.Context) (Votes, error) {
	text, err := ask(ctx, "corosync-quorumtool", "-sp")
	if err != nil {
		return Votes{}, err
	}
	return ParseVotes(text)
}

// ParseVotes reads what `corosync-quorumtool -sp` prints (corosync 3.1.7,
// tools/corosync-quorumtool.c).
func ParseVotes(text string) (Votes, error) {
	var q Votes
	seen := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(text))
	table := false
	for lines.Scan() {
		line := lines.Text()
		if fields := strings.Fields(line); table && len(fields) >= 2 {
			votes, err := strconv.Atoi(fields[1])
			switch {
			case err != nil:
			case fields[0] == "0": // "0  1  Qdevice": the device's own votes
				q.DeviceVotes = votes
			default:
				q.Members++
				if len(fields) > 3 && fields[len(fields)-1] == "(local)" {
					q.Device = fields[2]
				}
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			table = table || strings.HasPrefix(strings.TrimSpace(line), "Nodeid")
			continue
		}
		value = strings.TrimSpace(value)
		number := map[string]*int{
			"Expected votes": &q.Expected, "Total votes": &q.Total, "Quorum": &q.Needed,
		}[name]
		switch {
		case number != nil:
			word, _, _ := strings.Cut(value, " ") // "Quorum: 3 Activity blocked"
			n, err := strconv.Atoi(word)
			if err != nil {
				return Votes{}, fmt.Errorf("corosync-quorumtool: %s: %q is not a number", name,
					value)
			}
			*number = n
			seen[name] = true
		case name == "Quorate":
			q.Quorate = value == "Yes"
			seen[name] = true
		case name == "Flags":
			q.Flags = strings.Fields(value)
		}
	}
	if len(seen) < 4 {
		return Votes{}, fmt.Errorf(
			"corosync-quorumtool: votes and quorum are not among its %d lines: is the quorum's "+
				"provider corosync_votequorum?",
			strings.Count(text, "\n"))
	}
	return q, nil
}
