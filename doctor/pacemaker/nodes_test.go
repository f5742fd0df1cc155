package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeNodes provokes the findings of the check nodes.
func provokeNodes() []provoked {
	return []provoked{
		{
			name: "standby", provoke: sh("crm_standby --node lb-2 --update on"),
			want: doctor.Warning, says: "lb-2 is in standby",
		},
		{
			name:    "maintenance of a node",
			provoke: sh("crm_attribute --node lb-2 --name maintenance --update true"),
			want:    doctor.Error, says: "lb-2 is in maintenance",
		},
		{name: "offline", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Cut(t, `<lrm id="3">`, `</lrm>`)
			b.Edit(t,
				`uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" `+
					`join="member" expected="member"`,
				`uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="down"`)
		}, want: doctor.Warning, says: "lb-3 is offline", live: true, also: []string{"fencing"}},
		{
			name: "unclean",
			provoke: edit(
				`uname="lb-3" in_ccm="true" crmd="online" crm-debug-origin="do_update_resource" `+
					`join="member" expected="member"`,
				`uname="lb-3" in_ccm="false" crmd="offline" join="down" expected="member"`),
			want: doctor.Error, says: "lb-3 is unclean", live: true,
		},
	}
}
