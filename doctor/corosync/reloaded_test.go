package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeReloaded provokes the findings of the check corosync-reloaded.
func provokeReloaded() []provoked {
	return []provoked{
		{
			name: "edited and not reloaded",
			provoke: func(t *testing.T, r *ring) {
				r.replace(t, &r.conf, "token: 300",
					"token: 3000")
			},
			want: doctor.Warning, says: "totem.token", also: "corosync-timing",
		},
		{name: "a node added and not reloaded", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.conf, "nodelist {\n",
				"nodelist {\n\tnode {\n\t\tname: lb-0\n\t\tnodeid: 9\n\t\tring0_addr: "+
					"10.132.0.10\n\t}\n")
		}, want: doctor.Warning, says: "nodelist"},
		{
			name: "another transport, not restarted",
			provoke: func(t *testing.T, r *ring) {
				r.replace(t, &r.conf, "transport: knet",
					"transport: udpu")
			},
			want: doctor.Warning, says: "totem.transport",
		},
		{name: "a time that the file does not set any more", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.cmap, "runtime.config.totem.consensus (u32) = 360",
				"runtime.config.totem.consensus (u32) = 400")
		}, want: doctor.Warning, says: "totem"},
	}
}
