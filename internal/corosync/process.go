package corosync

import "github.com/hawser-ha/hawser/internal/procfs"

// Linux's scheduling policies that take precedence over all ordinary processes (sched(7)).
const (
	schedFIFO = 1
	schedRR   = 2
)

// RealTime says whether the Corosync of this node has the real-time priority that it asks for at
// its start (system.sched_rr). found is false if none runs. proc is /proc.
func RealTime(proc string) (realTime, found bool) {
	for _, pid := range procfs.FS(proc).RootsNamed("corosync") {
		// one that has ended meanwhile is passed over
		if stat, err := procfs.FS(proc).Stat(pid); err == nil {
			return stat.Policy == schedFIFO || stat.Policy == schedRR, true
		}
	}
	return false, false
}

// Ordinary is the finding that Corosync has no real-time priority.
func Ordinary() Finding {
	return Finding{
		"sched_rr",
		"Corosync runs without real-time priority, because it may not have it (a container " +
			"without CAP_SYS_NICE?) or is configured so (system.sched_rr): " +
			"with every core busy, tokens of 400ms and less lost living nodes within minutes " +
			"(/usr/share/doc/hawser/timing.md)",
	}
}
