package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeTiming provokes the findings of the check corosync-timing.
func provokeTiming() []provoked {
	return []provoked{
		{name: "a slow token", provoke: func(t *testing.T, r *ring) {
			r.set(t, "totem", "consensus", "9000")
			r.replace(t, &r.cmap, "runtime.config.totem.consensus (u32) = 360",
				"runtime.config.totem.consensus (u32) = 9000")
		}, want: doctor.Note, says: "on a LAN"},
		{name: "pings that cannot be kept", provoke: func(t *testing.T, r *ring) {
			for _, key := range []string{"runtime.config.totem", "totem"} {
				r.replace(t, &r.cmap, key+".interface.0.knet_ping_timeout (u32) = 1000",
					key+".interface.0.knet_ping_timeout (u32) = 300")
			}
			r.replace(t, &r.conf, "knet_ping_timeout: 1000", "knet_ping_timeout: 300")
		}, want: doctor.Warning, says: "links go down"},
		{name: "no real-time priority", provoke: func(t *testing.T, r *ring) {
			r.File(t, "/proc/55/comm", "corosync\n")
			r.File(t, "/proc/55/status", "\nUid:\t0\t0\t0\t0\n")
			r.File(t, "/proc/55/stat",
				"55 (corosync) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0 0 0 0 "+
					"0 0 0 0 0 0 17 0 0 0 0 0 0\n")
		}, want: doctor.Warning, says: "real-time"},
	}
}
