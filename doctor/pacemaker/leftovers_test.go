package pacemaker

import "github.com/hawser-ha/hawser/doctor"

// provokeLeftovers provokes the findings of the check leftovers.
func provokeLeftovers() []provoked {
	return []provoked{
		{
			name: "moved", provoke: sh("crm_resource --move --resource FloatIP --node lb-3"),
			want: doctor.Warning, says: "FloatIP has been bound to lb-3",
		},
		{
			name: "banned", provoke: sh("crm_resource --ban --resource FloatIP --node lb-1"),
			want: doctor.Warning, says: "FloatIP has been banned from lb-1",
		},
	}
}
