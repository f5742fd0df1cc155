package corosync

import (
	"strings"
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeLinks provokes the findings of the check corosync-links.
func provokeLinks() []provoked {
	return []provoked{
		{name: "one link", provoke: func(_ *testing.T, r *ring) {
			for _, text := range []*string{&r.conf, &r.cmap} {
				var kept []string
				for _, l := range strings.SplitAfter(*text, "\n") {
					if !strings.Contains(l, "ring1_addr") {
						kept = append(kept, l)
					}
				}
				*text = strings.Join(kept, "")
			}
		}, want: doctor.Warning, says: "one link"},
		{name: "a link is down", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.stats, "stats.knet.node2.link1.connected (u8) = 1",
				"stats.knet.node2.link1.connected (u8) = 0")
		}, want: doctor.Error, says: "link 1 to lb-2 (10.133.0.12)"},
		{name: "a link of which nothing is said", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.stats, "stats.knet.node2.link1.connected (u8) = 1\n", "")
		}, want: doctor.Unknown, says: "link 1 to lb-2 (10.133.0.12)"},
		{name: "udpu", provoke: func(t *testing.T, r *ring) {
			r.replace(t, &r.conf, "transport: knet", "transport: udpu")
			r.replace(t, &r.cmap, "totem.transport (str) = knet", "totem.transport (str) = udpu")
		}, want: doctor.Warning, says: "the transport is udpu", also: "corosync-encryption"},
	}
}
