package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

const adoptedPath = "/etc/hawser/adopted.yaml"

// byHand sets up an address on the LAN and HAProxy with hawser's own agents, by single statements.
func byHand(t *testing.T, haproxy, clone string) *cluster {
	t.Helper()
	c := fresh(t)
	c.run(t, "lb-1", "rm", "-f", adoptedPath)
	for _, n := range c.others() {
		c.run(t, n, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :80")
	}
	for _, statement := range []string{
		"property stonith-enabled=false",
		"primitive " + haproxy + " ocf:hawser:haproxy params conffile=/etc/haproxy/lan.cfg op monitor interval=10s timeout=20s",
		"clone " + clone + " " + haproxy,
		"primitive FloatIP ocf:hawser:floatip params ip=" + lanIP + " provider=lan op monitor interval=10s timeout=20s",
		"colocation with-haproxy inf: FloatIP " + clone,
		"order haproxy-first " + clone + " FloatIP",
	} {
		c.run(t, "lb-1", append([]string{"hawser", "configure"}, strings.Fields(statement)...)...)
	}
	eventually(t, 45*time.Second, "the page is served on the LAN", func() error { return c.getFrom(lanPage) })
	c.settled(t)
	return c
}

// TestAdoptInterruptsNothing takes over a set-up of hawser's own agents under load: no process is another, no request fails, and from then
// on it is hawser's to change and to remove.
func TestAdoptInterruptsNothing(t *testing.T) {
	c := byHand(t, "haproxy", "haproxy-clone")
	holder, err := c.lanHolder()
	require.NoError(t, err)
	before := map[string]string{}
	for _, n := range c.others() {
		before[n] = c.haproxyPID(t, n)
	}
	require.Contains(t, c.run(t, "lb-1", "hawser", "adopt", "-f", adoptedPath, "--dry-run"), "Pacemaker will start and stop nothing.")
	c.fails(t, 2, "lb-1", "hawser", "plan", "-f", adoptedPath) // nothing was written
	l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)
	c.run(t, "lb-1", "hawser", "adopt", "-f", adoptedPath, "--yes")
	c.settled(t)
	r, err := l.Stop()
	require.NoError(t, err)
	require.Zero(t, r.Failed, "%s", r)
	for n, pid := range before {
		require.Equal(t, pid, c.haproxyPID(t, n), n)
	}
	c.isOn(t, holder)
	require.Contains(t, c.run(t, "lb-1", "hawser", "plan", "--exit-code", "-f", adoptedPath), "Nothing to do")
	require.Contains(t, c.fails(t, 2, "lb-1", "hawser", "adopt", "-f", adoptedPath, "--yes"), "is not overwritten")
	c.run(t, "lb-1", "hawser", "destroy", "--yes")
	require.NotContains(t, c.run(t, "lb-1", "hawser", "configure", "show"), "ocf:hawser")
}

// TestAdoptUnderAnotherName takes over a HAProxy of another name, which has to stop before hawser's can start.
func TestAdoptUnderAnotherName(t *testing.T) {
	c := byHand(t, "balancer", "balancers")
	said := c.run(t, "lb-1", "hawser", "adopt", "-f", adoptedPath, "--yes")
	require.Contains(t, said, "INTERRUPTS: balancer (ocf:hawser:haproxy) is stopped on every node")
	eventually(t, 30*time.Second, "the page is served", func() error { return c.getFrom(lanPage) })
	shown := c.run(t, "lb-1", "hawser", "configure", "show")
	require.NotContains(t, shown, "balancer")
	require.NotContains(t, shown, "target-role")
	c.run(t, "lb-1", "hawser", "plan", "--exit-code", "-f", adoptedPath)
}

// TestAdoptTheTutorial takes over what the tutorial's commands have made, under the names of the shell agents and with the token in the
// configuration: the agents are exchanged, and the token is in a file alone.
func TestAdoptTheTutorial(t *testing.T) {
	c := fresh(t)
	c.run(t, "lb-1", "rm", "-f", adoptedPath)
	for _, step := range tutorialSteps("crm", c.token()) {
		c.run(t, "lb-1", strings.Fields(step)...)
	}
	c.serves(t)
	c.settled(t)
	said := c.run(t, "lb-1", "hawser", "adopt", "-f", adoptedPath, "--yes")
	require.Contains(t, said, "INTERRUPTS: haproxy (ocf:heartbeat:haproxy)")
	require.Contains(t, said, "INTERRUPTS: FloatIP (ocf:digitalocean:floatip)")
	require.NotContains(t, said, c.token())
	c.serves(t)
	require.NotContains(t, c.run(t, "lb-1", "cibadmin", "--query", "--scope", "configuration"), c.token())
	require.NotContains(t, c.run(t, "lb-1", "cat", adoptedPath), c.token())
	require.Equal(t, "644", c.run(t, "lb-1", "stat", "-c", "%a", adoptedPath))
	require.Contains(t, c.run(t, "lb-1", "hawser", "plan", "--exit-code", "-f", adoptedPath), "Nothing to do")
}
