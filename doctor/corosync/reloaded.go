package corosync

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
)

// checkReloaded compares the file with what runs.
func checkReloaded(v *view) []doctor.Finding {
	if v.confErr != nil {
		return nil // another check reports it
	}
	var differ []string
	for key, want := range v.written {
		section, _, _ := strings.Cut(key, ".")
		if !slices.Contains([]string{
			"totem", "nodelist", "quorum",
		}, section) || strings.HasSuffix(key, ".linknumber") ||
			strings.HasSuffix(key, ".ringnumber") {
			continue
		}
		if now, ok := v.keys[key]; !ok || now != want {
			differ = append(differ, key)
		}
	}
	for key := range v.keys {
		if _, ok := v.written[key]; !ok && strings.HasPrefix(key, "totem.interface.") &&
			strings.Contains(key, ".knet_ping_") {
			differ = append(differ, key)
		}
	}
	if len(v.written.Members()) != len(v.keys.Members()) {
		differ = append(differ, "nodelist")
	}
	if len(differ) == 0 {
		file := v.conf.In(v.conf.Nodes)
		// each link has its own, among the keys
		file.PingInterval, file.PingTimeout = v.timing.PingInterval, v.timing.PingTimeout
		if len(v.written.Members()) > 0 && file != v.timing {
			differ = []string{"totem"} // a time that the file no longer sets
		} else {
			return nil
		}
	}
	slices.Sort(differ)
	what := fmt.Sprintf("%s differs from what is in force: %s", confFile,
		strings.Join(differ[:min(3, len(differ))], ", "))
	if len(differ) > 3 {
		what += fmt.Sprintf(" and %d more", len(differ)-3)
	}
	f := doctor.Finding{
		Severity: doctor.Warning, Subject: confFile, What: what,
		Why: "it was edited and not reloaded: the next start of Corosync uses it, perhaps on one " +
			"node only, which then no longer finds the others",
		Fix: []string{"corosync-cfgtool -R    # once the file is the same on every node"},
	}
	for _, key := range []string{"totem.transport", "totem.version", "totem.ip_version"} {
		if slices.Contains(differ, key) {
			f.Fix, f.Todo = nil, []string{
				"restart corosync and pacemaker on every node at the same time, with the resources " +
					"stopped: " + key + " is read at the start only",
			}
		}
	}
	return doctor.At(v.Node, []doctor.Finding{f})
}
