package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeQuorum provokes the findings of the check quorum-policy.
func provokeQuorum() []provoked {
	return []provoked{
		{
			name: "quorum is ignored", provoke: property("no-quorum-policy", "ignore"),
			want: doctor.Error, says: "both serve",
		},
		{
			name: "quorum freezes", provoke: property("no-quorum-policy", "freeze"),
			want: doctor.Warning, says: "freeze",
		},
		{name: "suicide without fencing", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Sh(t,
				"crm_attribute --name stonith-enabled --update false; crm_attribute --name "+
					"no-quorum-policy --update suicide")
		}, want: doctor.Warning, says: "treats the policy as stop", live: true,
			also: []string{"fencing"}},
		{
			name: "a policy that there is not", provoke: property("no-quorum-policy", "panic"),
			want: doctor.Warning, says: "does not know",
		},
		{
			name: "no quorum, and a node that is not seen",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Edit(t, `have-quorum="1"`, `have-quorum="0"`)
				b.Remove(t, "//node_state[@uname='lb-2']")
			}, want: doctor.Error, says: "lb-2 not seen from here", live: true,
			also: []string{"nodes"},
		},
		{
			name: "no quorum", provoke: edit(`have-quorum="1"`, `have-quorum="0"`),
			want: doctor.Error, says: "has no quorum", live: true,
		},
	}
}
