package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeConf provokes the findings of the check corosync.
func provokeConf() []provoked {
	return []provoked{
		{
			name:    "a file that cannot be read",
			provoke: func(_ *testing.T, r *ring) { r.conf += "}\n" }, want: doctor.Error,
			says: "without an open section",
		},
	}
}
