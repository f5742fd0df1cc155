package corosync

import (
	"path/filepath"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// checkTiming returns what internal/corosync finds about the times.
func checkTiming(v *view) []doctor.Finding {
	all := v.timing.Findings()
	if v.confErr == nil {
		all = append(all, v.conf.Written()...)
	}
	if realTime, there := corosync.RealTime(filepath.Join("/", v.Files, "/proc")); there &&
		!realTime {
		all = append(all, corosync.Ordinary())
	}
	var found []doctor.Finding
	for _, f := range all {
		out := doctor.Finding{
			Severity: doctor.Warning, Subject: f.Name, What: f.Text, Fix: []string{"hawser timing"},
			Why: "nodes that are alive are taken for dead, and their addresses move",
		}
		switch f.Name {
		case "token", "token_coefficient":
			out.Severity, out.Why = doctor.Note, "a failed node is noticed later than it could "+
				"be; where machines are paused for seconds that is as it should be"
			out.Fix = []string{
				"hawser timing --for lan    # the totem section for a LAN; --for cloud is the " +
					"other",
			}
		case "sched_rr":
			out.Node = v.Node
			out.Fix = []string{
				"chrt --all-tasks --rr --pid 99 $(pidof corosync)    # until its next start: see " +
					"LimitRTPRIO and CAP_SYS_NICE of its unit or container",
			}
		default:
			out.Fix = append(out.Fix,
				"hawser timing --for lan    # the totem section to put into "+confFile+
					" on every node; or --for cloud",
				"corosync-cfgtool -R")
		}
		found = append(found, out)
	}
	return found
}
