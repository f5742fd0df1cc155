package doctor

import (
	"path/filepath"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/sbd"
)

// DefaultWatchdog is sbd's own watchdog time-out (sbd(8), -1).
const DefaultWatchdog = 5 * time.Second

// SBD is sbd on one node.
type SBD struct {
	// Runs says whether it runs.
	Runs bool
	// Disks are those of SBD_DEVICE, "" without a disk.
	Disks string
	// Watchdog is the SBD_WATCHDOG_TIMEOUT in effect; 0 if the file's value is not a time; Word is
	// the value as written.
	Watchdog time.Duration
	Word     string
	// Path is the file with the settings, "" if there is none.
	Path string
}

// SBDHere finds out about sbd on this node. root is put before the paths.
func SBDHere(root string) (SBD, error) {
	proc := procfs.FS(filepath.Join("/", root, "proc"))
	return ReadSBD(root, len(proc.Named("sbd")) > 0)
}

// ReadSBD reads the settings of this node's sbd. root is put before the paths.
func ReadSBD(root string, runs bool) (SBD, error) {
	settings, path, err := sbd.Read(root)
	if err != nil {
		return SBD{Runs: runs, Watchdog: DefaultWatchdog}, err
	}
	n := SBD{
		Runs: runs, Watchdog: DefaultWatchdog, Disks: settings[sbd.Device],
		Word: settings[sbd.Timeout], Path: path,
	}
	if n.Word != "" {
		if n.Watchdog, err = crm.ParseInterval(n.Word); err != nil {
			n.Watchdog = 0
		}
	}
	return n, nil
}

// What a node reports about its sbd.
const (
	sbdIdle = "not running"
	sbdDisk = "with a disk"
)

// Fact returns what the node reports about it to the others.
func (n SBD) Fact() string {
	switch {
	case !n.Runs:
		return sbdIdle
	case n.Disks != "":
		return sbdDisk // the disk's own time-outs apply
	case n.Watchdog == 0:
		return n.Word
	}
	return n.Watchdog.String()
}

// ReportedSBD parses another node's report, nil if there is none.
func ReportedSBD(facts map[string]string) *SBD {
	fact, ok := facts[FactSBD]
	if !ok {
		return nil
	}
	n := SBD{Runs: fact != sbdIdle}
	switch {
	case !n.Runs:
	case fact == sbdDisk:
		n.Disks = fact
	default:
		if d, err := time.ParseDuration(fact); err == nil && d > 0 {
			n.Watchdog = d
		} else {
			n.Word = fact
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
