package pacemaker

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// sbdNodes is sbd on this node and on the others.
type sbdNodes struct {
	// of has the nodes about which something is known, silent the online nodes about which nothing
	// is.
	of     map[string]sbd.Daemon
	silent []string
}

// where lists the nodes for which so is true.
func (s sbdNodes) where(so func(sbd.Daemon) bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.of)) {
		if so(s.of[name]) {
			names = append(names, name)
		}
	}
	return names
}

func idle(n sbd.Daemon) bool { return !n.Running }

// diskless reports whether sbd has nothing but the watchdog.
func diskless(n sbd.Daemon) bool { return n.Running && n.Disks == "" }

// watchdogs returns the shortest and the longest watchdog time-out of nodes without a disk, and the
// node with the longest; 0 if there is no such node.
func (s sbdNodes) watchdogs() (shortest, longest time.Duration, where string) {
	for _, name := range s.where(diskless) {
		d := s.of[name].Fires()
		if d == 0 {
			continue // reported on its own
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

// relyOnWatchdogs returns the commands that make Pacemaker wait for the slowest node's watchdog.
// Where sbd is not running, or its watchdog is slower, Pacemaker shuts itself down as soon as the
// option is written (2.1.5, "Shutting down: stonith-watchdog-timeout …").
func (s sbdNodes) relyOnWatchdogs() []string {
	_, longest, _ := s.watchdogs()
	write := fmt.Sprintf("crm_attribute --name stonith-watchdog-timeout --update %ds",
		int((2 * cmp.Or(longest, sbd.DefaultTimeout)).Seconds()))
	var first []string
	for _, name := range s.where(idle) {
		first = append(first, doctor.StartSBD(name)...)
	}
	if len(first) > 0 || len(s.silent) > 0 || longest == 0 {
		write += "    # only once sbd runs on every node, and this is twice the largest " +
			"SBD_WATCHDOG_TIMEOUT: otherwise Pacemaker shuts itself down at once"
	}
	return append(first, write)
}
