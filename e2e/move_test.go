package e2e

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// moveYAML is an address on the LAN, with everything else as hawser writes it by itself.
const moveYAML = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
floating_ips:
  - {name: FloatIP, ip: 198.51.100.200, provider: lan}
`

// onLAN is a cluster that serves an address on the LAN.
func onLAN(t testing.TB, yaml string) *cluster {
	t.Helper()
	c := fresh(t)
	for _, n := range c.others() {
		c.run(t, n, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :80")
	}
	c.write(t, "lb-1", yamlPath, yaml)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	eventually(t, 30*time.Second, "the page is served on the LAN", func() error { return c.getFrom(lanPage) })
	return c
}

// isOn waits until exactly that balancer has the address.
func (c *cluster) isOn(t testing.TB, node string) {
	t.Helper()
	eventually(t, 30*time.Second, "the address is on "+node, func() error {
		at, err := c.lanHolder()
		if err == nil && at != node {
			err = fmt.Errorf("it is on %s", at)
		}
		return err
	})
}

// locations are the location constraints that are not of the set-up itself.
func (c *cluster) locations(t testing.TB) string {
	t.Helper()
	var left []string
	for _, l := range regexp.MustCompile(`(?m)^location .*(\n\t.*)*`).FindAllString(c.run(t, "lb-1", "hawser", "configure", "show"), -1) {
		if !strings.HasPrefix(l, "location FloatIP-where-served ") {
			left = append(left, l)
		}
	}
	return strings.Join(left, "\n")
}

// TestMove moves an address on the LAN under load, to a node that is named and to one that Pacemaker finds, and puts the active node into
// standby: HAProxy answers all the time, and nothing is left behind.
func TestMove(t *testing.T) {
	c := onLAN(t, moveYAML)
	first, err := c.lanHolder()
	require.NoError(t, err)
	second := c.others(first)[0]
	l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)

	var report struct {
		Resource, From, To string
		Moved              bool
	}
	out := c.run(t, "lb-1", "hawser", "move", "FloatIP", second, "--yes", "--json")
	require.NoError(t, json.Unmarshal([]byte(out), &report), out)
	require.Equal(t, "FloatIP", report.Resource)
	require.Equal(t, first, report.From)
	require.Equal(t, second, report.To)
	require.True(t, report.Moved)
	require.Contains(t, out, `"also": []`, "an empty list is none that is missing")
	c.isOn(t, second)
	require.Empty(t, c.locations(t))

	before := c.epoch(t)
	require.Contains(t, c.run(t, "lb-1", "hawser", "move", "FloatIP", second, "--yes"), "already")
	require.Equal(t, before, c.epoch(t), "what is there already is not moved, nor is anything written")

	c.run(t, "lb-1", "hawser", "move", "FloatIP", "--yes")
	third, err := c.lanHolder()
	require.NoError(t, err)
	require.NotEqual(t, second, third)
	require.Empty(t, c.locations(t))

	c.run(t, "lb-1", "crm_attribute", "--node", third, "--name", "standby", "--update", "on")
	fourth := c.lanMoved(t, third)
	c.run(t, "lb-1", "crm_attribute", "--node", third, "--name", "standby", "--delete")
	c.settled(t)
	c.isOn(t, fourth) // it does not go back

	r, err := l.Stop()
	require.NoError(t, err)
	// A request that was sent to the old node and is answered after the address has left cannot reach the client on a LAN; nobody is refused.
	require.Zero(t, r.Count(load.Refused, load.Unreachable, load.ConnectTimeout), "%s", r)
	require.LessOrEqual(t, r.Failed, 3*r.InFlight+3, "%s", r)
}

// TestOpenRequestsFinish has a request under way through the old node's own address while the floating IP leaves it: where the network
// keeps a connection at its node, it is answered to its end, also when the node goes into standby (stop_grace).
func TestOpenRequestsFinish(t *testing.T) {
	c := onLAN(t, strings.Replace(moveYAML, "lan.cfg\n", "lan.cfg\n  stop_grace: 20s\n", 1))
	for _, leave := range []func(from, to string){
		func(_, to string) { c.run(t, "lb-1", "hawser", "move", "FloatIP", to, "--yes") },
		func(from, _ string) {
			c.run(t, from, "crm_attribute", "--node", from, "--name", "standby", "--update", "on")
		},
	} {
		from, err := c.lanHolder()
		require.NoError(t, err)
		finish := c.open(t, from)
		leave(from, c.others(from)[0])
		c.lanMoved(t, from)
		require.Contains(t, finish(), " 200 ")
		c.run(t, from, "crm_attribute", "--node", from, "--name", "standby", "--delete")
		c.settled(t)
	}
}

// TestLeavesForANodeThatServes puts one node after the other into standby, as somebody does who maintains them all, while HAProxy on the
// first still ends its open connections: Pacemaker, by itself, would take that one for the emptiest node and send the address there.
func TestLeavesForANodeThatServes(t *testing.T) {
	c := onLAN(t, strings.Replace(moveYAML, "lan.cfg\n", "lan.cfg\n  stop_grace: 20s\n", 1))
	first, err := c.lanHolder()
	require.NoError(t, err)
	standby := func(node string) {
		c.run(t, node, "crm_attribute", "--node", node, "--name", "standby", "--update", "on")
	}
	finish := c.open(t, first)
	standby(first)
	second := c.lanMoved(t, first)
	eventually(t, 10*time.Second, "HAProxy takes no new connections on "+first, func() error {
		listening, err := c.try(first, "ss", "-Hltn", "sport", "=", ":80")
		if err == nil && listening != "" {
			err = errors.New(listening)
		}
		return err
	})
	c.run(t, first, "crm_attribute", "--node", first, "--name", "standby", "--delete")

	l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)
	standby(second)
	require.Contains(t, finish(), " 200 ") // Pacemaker waits for what is under way, here for the end of HAProxy on the first node
	third := c.lanMoved(t, second)
	require.NotEqual(t, first, third)
	r, err := l.Stop()
	require.NoError(t, err)
	require.Zero(t, r.Count(load.Refused), "%s", r)
	c.run(t, second, "crm_attribute", "--node", second, "--name", "standby", "--delete")
	c.settled(t)
}

// open sends the first half of a request to a balancer's own address. What it returns sends the other half, and returns the answer.
func (c *cluster) open(t testing.TB, balancer string) (finish func() string) {
	t.Helper()
	node, err := c.Node(balancer)
	require.NoError(t, err)
	rest, more := io.Pipe()
	said, out := io.Pipe()
	script := fmt.Sprintf(`exec 3<>/dev/tcp/%s/80; printf 'GET / HTTP/1.0\r\n' >&3; echo open; read -r; printf '\r\n' >&3; head -n 1 <&3`, node.Public.Addr())
	go func() {
		err := c.Run(context.Background(), "client", lab.Command{Args: []string{"timeout", "60", "bash", "-c", script}, Stdin: rest, Stdout: out})
		_ = out.CloseWithError(cmp.Or(err, io.EOF))
	}()
	lines := bufio.NewReader(said)
	_, err = lines.ReadString('\n')
	require.NoError(t, err)
	eventually(t, 10*time.Second, "HAProxy has read the first half", func() error {
		conns, err := c.try(balancer, "ss", "-Htn", "state", "established", "src", node.Public.Addr().String()+":80")
		if err == nil && (!strings.HasPrefix(conns, "0 ") || strings.Count(conns, "\n") != 1) {
			err = errors.New(conns)
		}
		return err
	})
	return func() string {
		_, err := io.WriteString(more, "now\n")
		require.NoError(t, err)
		answer, err := lines.ReadString('\n')
		require.NoError(t, err, "%q", answer)
		return answer
	}
}

// TestMoveRefused has every reason for which a move is refused: a clear error, and nothing changed.
func TestMoveRefused(t *testing.T) {
	c := onLAN(t, moveYAML)
	at, err := c.lanHolder()
	require.NoError(t, err)
	other, third := c.others(at)[0], c.others(at)[1]
	refused := func(code int, want string, args ...string) {
		t.Helper()
		before := c.epoch(t)
		said := c.fails(t, code, at, append([]string{"hawser", "move"}, args...)...)
		require.Contains(t, said, want)
		require.Equal(t, before, c.epoch(t), "%s", said)
		c.isOn(t, at)
	}
	refused(2, "move what?")
	refused(2, "there is no floating IP Nobody in the cluster's configuration; it has FloatIP", "Nobody", "--yes")
	refused(2, "haproxy is no floating IP", "haproxy", "--yes")
	refused(2, "the cluster has no node lb-9; it has lb-1, lb-2, lb-3", "FloatIP", "lb-9", "--yes")
	refused(2, "there is no terminal to ask on", "FloatIP", other)
	refused(2, "takes a floating IP and a node", "FloatIP", other, third, "--yes")
	refused(2, "--timeout", "FloatIP", other, "--yes", "--timeout", "-1s")

	c.run(t, at, "crm_attribute", "--node", other, "--name", "standby", "--update", "on")
	c.settled(t)
	refused(5, "is in standby", "FloatIP", other, "--yes")
	c.run(t, at, "crm_attribute", "--node", other, "--name", "standby", "--delete")
	c.settled(t)

	c.run(t, at, "crm_resource", "--ban", "--resource", "haproxy-clone", "--node", other)
	c.settled(t)
	refused(5, "where HAProxy is not running", "FloatIP", other, "--yes")
	c.run(t, at, "crm_resource", "--clear", "--resource", "haproxy-clone")
	c.settled(t)

	// What outweighs its stickiness would take it back.
	c.run(t, at, "hawser", "configure", "location", "preferred", "FloatIP", "20000:", at)
	c.settled(t)
	refused(5, "would not stay on "+other, "FloatIP", other, "--yes")
	c.run(t, at, "hawser", "configure", "delete", "preferred")

	c.run(t, at, "crm_resource", "--resource", "FloatIP", "--meta", "--set-parameter", "is-managed", "--parameter-value", "false")
	refused(5, "is not managed", "FloatIP", other, "--yes")
	c.run(t, at, "crm_resource", "--resource", "FloatIP", "--meta", "--delete-parameter", "is-managed")

	require.NoError(t, c.Kill(other))
	eventually(t, 30*time.Second, other+" is lost", func() error {
		out, err := c.try(at, "crm_mon", "-1")
		if err == nil && !strings.Contains(out, "OFFLINE: [ "+other+" ]") {
			err = fmt.Errorf("%s", out)
		}
		return err
	})
	c.settled(t)
	refused(5, "is offline", "FloatIP", other, "--yes")
}

// TestMoveKilled kills hawser in the middle of a move: what it has written ends by itself, and the next move removes it. A move that
// fails at the new node, or takes too long, takes its constraint away itself.
func TestMoveKilled(t *testing.T) {
	c := onLAN(t, moveYAML)
	at, err := c.lanHolder()
	require.NoError(t, err)
	other := c.others(at)[0]
	// The new node's agent takes its time, so that there is a middle of the move.
	agent := "/usr/lib/ocf/resource.d/hawser/floatip"
	c.run(t, other, "mv", agent, agent+".real")
	slow := func(then string) {
		c.write(t, other, agent, "#!/bin/sh\n[ \"$1\" != start ] || { "+then+"; }\nexec "+agent+".real \"$@\"\n")
		c.run(t, other, "chmod", "0755", agent)
	}
	t.Cleanup(func() { _, _ = c.try(other, "mv", "-f", agent+".real", agent) })

	slow("sleep 4")
	// Killed as soon as its constraint is written.
	said := c.fails(t, 137, at, "sh", "-c", "hawser move FloatIP "+other+` --yes --timeout 3s & p=$!
until cibadmin --query --xpath "//rsc_location[@id='hawser-move-FloatIP']" >/dev/null 2>&1 || ! kill -0 $p; do :; done
kill -KILL $p; wait $p`)
	left := c.locations(t)
	require.Contains(t, left, "location hawser-move-FloatIP FloatIP ", said)
	require.Contains(t, left, "date lt", "it ends by itself")
	c.settled(t)
	c.isOn(t, other)

	// It is replaced by the next move of this address, even while it is in force.
	c.run(t, at, "hawser", "move", "FloatIP", at, "--yes")
	require.Empty(t, c.locations(t))
	c.isOn(t, at)

	// One whose time is over goes with any move, even one that has nothing to do.
	c.run(t, at, "hawser", "configure", "location", "hawser-move-Other", "FloatIP", "rule", "inf:", "#uname", "eq", other, "and", "date", "lt", "2026-01-02 03:04:05Z")
	c.settled(t)
	c.isOn(t, at) // Pacemaker does not heed it
	c.run(t, at, "hawser", "move", "FloatIP", at, "--yes")
	require.Empty(t, c.locations(t))

	said = c.fails(t, 6, at, "hawser", "move", "FloatIP", other, "--yes", "--timeout", "1500ms")
	require.Contains(t, said, "has not moved to "+other+" within 1.5s")
	require.Empty(t, c.locations(t))
	c.settled(t)

	c.run(t, at, "hawser", "move", "FloatIP", at, "--yes")
	slow("echo 'ocf-exit-reason:the cable is out' >&2; exit 1")
	said = c.fails(t, 5, at, "hawser", "move", "FloatIP", other, "--yes")
	require.Contains(t, said, "the cable is out")
	require.Contains(t, said, "has not moved to "+other)
	require.Empty(t, c.locations(t))
	eventually(t, 30*time.Second, "the page is served", func() error { return c.getFrom(lanPage) })
}
