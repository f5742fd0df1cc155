package host

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/doctor"
)

// What is new is reported to the other nodes, and what they were told an hour ago.
func TestOnlyWhatIsNewIsReported(t *testing.T) {
	cluster := crmtest.New("lb-1", "lb-2")
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	h := &Host{
		Cluster: cluster, Running: true, Node: "lb-1", RunDir: t.TempDir(),
		Now: func() time.Time { return now },
	}
	written := func(what string) bool {
		before, err := cluster.Private(t.Context(), doctor.Attribute)
		require.NoError(t, err)
		require.NoError(t, h.Doctor("1.0").Report(t.Context(), []doctor.Finding{
			{Severity: doctor.Error, What: what},
		}))
		after, err := cluster.Private(t.Context(), doctor.Attribute)
		require.NoError(t, err)
		return before["lb-1"] != after["lb-1"]
	}
	require.True(t, written("broken"))
	now = now.Add(doctor.Refresh / 2)
	require.False(t, written("broken"))
	require.True(t, written("broken in another way"))
	now = now.Add(doctor.Refresh)
	require.True(t, written("broken in another way"))

	values, err := cluster.Private(t.Context(), doctor.Attribute)
	require.NoError(t, err)
	heard, err := doctor.Unpack(values["lb-1"])
	require.NoError(t, err)
	require.Equal(t, "broken in another way", heard.Findings[0].What)
	require.Equal(t, "1.0", heard.Facts["hawser"])
}
