package status_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/crm"
)

// What has nothing to do with HAProxy and its addresses needs attention, and nobody goes unserved for
// it.
func TestOtherResources(t *testing.T) {
	other := &crm.Primitive{Name: "other", Class: "ocf", Provider: "pacemaker", Type: "Dummy"}
	for _, tc := range []struct {
		name     string
		is       status.Is
		own, all status.State
		change   func(r *crm.ResourceStatus)
	}{
		{"runs", "running", status.OK, status.OK, func(*crm.ResourceStatus) {}},
		{"is promoted", "running, promoted", status.OK, status.OK,
			func(r *crm.ResourceStatus) { r.Role = "Promoted" }},
		{"stands still", "stopped", status.Failed, status.Degraded,
			func(r *crm.ResourceStatus) { r.Active, r.Node, r.Nodes = false, "", nil }},
		{"has failed", "failed", status.Failed, status.Degraded,
			func(r *crm.ResourceStatus) { r.Failed = true }},
		{"is blocked", "blocked", status.Failed, status.Degraded,
			func(r *crm.ResourceStatus) { r.Blocked = true }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := collector(t, of("other", "", tc.change), other)
			r := s.Collect(t.Context())
			described(t, r)
			require.Len(t, r.Others, 1)
			require.Equal(t, []any{tc.is, tc.own, tc.all}, []any{r.Others[0].Is, r.Others[0].State, r.State})
		})
	}
}

// Pacemaker does nothing more with a resource whose failure blocks it.
func TestFailedAndBlocked(t *testing.T) {
	s, _ := collector(t, of("FloatIP", "", func(r *crm.ResourceStatus) { r.Failed, r.Blocked = true, true }))
	r := s.Collect(t.Context())
	require.Equal(t, status.FailedAndBlocked, r.FloatingIPs[0].Is)
	require.Equal(t, "Pacemaker does nothing more with it until the failure is cleared", r.FloatingIPs[0].Reason)
	require.Equal(t, status.Failed, r.State)

	s, _ = collector(t, of("FloatIP", "", func(r *crm.ResourceStatus) {
		r.Failed, r.Blocked, r.Active, r.Node, r.Nodes = true, true, false, "", nil
	}))
	require.Equal(t, status.StoppedAndBlocked, s.Collect(t.Context()).FloatingIPs[0].Is)
}
