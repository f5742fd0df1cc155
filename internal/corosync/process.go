package corosync

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Linux's scheduling policies that take precedence over all ordinary processes (sched(7)).
const (
	schedFIFO = 1
	schedRR   = 2
)

// RealTime says whether the Corosync of this node has the real-time priority that it asks for at
// its start (system.sched_rr). found is false if none runs. proc is /proc.
func RealTime(proc string) (realTime, found bool) {
	dirs, _ := filepath.Glob(proc + "/[0-9]*") // the pattern is well-formed
	for _, dir := range dirs {
		comm, err := os.ReadFile(dir + "/comm")
		if err != nil || string(comm) != "corosync\n" {
			continue // ended meanwhile, or another program
		}
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue
		}
		if policy, err := policyOf(string(stat)); err == nil {
			return policy == schedFIFO || policy == schedRR, true
		}
	}
	return false, false
}

// policyOf reads field 41 of /proc/PID/stat (proc(5)). The second field, in parentheses, may hold
// spaces and parentheses itself.
func policyOf(stat string) (int, error) {
	const policy, afterName = 41, 3
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= policy-afterName {
		return 0, fmt.Errorf("/proc/PID/stat: only %d fields in %q", len(fields), stat)
	}
	return strconv.Atoi(fields[policy-afterName])
}

// Ordinary is the finding that Corosync has no real-time priority.
func Ordinary() Finding {
	return Finding{
		"sched_rr",
		"Corosync runs without real-time priority, because it may not have it (a container " +
			"without CAP_SYS_NICE?) or is configured so (system.sched_rr): " +
			"with every core busy, tokens of 400ms and less lost living nodes within minutes " +
			"(docs/timing.md)",
	}
}
