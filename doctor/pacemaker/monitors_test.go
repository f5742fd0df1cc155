package pacemaker

import (
	"strings"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// provokeMonitors provokes the findings of the check monitors.
func provokeMonitors() []provoked {
	return []provoked{
		{
			name: "no monitor", provoke: edit(bench.MonitorHAProxy, ""), want: doctor.Error,
			says: "has no recurring monitor",
		},
		{
			name: "a monitor that is not repeated",
			provoke: edit(bench.MonitorHAProxy,
				strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="0"`, 1)),
			want: doctor.Error, says: "no recurring monitor",
		},
		{
			name: "a monitor that is off",
			provoke: edit(bench.MonitorHAProxy,
				strings.Replace(bench.MonitorHAProxy, `interval="15s"`,
					`interval="15s" enabled="false"`, 1)),
			want: doctor.Error, says: "switched off",
		},
		{
			name: "a monitor that is ignored",
			provoke: edit(bench.MonitorHAProxy,
				strings.Replace(bench.MonitorHAProxy, `interval="15s"`,
					`interval="15s" on-fail="ignore"`, 1)),
			want: doctor.Error, says: "ignored",
		},
		{
			name: "a monitor that comes too seldom",
			provoke: edit(bench.MonitorHAProxy,
				strings.Replace(bench.MonitorHAProxy, `interval="15s"`, `interval="2min"`, 1)),
			want: doctor.Warning, says: "only every 2min",
		},
		{
			name: "no probes", provoke: property("enable-startup-probes", "false"),
			want: doctor.Warning, says: "not probed for what runs there",
		},
	}
}
