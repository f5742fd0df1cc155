package pacemaker

import "github.com/hawser-ha/hawser/doctor"

// provokeRecovery provokes the findings of the check recovery.
func provokeRecovery() []provoked {
	return []provoked{
		{
			name: "no stickiness",
			provoke: edit(
				`<nvpair id="FloatIP-meta_attributes-resource-stickiness" `+
					`name="resource-stickiness" value="100"/>`,
				""),
			want: doctor.Note, says: "no resource-stickiness",
		},
		{
			name: "no failure-timeout",
			provoke: edit(
				`<nvpair id="haproxy-meta_attributes-failure-timeout" name="failure-timeout" `+
					`value="10s"/>`,
				""),
			want: doctor.Note, says: "haproxy has no failure-timeout",
		},
	}
}
