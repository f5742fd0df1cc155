package corosync

import (
	"testing"

	"github.com/hawser-ha/hawser/doctor"
)

// provokeNodeAddress provokes the findings of the check node-address.
func provokeNodeAddress() []provoked {
	return []provoked{
		{name: "a node's own address", provoke: func(t *testing.T, r *ring) {
			r.Edit(t, `name="ip" value="203.0.113.10"`, `name="ip" value="10.132.0.12"`)
		}, want: doctor.Error, says: "FloatIP holds 10.132.0.12, at which Corosync reaches lb-2"},
	}
}
