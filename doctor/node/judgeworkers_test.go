package node

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/haproxy"
)

// If the configuration is reloaded again and again, the last reload is always recent, and old
// workers still pile up.
func TestOldWorkersOfManyReloads(t *testing.T) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	procs := haproxy.Procs{
		Workers: []haproxy.Proc{{PID: 50, Uptime: minutes(5)}},
		OldWorkers: []haproxy.Proc{
			{PID: 40, Reloads: 1, Uptime: minutes(15)},   // replaced 5 minutes ago
			{PID: 30, Reloads: 9, Uptime: minutes(95)},   // at least 15
			{PID: 20, Reloads: 10, Uptime: minutes(105)}, // 95
			{PID: 10, Reloads: 30, Uptime: minutes(305)}, // 105 at least
		},
	}
	found := Node{Name: "lb-1"}.judgeOldWorkers(inventory.HAProxy{
		Resource: "haproxy", Config: "/etc/haproxy/haproxy.cfg",
	}, procs, time.Hour)
	require.Len(t, found, 1)
	require.Equal(t,
		"2 workers from before a reload still run, up to 1h45m0s after it (pid 20, 10)",
		found[0].What)
	procs.OldWorkers = procs.OldWorkers[:2]
	require.Empty(t, Node{}.judgeOldWorkers(inventory.HAProxy{}, procs, time.Hour))
}

// What hawser and HAProxy run for a moment is no HAProxy beside the cluster's.
func TestWhatServes(t *testing.T) {
	for _, line := range []string{
		"/usr/lib/ocf/resource.d/hawser/haproxy meta-data", "/usr/sbin/haproxy -c -f /etc/haproxy/haproxy.cfg",
		"haproxy -vv", "hawser-keeper", "",
	} {
		require.False(t, serves(strings.Fields(line)), line)
	}
	require.True(t, serves(strings.Fields("/usr/sbin/haproxy -D -f /etc/haproxy/haproxy.cfg")))
}
