package crm

import (
	"strings"
	"time"
)

// Options of the cluster that decide about fencing (Pacemaker Explained, "Cluster Options").
const (
	StonithEnabled  = "stonith-enabled"
	WatchdogTimeout = "stonith-watchdog-timeout"
	HaveWatchdog    = "have-watchdog" // written by Pacemaker itself
	NoQuorumPolicy  = "no-quorum-policy"
	PriorityDelay   = "priority-fencing-delay"
)

// FencingEnabled says whether fencing is on (stonith-enabled), which is Pacemaker's default.
func (c *CIB) FencingEnabled() bool {
	value, ok := c.Property(StonithEnabled)
	return !ok || !IsFalse(value)
}

// Watchdogs says whether Pacemaker counts the nodes' watchdogs (SBD without a disk) as a fence
// device, and whether unreachable nodes are really left to them: unpack_config() of Pacemaker
// checks the first before it starts anything, and the second when it has to fence.
func (c *CIB) Watchdogs() (there, used bool) {
	have, _ := c.Property(HaveWatchdog)
	there = IsTrue(have)
	wait, _, ok := c.WatchdogTimeout()
	return there, there && (!ok || wait != 0)
}

// WatchdogTimeout reads stonith-watchdog-timeout: 0 if unreachable nodes are not left to their
// watchdogs, negative for twice each node's own SBD_WATCHDOG_TIMEOUT. word is the value as written;
// ok is false if it is not a time.
func (c *CIB) WatchdogTimeout() (wait time.Duration, word string, ok bool) {
	word, set := c.Property(WatchdogTimeout)
	switch {
	case !set:
		return 0, "", true
	case strings.HasPrefix(word, "-"):
		return -1, word, true
	}
	wait, err := ParseInterval(word)
	return wait, word, err == nil
}
