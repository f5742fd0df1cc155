package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const placesYAML = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
    prefer: [lb-2, lb-3]
    failback: on
    failback_after: 2s
    interfaces: [uplink]
    monitor: 10min
  - {name: VIP6, ip: "2001:db8:1::200", provider: lan}
  - {name: Second, ip: 198.51.100.201, provider: lan}
groups: [{name: edge, addresses: [VIP, VIP6, Second]}]
`

// uplink gives a node an interface beside its own, with a carrier that the test can take away.
func (c *cluster) uplink(t testing.TB, node string) {
	t.Helper()
	c.run(t, node, "sh", "-c", "ip link show uplink >/dev/null 2>&1 || ip link add uplink type veth peer name uplink-far")
	c.run(t, node, "sh", "-c", "ip link set uplink up && ip link set uplink-far up")
}

// areOn waits until the addresses are on that balancer, and on no other one.
func (c *cluster) areOn(t testing.TB, node string, addresses ...string) {
	t.Helper()
	for _, address := range addresses {
		eventually(t, 30*time.Second, address+" is on "+node, func() error {
			var at []string
			for _, n := range c.others() {
				if out, err := c.try(n, "ip", "-oneline", "address", "show"); err == nil && strings.Contains(out, " "+address+"/") {
					at = append(at, n)
				}
			}
			if len(at) != 1 || at[0] != node {
				return fmt.Errorf("it is on %v", at)
			}
			return nil
		})
	}
}

// TestPlaces has a group of addresses on the LAN go where it prefers to be: with its node lost, to the next of the list; back when the
// first has been well for long enough; away with the carrier of an interface that it needs, and not when no node has that carrier.
func TestPlaces(t *testing.T) {
	c := fresh(t)
	all := []string{lanIP, "198.51.100.201", "2001:db8:1::200"}
	for _, n := range c.others() {
		c.run(t, n, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :::80 v4v6")
		c.uplink(t, n)
	}
	c.write(t, "lb-1", yamlPath, placesYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.areOn(t, "lb-2", all...)
	eventually(t, 30*time.Second, "the page is served on the LAN", func() error { return c.getFrom(lanPage) })
	out, err := c.try("lb-1", "hawser", "plan", "-f", yamlPath)
	require.NoError(t, err)
	require.Contains(t, out, "VIP, VIP6, Second (together, edge): lb-2, then lb-3, then lb-1; go back when")
	eventually(t, 30*time.Second, "lb-2 has been well for long", func() error {
		_, err := c.try("lb-1", "cibadmin", "--query", "--xpath",
			"//node_state[@uname='lb-2']//nvpair[@name='hawser-haproxy-well-2']")
		return err
	})
	out, err = c.try("lb-1", "hawser", "move", "VIP6", "lb-1", "--yes")
	require.Error(t, err, out)

	require.NoError(t, c.Kill("lb-2"))
	c.areOn(t, "lb-3", all...)
	require.NoError(t, c.Boot(t.Context(), "lb-2"))
	c.allOnline(t)
	c.uplink(t, "lb-2") // a node whose uplink is not there is not well
	c.areOn(t, "lb-2", all...)
	c.settled(t)

	c.run(t, "lb-2", "ip", "link", "set", "uplink-far", "down")
	c.areOn(t, "lb-3", all...)
	for _, n := range c.others() {
		c.run(t, n, "ip", "link", "set", "uplink-far", "down")
	}
	eventually(t, 30*time.Second, "every node says that its uplink has failed", func() error {
		for _, n := range c.others() {
			out, err := c.try("lb-1", "attrd_updater", "--query", "--name", "hawser-haproxy-check-link-uplink", "--node", n)
			if err != nil || !strings.Contains(out, "failed") {
				return fmt.Errorf("%s: %s %w", n, out, errors.Join(err, errors.New("it has not failed")))
			}
		}
		return nil
	})
	c.settled(t)
	c.areOn(t, "lb-3", all...)
	for _, n := range c.others() {
		c.run(t, n, "ip", "link", "set", "uplink-far", "up")
	}
	c.areOn(t, "lb-2", all...)
	c.run(t, "lb-1", "hawser", "destroy", "--yes")
}
