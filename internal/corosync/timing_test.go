package corosync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

const ms = time.Millisecond

// TestIn has the times that corosync-cmapctl showed of Corosync 3.1.7 for these settings.
func TestIn(t *testing.T) {
	for _, c := range []struct {
		name string
		corosync.Timing
		nodes int
		want  corosync.Effective
	}{
		{"token 1000, three nodes, the default coefficient", corosync.Timing{Token: time.Second, Coefficient: corosync.Default}, 3, corosync.Effective{
			Nodes: 3, Token: 1650 * ms, TokenRetransmit: 392 * ms, Consensus: 1980 * ms, Join: 50 * ms, PingInterval: 412 * ms, PingTimeout: 825 * ms,
		}},
		{"all defaults, two nodes", corosync.Timing{Coefficient: corosync.Default}, 2, corosync.Effective{
			Nodes: 2, Token: 3000 * ms, TokenRetransmit: 714 * ms, Consensus: 3600 * ms, Join: 50 * ms, PingInterval: 750 * ms, PingTimeout: 1500 * ms,
		}},
		{"no coefficient", corosync.Timing{Token: time.Second}, 9, corosync.Effective{
			Nodes: 9, Token: 1000 * ms, TokenRetransmit: 238 * ms, Consensus: 1200 * ms, Join: 50 * ms, PingInterval: 250 * ms, PingTimeout: 500 * ms,
		}},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.In(c.nodes)) })
	}
	require.Equal(t, 3630*ms, corosync.Timing{Token: time.Second, Coefficient: corosync.Default}.In(3).Lost())
}
