package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// watchers are the nodes on which a process watches the address.
func (c *cluster) watchers() (nodes []string) {
	for _, n := range c.others() {
		if out, _ := c.try(n, "pgrep", "--exact", "hawser-watch"); strings.TrimSpace(out) != "" {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// TestAddressTakenAway has the address of the LAN taken off the interface, as a network manager does, and the interface go down. The
// monitor is so rare that it notices neither.
func TestAddressTakenAway(t *testing.T) {
	c := onLAN(t, strings.Replace(moveYAML, "provider: lan}", "provider: lan, monitor: 10min}", 1))
	c.settled(t)
	old := c.lanServed(t)
	require.Equal(t, []string{old}, c.watchers())
	pid := c.run(t, old, "pgrep", "--exact", "hawser-watch")
	t.Logf("memory: %s", c.run(t, old, "grep", "VmRSS", "/proc/"+pid+"/status"))

	clients, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)
	c.run(t, old, "ip", "address", "del", lanIP+"/24", "dev", "eth0")
	again := func(what string) string {
		t.Helper()
		eventually(t, 30*time.Second, what, func() error {
			if now := c.watchers(); len(now) != 1 {
				return errors.New("nobody watches it")
			} else if out, _ := c.try(now[0], "pgrep", "--exact", "hawser-watch"); strings.TrimSpace(out) == pid {
				return errors.New("it is watched as before")
			}
			return nil
		})
		return c.lanServed(t)
	}
	again("the address is back")
	r, err := clients.Stop()
	require.NoError(t, err)
	t.Logf("the address was taken away: %s", r)
	c.settled(t)
	require.Contains(t, c.run(t, old, "cat", "/var/log/syslog"), lanIP+" was here and no longer is (systemd-networkd, ")

	now := c.lanServed(t)
	t.Cleanup(func() { require.NoError(t, c.Kill(now)) }) // its routes are back with its next boot
	c.run(t, now, "ip", "link", "set", "eth0", "down")
	eventually(t, time.Minute, "the address has left "+now, func() error {
		if at := c.lookAtHolders(); len(at) != 1 || at[0] == now {
			return errors.New("it is there: " + strings.Join(at, " "))
		}
		return c.getFrom(lanPage)
	})
	c.run(t, now, "ip", "link", "set", "eth0", "up")
	c.allOnline(t)
	c.settled(t)

	c.run(t, now, "hawser", "destroy", "--yes")
	eventually(t, 10*time.Second, "nobody watches what is gone", func() error {
		if left := c.watchers(); len(left) > 0 {
			return errors.New(strings.Join(left, ", "))
		}
		return nil
	})
}
