package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/corosync"
)

// checkTiming hands on what internal/corosync has found about the times.
func checkTiming(v *corosyncView) []Finding {
	all := v.timing.Findings()
	if v.confErr == nil {
		all = append(all, v.conf.Written()...)
	}
	if realTime, there := corosync.RealTime(filepath.Join("/", v.Files, "/proc")); there && !realTime {
		all = append(all, corosync.Ordinary())
	}
	var found []Finding
	for _, f := range all {
		out := Finding{Severity: Warning, Subject: f.Name, What: f.Text, Fix: []string{"hawser timing"},
			Why: "nodes that are alive are taken for lost, and their addresses move"}
		switch f.Name {
		case "token", "token_coefficient":
			out.Severity, out.Why = Note, "a lost node is missed later than it could be; in a network whose machines are paused for seconds that is as it should be"
			out.Fix = []string{"hawser timing --for lan    # the totem section for a LAN; --for cloud is the other"}
		case "sched_rr":
			out.Node = v.Node
			out.Fix = []string{"chrt --all-tasks --rr --pid 99 $(pidof corosync)    # until its next start: see LimitRTPRIO and CAP_SYS_NICE of its unit or container"}
		default:
			out.Fix = append(out.Fix, "hawser timing --for lan    # the totem section to put into "+corosyncConf+" on every node; or --for cloud", "corosync-cfgtool -R")
		}
		found = append(found, out)
	}
	return found
}

// checkReloaded compares the file with what runs.
func checkReloaded(v *corosyncView) []Finding {
	if v.confErr != nil {
		return nil // said elsewhere
	}
	var differ []string
	for key, want := range v.written {
		section, _, _ := strings.Cut(key, ".")
		if !slices.Contains([]string{"totem", "nodelist", "quorum"}, section) || strings.HasSuffix(key, ".linknumber") || strings.HasSuffix(key, ".ringnumber") {
			continue
		}
		if now, ok := v.keys[key]; !ok || now != want {
			differ = append(differ, key)
		}
	}
	for key := range v.keys {
		if _, ok := v.written[key]; !ok && strings.HasPrefix(key, "totem.interface.") && strings.Contains(key, ".knet_ping_") {
			differ = append(differ, key)
		}
	}
	if len(v.written.Members()) != len(v.keys.Members()) {
		differ = append(differ, "nodelist")
	}
	if len(differ) == 0 {
		file := v.conf.In(v.conf.Nodes)
		file.PingInterval, file.PingTimeout = v.timing.PingInterval, v.timing.PingTimeout // each link has its own, among the keys
		if len(v.written.Members()) > 0 && file != v.timing {
			differ = []string{"totem"} // a time that the file does not set any more
		} else {
			return nil
		}
	}
	slices.Sort(differ)
	what := fmt.Sprintf("%s says otherwise than what is in force: %s", corosyncConf, strings.Join(differ[:min(3, len(differ))], ", "))
	if len(differ) > 3 {
		what += fmt.Sprintf(" and %d more", len(differ)-3)
	}
	f := Finding{Severity: Warning, Subject: corosyncConf, What: what, Why: "it was edited and not reloaded: the next start of Corosync takes it, perhaps on one node only, which then finds the others no more",
		Fix: []string{"corosync-cfgtool -R    # once the file is the same on every node"}}
	for _, key := range []string{"totem.transport", "totem.version", "totem.ip_version"} {
		if slices.Contains(differ, key) {
			f.Fix = []string{"systemctl restart corosync pacemaker    # on every node at the same time, with the resources stopped: " + key + " is read at the start only"}
		}
	}
	return at(v.Node, []Finding{f})
}
