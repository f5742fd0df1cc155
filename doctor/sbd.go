package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// defaultWatchdog is sbd's own watchdog time-out (sbd(8), -1).
const defaultWatchdog = 5 * time.Second

// sbdNode is sbd as one node has it.
type sbdNode struct {
	runs  bool
	disks string // SBD_DEVICE, "" without a disk
	// watchdog is SBD_WATCHDOG_TIMEOUT in effect; 0 where what the file says is no time: word is that then.
	watchdog time.Duration
	word     string
	// path is the file with the settings, "" if there is none.
	path string
}

// sbdFiles are the files that sbd's unit reads: Debian's, and Red Hat's and SUSE's.
var sbdFiles = []string{"/etc/default/sbd", "/etc/sysconfig/sbd"}

// readSBD reads the settings of this node's sbd. root stands before the paths.
func readSBD(root string, runs bool) (sbdNode, error) {
	n := sbdNode{runs: runs, watchdog: defaultWatchdog}
	for _, path := range sbdFiles {
		text, err := os.ReadFile(filepath.Join("/", root, path))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return n, fmt.Errorf("read sbd's settings: %w", err)
		}
		n.path = path
		for line := range strings.Lines(string(text)) {
			name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			value = strings.Trim(strings.TrimSpace(value), `"'`)
			switch {
			case !ok || value == "":
			case strings.TrimSpace(name) == "SBD_DEVICE":
				n.disks = value
			case strings.TrimSpace(name) == "SBD_WATCHDOG_TIMEOUT":
				n.word = value
				if n.watchdog, ok = timeOf(value); !ok || n.watchdog < 0 {
					n.watchdog = 0
				}
			}
		}
		break
	}
	return n, nil
}

// What a node tells the others of its sbd.
const (
	sbdIdle = "not running"
	sbdDisk = "with a disk"
)

// fact is what a node tells the others.
func (n sbdNode) fact() string {
	switch {
	case !n.runs:
		return sbdIdle
	case n.disks != "":
		return sbdDisk // the disk's own times count
	case n.watchdog == 0:
		return n.word
	}
	return n.watchdog.String()
}

// heardSBD is what another node told, nil for nothing.
func heardSBD(facts map[string]string) *sbdNode {
	fact, ok := facts[factSBD]
	if !ok {
		return nil
	}
	n := sbdNode{runs: fact != sbdIdle}
	switch {
	case !n.runs:
	case fact == sbdDisk:
		n.disks = fact
	default:
		if d, err := time.ParseDuration(fact); err == nil && d > 0 {
			n.watchdog = d
		} else {
			n.word = fact
		}
	}
	return &n
}

// sbdNodes is sbd on this node and on the others.
type sbdNodes struct {
	// of are the nodes of which something is known, silent those that run and of which nothing is.
	of     map[string]sbdNode
	silent []string
}

// where lists the nodes for which it is so.
func (s sbdNodes) where(so func(sbdNode) bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		if so(s.of[name]) {
			names = append(names, name)
		}
	}
	return names
}

func idle(n sbdNode) bool { return !n.runs }

// diskless is sbd that has nothing but the watchdog.
func diskless(n sbdNode) bool { return n.runs && n.disks == "" }

// watchdogs are the shortest and the longest watchdog time-out of nodes without a disk, and the node with the longest; 0 if there is no such node.
func (s sbdNodes) watchdogs() (shortest, longest time.Duration, where string) {
	for _, name := range s.where(diskless) {
		d := s.of[name].watchdog
		if d == 0 {
			continue // told of on its own
		}
		if d > longest {
			longest, where = d, name
		}
		if shortest == 0 || d < shortest {
			shortest = d
		}
	}
	return shortest, longest, where
}

// relyOnWatchdogs is the command that lets Pacemaker wait for the slowest node's watchdog. Where sbd does not run, or its watchdog is
// slower, Pacemaker ends itself as soon as the option is written (2.1.5, "Shutting down: stonith-watchdog-timeout …").
func (s sbdNodes) relyOnWatchdogs() []string {
	_, longest, _ := s.watchdogs()
	write := fmt.Sprintf("crm_attribute --name stonith-watchdog-timeout --update %ds", int((2 * cmp.Or(longest, defaultWatchdog)).Seconds()))
	var first []string
	for _, name := range s.where(idle) {
		first = append(first, startSBD(name)...)
	}
	if len(first) > 0 || len(s.silent) > 0 || longest == 0 {
		write += "    # only once sbd runs on every node, and this is twice the largest SBD_WATCHDOG_TIMEOUT: where that is not so Pacemaker ends itself at once"
	}
	return append(first, write)
}

// startSBD are the commands that start it on a node. Its unit can be started with Corosync only (RefuseManualStart).
func startSBD(node string) []string {
	return []string{"systemctl enable sbd.service    # on " + node, "systemctl restart corosync.service pacemaker.service    # on " + node + ": sbd starts with Corosync; what runs there moves away meanwhile, so one node at a time"}
}

func timeOf(word string) (time.Duration, bool) {
	d, err := crm.ParseInterval(word)
	return d, err == nil
}

// watchdogWait is stonith-watchdog-timeout: 0 where lost nodes are not left to their watchdogs, negative for twice each node's own
// SBD_WATCHDOG_TIMEOUT. ok is false for what is no time.
func watchdogWait(cib *crm.CIB) (wait time.Duration, word string, ok bool) {
	word, set := cib.Property("stonith-watchdog-timeout")
	switch {
	case !set:
		return 0, "", true
	case strings.HasPrefix(word, "-"):
		return -1, word, true
	}
	wait, ok = timeOf(word)
	return wait, word, ok
}
