package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

const (
	lanIP   = "198.51.100.200"
	lanPage = "http://198.51.100.200/"

	// Nothing but the address on the LAN tells HAProxy what to bind: it binds every address.
	lanYAML = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
  monitor: 1s
  min_servers: 1
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
    monitor: 2s
`
)

// lanHolder is the balancer that has the address on an interface; an error unless there is exactly one.
func (c *cluster) lanHolder() (string, error) {
	var holders []string
	for _, n := range c.Nodes(lab.Balancer) {
		if !c.Running(n.Name) {
			continue
		}
		out, err := c.try(n.Name, "ip", "-oneline", "address", "show")
		if err != nil {
			return "", err
		}
		if strings.Contains(out, " "+lanIP+"/") {
			holders = append(holders, n.Name)
		}
	}
	if len(holders) != 1 {
		return "", fmt.Errorf("%s is on %v", lanIP, holders)
	}
	return holders[0], nil
}

func (c *cluster) lanMoved(t *testing.T, from string) string {
	t.Helper()
	var to string
	eventually(t, time.Minute, "the address leaves "+from, func() error {
		var err error
		if to, err = c.lanHolder(); err != nil {
			return err
		}
		if to == from {
			return errors.New("it is still there")
		}
		return c.getFrom(lanPage)
	})
	return to
}

// TestLAN has the address on the LAN: it moves when a balancer loses its application servers, although its HAProxy runs, when it
// loses the cluster, and when it is rebooted.
func TestLAN(t *testing.T) {
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n.Name, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :80")
		c.edit(t, n.Name, "/etc/haproxy/lan.cfg", " check\n", " check inter 500 fall 2 rise 1\n")
	}
	c.write(t, "lb-1", yamlPath, lanYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	eventually(t, 30*time.Second, "the page is served on the LAN", func() error { return c.getFrom(lanPage) })

	first, err := c.lanHolder()
	require.NoError(t, err)
	for _, app := range c.Nodes(lab.AppServer) {
		require.NoError(t, c.Cut(first, app.Name))
	}
	second := c.lanMoved(t, first)
	status, _ := c.try("lb-1", "hawser", "status")
	require.Contains(t, status, "backend app_pool has 0 of", "status says which backend")
	require.NoError(t, c.Heal())

	// A balancer that loses sight of the others has no quorum, stops, and lets go of the address.
	for _, other := range c.others(second) {
		require.NoError(t, c.Cut(second, other))
	}
	third := c.lanMoved(t, second)
	require.NoError(t, c.Heal())
	c.allOnline(t)

	c.reboot(t, third)
	c.lanMoved(t, third)
}
