package host

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// threeNodes is a cluster in which lb-2 has reported these facts and lb-3 nothing.
func threeNodes(t *testing.T, facts map[string]string) (*Host, *crmtest.Fake) {
	t.Helper()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	cluster := crmtest.New("lb-1", "lb-2", "lb-3")
	told := doctor.NodeReport{
		At: now.Add(-time.Minute), Facts: facts,
		Findings: []doctor.Finding{{Check: "disk", Severity: doctor.Error, What: "full"}},
	}
	value, err := told.Pack()
	require.NoError(t, err)
	cluster.SetPrivateOn("lb-2", doctor.Attribute, value)
	h := &Host{
		Cluster: cluster, Running: true, Node: "lb-1", RunDir: t.TempDir(),
		Now: func() time.Time { return now },
	}
	return h, cluster
}

// What the other nodes have reported is had with their names; one that is silent, or offline, is
// unknown.
func TestOtherNodes(t *testing.T) {
	h, cluster := threeNodes(t, map[string]string{})
	found := map[string]doctor.Finding{}
	for _, f := range doctor.Run(t.Context(), []doctor.Check{
		h.Doctor("1.0").otherNodes(),
	}).Findings {
		found[f.Node] = f
	}
	require.Len(t, found, 2)
	require.Equal(t, "disk", found["lb-2"].Check)
	require.Equal(t, doctor.Unknown, found["lb-3"].Severity)

	cluster.Down("lb-2", true)
	for _, f := range doctor.Run(t.Context(), []doctor.Check{
		h.Doctor("1.0").otherNodes(),
	}).Findings {
		require.Equal(t, doctor.Unknown, f.Severity, "%+v", f)
	}

	h.Remote = true // the nodes of another cluster are not this doctor's
	require.Empty(t, doctor.Run(t.Context(), []doctor.Check{
		h.Doctor("1.0").otherNodes(), h.Doctor("1.0").nodesDiffer(),
	}).Findings)
}

// This node is compared by what it is, not by what it reported, whether or not the cluster has its
// domain.
func TestNodesDiffer(t *testing.T) {
	h, cluster := threeNodes(t, map[string]string{"hawser": "2.0"})
	h.Node = "lb-1.example"
	value, err := doctor.NodeReport{At: h.Now(), Facts: map[string]string{"hawser": "3.0"}}.Pack()
	require.NoError(t, err)
	cluster.SetPrivateOn("lb-1", doctor.Attribute, value)
	found := doctor.Run(t.Context(), []doctor.Check{h.Doctor("1.0").nodesDiffer()}).Findings
	require.Len(t, found, 1, "%+v", found)
	require.Equal(t, "the nodes differ in hawser: 1.0 on lb-1.example; 2.0 on lb-2", found[0].What)
}

// The times of Corosync are those of this machine's cluster, and of no other.
func TestTimingOfAnotherCluster(t *testing.T) {
	for _, h := range []Host{{}, {Running: true, Remote: true}} {
		_, err := h.Timing(t.Context())
		require.ErrorIs(t, err, corosync.ErrNotRunning)
	}
}
