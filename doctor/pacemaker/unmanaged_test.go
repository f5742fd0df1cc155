package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeUnmanaged provokes the findings of the check unmanaged.
func provokeUnmanaged() []provoked {
	return []provoked{
		{
			name: "maintenance", provoke: property("maintenance-mode", "true"), want: doctor.Error,
			says: "the whole cluster",
		},
		{
			name: "all stopped", provoke: property("stop-all-resources", "true"),
			want: doctor.Error, says: "nothing is served",
		},
		{
			name: "one unmanaged",
			provoke: sh("crm_resource --resource FloatIP --meta --set-parameter is-managed " +
				"--parameter-value false"),
			want: doctor.Error, says: "FloatIP is not managed",
		},
		{
			name: "the clone unmanaged",
			provoke: sh("crm_resource --resource haproxy-clone --meta --set-parameter is-managed " +
				"--parameter-value no"),
			want: doctor.Error, says: "haproxy-clone is not managed",
		},
		{
			name:    "all unmanaged by default",
			provoke: sh("hawser configure rsc_defaults is-managed=false"), want: doctor.Error,
			says: "not managed by default",
		},
		{name: "all unmanaged by the old option", provoke: func(t *testing.T, b *bench.Cluster) {
			// from before schema 3.0
			b.Edit(t, `validate-with="pacemaker-3.9"`, `validate-with="pacemaker-2.10"`)
			b.Edit(t, `name="dc-deadtime" value="2s"/>`,
				`name="dc-deadtime" value="2s"/><nvpair id="imd" name="is-managed-default" `+
					`value="false"/>`)
		}, want: doctor.Error, says: "is-managed-default=false"},
		{
			name:    "all stopped by default",
			provoke: sh("hawser configure rsc_defaults target-role=Stopped"), want: doctor.Error,
			says: "resources are stopped by default",
		},
		{
			name: "a resource in maintenance",
			provoke: sh("crm_resource --resource FloatIP --meta --set-parameter maintenance " +
				"--parameter-value true"),
			want: doctor.Error, says: "FloatIP is in maintenance",
		},
		{
			name: "stopped",
			provoke: sh("crm_resource --resource FloatIP --meta --set-parameter target-role " +
				"--parameter-value Stopped"),
			want: doctor.Warning, says: "FloatIP is kept stopped",
		},
	}
}
