package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeClone provokes the findings of the check haproxy-clone.
func provokeClone() []provoked {
	return []provoked{
		{name: "not cloned", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Unclone(t)
		}, want: doctor.Error, says: "it is not cloned", also: []string{"address-colocation"}},
		{
			name:    "not interleaved",
			provoke: edit(`name="interleave" value="true"`, `name="interleave" value="false"`),
			want:    doctor.Warning, says: "not interleaved",
		},
		{
			name: "on two nodes only",
			provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter clone-max " +
				"--parameter-value 2"),
			want: doctor.Warning, says: "on 2 of 3 nodes",
		},
		{
			name: "globally unique",
			provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter " +
				"globally-unique --parameter-value true"),
			want: doctor.Warning, says: "globally unique",
		},
	}
}
