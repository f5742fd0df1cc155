package pacemaker

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeFailures provokes the findings of the check failures.
func provokeFailures() []provoked {
	return []provoked{
		{name: "runs nowhere", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Remove(t, "//lrm_resource[@id='FloatIP']")
		}, want: doctor.Error, says: "FloatIP is not running on any node", live: true},
		{
			name:    "failed once",
			provoke: func(t *testing.T, b *bench.Cluster) { b.Fail(t, "FloatIP", "monitor", "2") },
			want:    doctor.Warning, says: "FloatIP has failed on lb-3, fail count 2", live: true,
		},
		{name: "failed, with a reason", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "haproxy", "monitor", "2")
			b.Edit(t, `<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser">`,
				`<lrm_resource id="haproxy" type="haproxy" class="ocf" provider="hawser">`+
					`<lrm_rsc_op id="haproxy_last_failure_0" `+
					`operation_key="haproxy_monitor_15000" `+
					`operation="monitor" crm_feature_set="3.16.1" `+
					`transition-key="20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" `+
					`transition-magic="0:1;20:2:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" `+
					`exit-reason="its worker is gone" `+
					`call-id="40" rc-code="1" op-status="0" interval="15000" `+
					`last-rc-change="1795274200" exec-time="5" queue-time="0"/>`)
		}, want: doctor.Warning, says: "its worker is gone", live: true},
		{name: "failed too often", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "haproxy", "start", "INFINITY")
			b.Edit(t,
				`<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" `+
					`value="10s"/>`,
				"")
		}, want: doctor.Error, says: "does not run on lb-3 any more", live: true,
			also: []string{"recovery"}},
		{
			name: "failed too often, for a time",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Fail(t, "haproxy", "start",
					"INFINITY")
			},
			want: doctor.Warning, says: "for its failure-timeout, 10s", live: true,
		},
		{name: "as often as it may", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Fail(t, "FloatIP", "monitor", "3")
			b.Sh(t,
				"crm_resource --resource FloatIP --meta --set-parameter migration-threshold "+
					"--parameter-value 3")
			b.Edit(t,
				`<nvpair id="FloatIP-meta_attributes-failure-timeout" name="failure-timeout" `+
					`value="60s"/>`,
				"")
		}, want: doctor.Error, says: "does not run on lb-3 any more", live: true,
			also: []string{"recovery"}},
	}
}
