package doctor

import (
	"time"

	"github.com/hawser-ha/hawser/internal/sbd"
)

// What a node reports about its sbd.
const (
	sbdIdle = "not running"
	sbdDisk = "with a disk"
)

// SBDFact returns what the node reports of its sbd to the others.
func SBDFact(n sbd.Daemon) string {
	switch {
	case !n.Running:
		return sbdIdle
	case n.Disks != "":
		return sbdDisk // the disk's own time-outs apply
	case n.Fires() == 0:
		return n.Word
	}
	return n.Fires().String()
}

// ReportedSBD parses another node's report, nil if there is none.
func ReportedSBD(facts map[string]string) *sbd.Daemon {
	fact, ok := facts[FactSBD]
	if !ok {
		return nil
	}
	n := sbd.Daemon{Running: fact != sbdIdle}
	switch {
	case !n.Running:
	case fact == sbdDisk:
		n.Disks = fact
	default:
		n.Word = fact
		if d, err := time.ParseDuration(fact); err == nil && d > 0 {
			n.Timeout = d
		}
	}
	return &n
}

// StartSBD returns the commands that start it on a node. Its unit can be started only together with
// Corosync (RefuseManualStart).
func StartSBD(node string) []string {
	return []string{
		"systemctl enable sbd.service    # on " + node,
		"systemctl restart corosync.service pacemaker.service    # on " + node +
			": sbd starts with Corosync; what runs there moves away meanwhile, so one node at a " +
			"time",
	}
}
