package pacemaker

import (
	"strings"
	"testing"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeFencing provokes the findings of the check fencing.
func provokeFencing() []provoked {
	return []provoked{
		{
			name: "fencing off, device there", provoke: property("stonith-enabled", "false"),
			want: doctor.Error, says: "the device fence is configured",
		},
		{name: "fencing off, a cloud's address", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
		}, want: doctor.Warning, says: "there is no fencing", live: true},
		{name: "fencing off, a LAN's address", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="stonith-enabled" value="true"`, `name="stonith-enabled" value="false"`)
			b.Edit(t, `name="provider" value="digitalocean"`, `name="provider" value="lan"`)
		}, want: doctor.Error, says: "may keep FloatIP while", live: true},
		{name: "fencing off, left to the watchdogs", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, bench.PrimitiveFence, "")
			b.Edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
			b.File(t, "/proc/77/comm", "sbd\n")
			b.Sh(t,
				"crm_attribute --name stonith-watchdog-timeout --update 10s; crm_attribute "+
					"--name stonith-enabled --update false")
		}, want: doctor.Error, says: "although stonith-watchdog-timeout"},
		{
			name: "fencing on, and no device", provoke: edit(bench.PrimitiveFence, ""),
			want: doctor.Error, says: "will not start any resource", live: true,
		},
		{
			name: "a device for two of three nodes",
			provoke: edit(bench.PrimitiveFence,
				strings.Replace(bench.PrimitiveFence, "<operations>",
					`<instance_attributes id="fi"><nvpair id="fi-l" name="pcmk_host_map" `+
						`value="lb-1:1001;lb-3:1003"/></instance_attributes><operations>`,
					1)),
			want: doctor.Error, says: "no fence device is there for lb-2", live: true,
		},
		{
			name: "fencing without a monitor",
			provoke: edit(
				`<operations><op id="fence-monitor-1h" name="monitor" interval="1h"/></operations>`,
				""),
			want: doctor.Warning, says: "has no monitor",
		},
		{name: "a device that failed", provoke: func(t *testing.T, b *bench.Cluster) {
			b.Edit(t, `call-id="30" rc-code="0"`,
				`exit-reason="login refused" call-id="30" rc-code="1"`)
			b.Edit(t,
				`transition-magic="0:0;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" `+
					`exit-reason="login refused"`,
				`transition-magic="0:1;20:1:0:b067a151-c8f7-4a1a-b78a-270dd7b63400" `+
					`exit-reason="login refused"`)
		}, want: doctor.Error, says: "login refused", live: true},
		{
			name: "a node that no device is there for",
			provoke: edit(bench.PrimitiveFence,
				strings.Replace(bench.PrimitiveFence, `<operations>`,
					`<instance_attributes id="fence-params"><nvpair id="fence-hosts" `+
						`name="pcmk_host_list" value="lb-1 lb-2"/></instance_attributes>`+
						`<operations>`,
					1)),
			want: doctor.Error, says: "no fence device is there for lb-3", live: true,
		},
		{
			name: "watchdogs alone, without a time-out",
			provoke: func(t *testing.T, b *bench.Cluster) {
				b.Edit(t, bench.PrimitiveFence, "")
				b.Edit(t, `name="have-watchdog" value="false"`, `name="have-watchdog" value="true"`)
				b.File(t, "/proc/77/comm", "sbd\n")
			}, want: doctor.Error, says: "stonith-watchdog-timeout is not set",
			also: []string{"sbd"},
		},
	}
}
