package e2e

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// checksYAML has an address on the LAN that needs all checks, each done every second. The balancers are cut off one after the other, and
// may notice it some seconds apart: with fall 5 all of them are in doubt before the first is sure.
const checksYAML = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
  monitor: 2s
  checks:
    - {name: pool, backend: app_pool, every: 1s, rise: 2, fall: 5}
    - {name: own, exec: /usr/local/bin/own-check, user: nobody, every: 1s, timeout: 500ms, rise: 1, fall: 1}
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
    monitor: 2s
`

// checked applies checksYAML, with a program that fails where /tmp/ill is and hangs where /tmp/hung is. An application server that does
// not answer is found within a second.
func checked(t *testing.T) *cluster {
	t.Helper()
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n.Name, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :80")
		c.edit(t, n.Name, "/etc/haproxy/lan.cfg", " check\n", " check inter 500 fall 2 rise 1\n")
		c.write(t, n.Name, "/usr/local/bin/own-check", "#!/bin/sh\n[ ! -e /tmp/hung ] || exec sleep 60\n[ ! -e /tmp/ill ]\n")
		c.run(t, n.Name, "sh", "-c", "chmod 755 /usr/local/bin/own-check; rm -f /tmp/ill /tmp/hung")
	}
	c.write(t, "lb-1", yamlPath, checksYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.resultsAre(t, "pool", "ok", "ok", "ok")
	c.resultsAre(t, "own", "ok", "ok", "ok")
	eventually(t, 30*time.Second, "the page is served on the LAN", func() error { return c.getFrom(lanPage) })
	return c
}

// result is what a check says on a node.
func (c *cluster) result(node, check string) (string, error) {
	out, err := c.try("lb-1", "attrd_updater", "--query", "--name", "hawser-haproxy-check-"+check, "--node", node)
	if err != nil {
		return "", err
	}
	_, value, _ := strings.Cut(strings.TrimSpace(out), "value=")
	return strings.Trim(value, `"`), nil
}

// resultsAre waits until a check says that on the three balancers.
func (c *cluster) resultsAre(t testing.TB, check string, want ...string) {
	t.Helper()
	eventually(t, time.Minute, "the results of "+check, func() error {
		for i, n := range c.Nodes(lab.Balancer) {
			if is, err := c.result(n.Name, check); err != nil || is != want[i] {
				return fmt.Errorf("%s: %q, %w", n.Name, is, err)
			}
		}
		return nil
	})
}

func (c *cluster) pids(t testing.TB) map[string]string {
	pids := map[string]string{}
	for _, n := range c.Nodes(lab.Balancer) {
		pids[n.Name] = c.haproxyPID(t, n.Name)
	}
	return pids
}

// TestChecksFailEverywhere: with all application servers of all balancers away, HAProxy goes on answering 503 where it is, and status says
// so first.
func TestChecksFailEverywhere(t *testing.T) {
	c := checked(t)
	holder, err := c.lanHolder()
	require.NoError(t, err)
	pids := c.pids(t)
	for _, n := range c.Nodes(lab.Balancer) {
		for _, app := range c.Nodes(lab.AppServer) {
			require.NoError(t, c.Cut(n.Name, app.Name))
		}
	}
	c.resultsAre(t, "pool", "failed", "failed", "failed")
	l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 20 * time.Millisecond, For: allDown, Timeout: 2 * time.Second})
	require.NoError(t, err)
	seen, err := l.Wait()
	require.NoError(t, err)
	t.Logf("everything behind is away: %s", seen)
	require.Positive(t, seen.Requests)
	require.Equal(t, seen.Requests, seen.Count("status 503"), "every request is answered by HAProxy: %s", seen)
	now, err := c.lanHolder()
	require.NoError(t, err)
	require.Equal(t, holder, now)
	require.Equal(t, pids, c.pids(t), "no HAProxy was stopped")
	status, err := c.try(holder, "hawser", "status")
	require.Error(t, err, "degraded")
	first, _, _ := strings.Cut(status, "\n\n")
	require.Contains(t, strings.Join(strings.Fields(first), " "), "the check pool fails on every node since ", status)
	require.Contains(t, status, "fewer than min_servers=1 servers are UP: backend app_pool has 0 of 2")

	require.NoError(t, c.Heal())
	c.resultsAre(t, "pool", "ok", "ok", "ok")
	eventually(t, 30*time.Second, "the page is served again", func() error { return c.getFrom(lanPage) })
	now, err = c.lanHolder()
	require.NoError(t, err)
	require.Equal(t, holder, now)
	require.Equal(t, pids, c.pids(t))
	eventually(t, 30*time.Second, "nothing is wrong any more", func() error {
		out, err := c.try(holder, "hawser", "status")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// allDown is how long everything behind HAProxy is away.
const allDown = 20 * time.Second

// TestChecksFailHere: the address goes where its checks hold, and stays there when they hold again elsewhere. One of two application
// servers is enough.
func TestChecksFailHere(t *testing.T) {
	c := checked(t)
	first, err := c.lanHolder()
	require.NoError(t, err)
	pids := c.pids(t)
	apps := c.Nodes(lab.AppServer)
	require.NoError(t, c.Cut(first, apps[0].Name))
	eventually(t, 20*time.Second, "HAProxy notices the lost server", func() error {
		if out, err := c.try(first, "hawser", "status"); !strings.Contains(out, "1 down") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	is, err := c.result(first, "pool")
	require.NoError(t, err)
	require.Equal(t, "ok", is)

	// All of them are reachable from one balancer only, which does not hold the address.
	others := c.others(first)
	only := others[1]
	for _, app := range apps {
		require.NoError(t, c.Cut(others[0], app.Name))
	}
	eventually(t, time.Minute, "the check fails on "+others[0], func() error {
		if is, err := c.result(others[0], "pool"); err != nil || is != "failed" {
			return fmt.Errorf("%q, %w", is, err)
		}
		return nil
	})
	require.NoError(t, c.Cut(first, apps[1].Name))
	began := time.Now()
	require.Equal(t, only, c.lanMoved(t, first))
	t.Logf("the address answers from the one balancer that reaches its servers after %s, HAProxy's own checks included", time.Since(began))
	require.NoError(t, c.Heal())
	c.resultsAre(t, "pool", "ok", "ok", "ok")
	c.settled(t)
	now, err := c.lanHolder()
	require.NoError(t, err)
	require.Equal(t, only, now, "nothing fails back")
	require.Equal(t, pids, c.pids(t), "no HAProxy was stopped")
}

// TestChecksComeAndGo: a check that changes its mind every two seconds, otherwise on each node, moves the address a few times and not for
// ever; one that hangs fails.
func TestChecksComeAndGo(t *testing.T) {
	c := checked(t)
	pids := c.pids(t)
	holder, err := c.lanHolder()
	require.NoError(t, err)
	moves, before := 0, holder
	well := 0
	deadline := time.Now().Add(40 * time.Second)
	for turn := 0; time.Now().Before(deadline); turn++ {
		for i, n := range c.Nodes(lab.Balancer) {
			does := "rm -f /tmp/ill"
			if (turn+i)%2 == 0 {
				does = "touch /tmp/ill"
			}
			c.run(t, n.Name, "sh", "-c", does)
		}
		until := time.Now().Add(2 * time.Second)
		for time.Now().Before(until) {
			if now, err := c.lanHolder(); err == nil && now != before {
				moves, before = moves+1, now
			}
			if c.getFrom(lanPage) == nil {
				well++
			}
		}
	}
	t.Logf("%d moves in 40 s of a check that changes every 2 s on each balancer", moves)
	require.LessOrEqual(t, moves, 9, "three failures of each balancer at most")
	require.Positive(t, well)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "rm", "-f", "/tmp/ill")
	}
	require.Equal(t, pids, c.pids(t))
	c.resultsAre(t, "own", "ok", "ok", "ok")

	first, err := c.lanHolder()
	require.NoError(t, err)
	c.run(t, first, "touch", "/tmp/ill")
	began := time.Now()
	second := c.lanMoved(t, first)
	t.Logf("a check done every second, with fall 1, fails here: the address answers from elsewhere after %s", time.Since(began))
	c.run(t, first, "rm", "/tmp/ill")
	first = second
	c.run(t, first, "touch", "/tmp/hung")
	c.lanMoved(t, first)
	eventually(t, 30*time.Second, "status says why", func() error {
		if out, _ := c.try("lb-1", "hawser", "status"); !strings.Contains(out, "no answer within 500ms") {
			return errors.New(out)
		}
		return nil
	})
	out := c.run(t, first, "sh", "-c", "pgrep -f own-check | wc -l")
	left, err := strconv.Atoi(strings.TrimSpace(out))
	require.NoError(t, err)
	require.LessOrEqual(t, left, 2, "programs that hang do not pile up")
	require.Equal(t, pids, c.pids(t))
}
