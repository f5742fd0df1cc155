package e2e

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// balancerRuns says whether HAProxy runs on a node, by Pacemaker's word.
func (c *cluster) balancerRuns(node string) (bool, error) {
	out, err := c.try("lb-1", "crm_resource", "--resource", "haproxy", "--locate")
	if err != nil {
		return false, err
	}
	return strings.Contains(out, node), nil
}

// TestDailyVerbs gives the orders of every day under load: what was said before comes true, nobody is refused, and what is written is gone
// when it is taken back.
func TestDailyVerbs(t *testing.T) {
	c := onLAN(t, moveYAML)
	first, err := c.lanHolder()
	require.NoError(t, err)
	at := c.others(first)[0] // from where the orders are given
	before := withoutBootstrap(c.run(t, at, "hawser", "configure", "show"))
	l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)

	// standby: the forecast says where the address goes, and there it is
	var report struct {
		Order     string
		Changed   bool
		Settled   bool
		Unserved  []string
		Addresses []struct{ Resource, IP, From, To string }
	}
	out := c.run(t, at, "hawser", "standby", first, "--yes", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	require.True(t, report.Changed && report.Settled, out)
	require.Empty(t, report.Unserved)
	require.Equal(t, "FloatIP", report.Addresses[0].Resource)
	require.Equal(t, lanIP, report.Addresses[0].IP)
	require.Equal(t, first, report.Addresses[0].From)
	c.isOn(t, report.Addresses[0].To)
	runs, err := c.balancerRuns(first)
	require.NoError(t, err)
	require.False(t, runs, "it has settled")
	require.Contains(t, c.run(t, at, "hawser", "standby", first, "--yes"), "is in standby already: nothing to do.")

	// online: HAProxy is back, and the address does not go back
	c.run(t, at, "hawser", "online", first, "--yes")
	runs, err = c.balancerRuns(first)
	require.NoError(t, err)
	require.True(t, runs)
	c.isOn(t, report.Addresses[0].To)

	// maintenance of the cluster: nothing happens, and what would is refused
	require.Contains(t, c.run(t, at, "hawser", "maintenance", "on", "--yes"), "`hawser maintenance off` ends that")
	require.Contains(t, c.fails(t, 5, at, "hawser", "stop", "FloatIP", "--yes"), "is not managed")
	c.run(t, at, "hawser", "maintenance", "off", "--yes")
	c.run(t, at, "hawser", "maintenance", "on", first, "--yes")
	c.run(t, at, "hawser", "maintenance", "off", first, "--yes")

	r, err := l.Stop()
	require.NoError(t, err)
	require.Zero(t, r.Count(load.Refused, load.Unreachable, load.ConnectTimeout), "%s", r)
	require.LessOrEqual(t, r.Failed, r.InFlight+3, "%s", r)
	require.Equal(t, before, withoutBootstrap(c.run(t, at, "hawser", "configure", "show")))

	// stop and start, by the address itself; hawser.yaml knows what is different meanwhile
	require.Contains(t, c.run(t, at, "hawser", "stop", lanIP, "--yes"), "NOBODY WILL SERVE FloatIP ("+lanIP+") any more.")
	_, err = c.lanHolder()
	require.Error(t, err, "no node has it")
	require.Contains(t, c.fails(t, 9, "lb-1", "hawser", "plan", "--exit-code", "-f", yamlPath), "target-role: Stopped -> (none)")
	require.Contains(t, c.run(t, at, "hawser", "start", "FloatIP", "--yes"), "is started.")
	eventually(t, 30*time.Second, "the page is served", func() error { return c.getFrom(lanPage) })
	c.run(t, "lb-1", "hawser", "plan", "--exit-code", "-f", yamlPath)
	require.Equal(t, before, withoutBootstrap(c.run(t, at, "hawser", "configure", "show")))

	// a move by the address itself
	holder, err := c.lanHolder()
	require.NoError(t, err)
	c.run(t, at, "hawser", "move", lanIP, c.others(holder)[0], "--yes")
	c.isOn(t, c.others(holder)[0])

	// the last node: somebody should know
	nodes := c.others()
	for _, n := range nodes[:len(nodes)-1] {
		c.run(t, at, "hawser", "standby", n, "--yes")
	}
	require.Contains(t, c.run(t, at, "hawser", "standby", nodes[len(nodes)-1], "--yes"), "NOBODY WILL SERVE FloatIP")
	for _, n := range nodes {
		c.run(t, at, "hawser", "online", n, "--yes")
	}
	eventually(t, 30*time.Second, "the page is served", func() error { return c.getFrom(lanPage) })
}

// TestCleanup has HAProxy fail on a node that comes out of standby: online says so, cleanup ends it.
func TestCleanup(t *testing.T) {
	c := onLAN(t, moveYAML)
	holder, err := c.lanHolder()
	require.NoError(t, err)
	node := c.others(holder)[0]
	// The failure lasts until somebody clears it.
	c.run(t, holder, "crm_resource", "--resource", "haproxy", "--meta", "--set-parameter", "failure-timeout", "--parameter-value", "1h")
	c.settled(t)
	c.run(t, holder, "hawser", "standby", node, "--yes")
	c.run(t, node, "mv", "/etc/haproxy/lan.cfg", "/etc/haproxy/lan.cfg.away")
	said := c.fails(t, 5, holder, "hawser", "online", node, "--yes")
	require.Contains(t, said, "of haproxy on "+node+" failed")

	said = c.run(t, holder, "hawser", "online", node, "--yes")
	said = strings.Join(strings.Fields(said), " ")
	require.Contains(t, said, node+" is not in standby: nothing to do.")
	require.Contains(t, said, "haproxy will not run on "+node+", because it has failed there")
	require.Contains(t, said, "`hawser cleanup haproxy "+node+"` lets it start")

	// As long as the cause is there it fails again.
	c.fails(t, 5, holder, "hawser", "cleanup", "haproxy", node, "--yes")
	c.run(t, node, "mv", "/etc/haproxy/lan.cfg.away", "/etc/haproxy/lan.cfg")
	said = c.run(t, holder, "hawser", "cleanup", "haproxy", node, "--yes")
	require.Contains(t, said, "haproxy starts on "+node)
	eventually(t, 20*time.Second, "HAProxy runs on "+node, func() error {
		runs, err := c.balancerRuns(node)
		if err == nil && !runs {
			err = errors.New("it does not")
		}
		return err
	})
	require.Contains(t, c.run(t, holder, "hawser", "cleanup", "--yes"), "Pacemaker remembers no failure: nothing to do.")
	c.isOn(t, holder)
}

// TestVerbsRefused has what cannot be ordered: a clear error that lists what there is, and nothing changed.
func TestVerbsRefused(t *testing.T) {
	c := onLAN(t, moveYAML)
	for _, tc := range []struct{ command, says string }{
		{"standby lb-9 --yes", "the cluster has no node lb-9; it has lb-1, lb-2, lb-3"},
		{"online lb-9 --yes", "the cluster has no node lb-9; it has lb-1, lb-2, lb-3"},
		{"maintenance on lb-9 --yes", "the cluster has no node lb-9; it has lb-1, lb-2, lb-3"},
		{"stop Nobody --yes", "there is no resource Nobody in the cluster's configuration; it has FloatIP, haproxy, haproxy-clone"},
		{"start 198.51.100.99 --yes", "there is no floating IP 198.51.100.99"},
		{"cleanup Nobody --yes", "there is no resource Nobody in the cluster's configuration; it has FloatIP, haproxy, haproxy-clone"},
		{"standby lb-1", "there is no terminal to ask on: use --yes"},
	} {
		epoch := c.epoch(t)
		require.Contains(t, c.fails(t, 2, "lb-2", append([]string{"hawser"}, strings.Fields(tc.command)...)...), tc.says)
		require.Equal(t, epoch, c.epoch(t), tc.command)
	}
}
