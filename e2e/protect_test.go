package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// A HAProxy beside the cluster's, reloaded with -sf, as is usual without a master process.
const (
	bareConfig = `global
	maxconn 4000
	hard-stop-after 10s
	stats socket /run/bare.sock mode 600 expose-fd listeners
defaults
	mode http
	timeout connect 5s
	timeout client 5s
	timeout server 5s
frontend bare
	bind :::8080 v4v6
	http-request return status 200 content-type text/plain string ok
`
	bareStart  = "haproxy -D -f /etc/bare.cfg -p /run/bare.pid"
	bareReload = bareStart + " -sf $(cat /run/bare.pid)"
)

// bare starts that HAProxy on the first balancer and returns it.
func (c *cluster) bare(t testing.TB) lab.Node {
	t.Helper()
	n, err := c.Node("lb-1")
	require.NoError(t, err)
	c.write(t, n.Name, "/etc/bare.cfg", bareConfig)
	c.run(t, n.Name, "sh", "-c", bareStart)
	t.Cleanup(func() { c.run(t, n.Name, "sh", "-c", "kill -9 $(cat /run/bare.pid); rm -f /run/bare.pid") })
	return n
}

// reloads runs a reload again and again, 100 ms from one beginning to the next or as soon as the one before has ended.
func (c *cluster) reloads(t testing.TB, node, reload string, during time.Duration) (count int) {
	t.Helper()
	const loop = `
set -e
now() { echo ${EPOCHREALTIME/./}; }
end=$(( $(now) + %d )) n=0
while (( $(now) < end )); do
	next=$(( $(now) + 100000 ))
	{ %s; } >&2
	n=$((n + 1)) left=$(( next - $(now) ))
	if (( left > 0 )); then sleep $(printf 0.%%06d $left); fi
done
echo $n`
	out := c.run(t, node, "bash", "-c", fmt.Sprintf(loop, during.Microseconds(), reload))
	count, err := strconv.Atoi(out)
	require.NoError(t, err, out)
	return count
}

// TestProtectInbound reloads HAProxy under load that comes over the network, IPv4 and IPv6, and loses nothing.
func TestProtectInbound(t *testing.T) {
	c := fresh(t)
	n := c.bare(t)
	var loads []*lab.Loading
	for _, host := range []string{n.Public.Addr().String(), "[" + n.Public6.Addr().String() + "]"} {
		l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: "http://" + host + ":8080/", Every: 5 * time.Millisecond, Timeout: 5 * time.Second})
		require.NoError(t, err)
		loads = append(loads, l)
	}
	require.NotZero(t, c.reloads(t, n.Name, "hawser protect --ports 8080 -- "+bareReload, 4*time.Second))
	for _, l := range loads {
		report, err := l.Stop()
		require.NoError(t, err)
		require.Zero(t, report.Failed, "%v", report)
		require.Less(t, report.Max, time.Second, "a request waited for a retransmission: %v", report)
	}
	left := strings.TrimSpace(c.run(t, n.Name, "cat", "/proc/net/netfilter/nfnetlink_queue"))
	require.Empty(t, left, "queues are left")
}
