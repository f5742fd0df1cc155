package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// sbdYAML leaves unreachable nodes to their watchdogs.
var sbdYAML = strings.Replace(tutorialYAML, "fencing: off", "fencing: sbd", 1)

// startSBD starts a node's SBD as sbd.service would, without a watchdog: this kernel has none. SBD itself resets the node then, by reboot(2),
// which in a process namespace of its own ends that namespace, and nothing else.
func (c *cluster) startSBD(t testing.TB, node string) {
	t.Helper()
	c.run(t, node, "env", "SBD_WATCHDOG_DEV=/dev/null", "SBD_WATCHDOG_TIMEOUT=5", "SBD_PACEMAKER=yes", "SBD_STARTMODE=always",
		"SBD_MOVE_TO_ROOT_CGROUP=no", "SBD_SYNC_RESOURCE_STARTUP=no", "sbd", "-p", "/run/sbd.pid", "watch")
}

// TestFencingBySBD has hawser refuse SBD where it does not run, set it up where it does, a node that is cut off reset itself before another takes
// its address, and all of it taken away again.
func TestFencingBySBD(t *testing.T) {
	needs.Command(t, "sbd")
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, sbdYAML)
	epoch := c.epoch(t)
	said := c.fails(t, 2, "lb-1", "hawser", "plan", "-f", yamlPath)
	require.Contains(t, said, "fencing by SBD: sbd.service does not run on this node (lb-1)")

	t.Cleanup(func() { // SBD ends with the nodes; what the controllers wrote of it stays
		if t.Failed() { // with this option, and without SBD, Pacemaker would not start again, and no later test would have a cluster
			require.NoError(t, c.Heal())
			eventually(t, time.Minute, "a test that failed leaves a cluster without SBD", func() error {
				var errs []error
				for _, n := range c.Nodes(lab.Balancer) {
					_, err := c.try(n.Name, "crm_attribute", "--name", "stonith-watchdog-timeout", "--delete")
					if err == nil {
						return nil
					}
					errs = append(errs, err)
				}
				return errors.Join(errs...)
			})
		}
		for _, n := range c.Nodes(lab.Balancer) {
			require.NoError(t, c.Kill(n.Name))
		}
		for _, n := range c.Nodes(lab.Balancer) {
			require.NoError(t, c.Boot(t.Context(), n.Name))
		}
		c.allOnline(t)
		for _, option := range []string{"have-watchdog", "stonith-watchdog-timeout"} {
			c.run(t, "lb-1", "crm_attribute", "--name", option, "--delete")
		}
	})
	c.startSBD(t, "lb-1")
	c.startSBD(t, "lb-2")
	said = c.fails(t, 2, "lb-1", "hawser", "plan", "-f", yamlPath)
	require.Contains(t, said, "SBD does not run on lb-3 (it is not in Corosync's process group sbd:cluster there")
	c.startSBD(t, "lb-3")

	// The controller looks for SBD when it takes over, and never again: a cluster into which SBD came later does not rely on it.
	var dc string
	eventually(t, 30*time.Second, "SBD has joined", func() (err error) {
		if said, err = c.try("lb-1", "hawser", "plan", "-f", yamlPath); err == nil {
			return errors.New("the plan was not refused: " + said)
		}
		dc, err = c.controller()
		return err
	})
	said = c.fails(t, 2, "lb-1", "hawser", "plan", "-f", yamlPath)
	require.Contains(t, said, "Pacemaker does not know of it (have-watchdog is false), because the node that decides, "+dc+", was started without SBD")
	require.Equal(t, epoch, c.epoch(t), "nothing was written")
	require.NoError(t, c.Kill(dc))
	others := without(c.Nodes(lab.Balancer), dc)
	eventually(t, 30*time.Second, "another controller has found SBD", func() error {
		out, err := c.try(others[0], "crm_attribute", "--query", "--name", "have-watchdog", "--quiet")
		if strings.TrimSpace(out) != "true" {
			return fmt.Errorf("have-watchdog is %q: %w", out, err)
		}
		return nil
	})
	require.NoError(t, c.Boot(t.Context(), dc))
	c.allOnline(t)
	c.startSBD(t, dc)
	c.write(t, "lb-1", yamlPath, sbdYAML)
	eventually(t, 30*time.Second, "SBD has joined everywhere", func() error {
		out, err := c.try("lb-1", "hawser", "plan", "-f", yamlPath)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})

	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.NoError(t, c.get())
	require.Contains(t, c.run(t, "lb-2", "stonith_admin", "--list-registered"), "watchdog")
	require.Contains(t, c.run(t, "lb-1", "hawser", "status"), "SBD")

	// Cut off, the node that has the address resets itself, and only then another takes it.
	lost := c.holder(t)
	others = without(c.Nodes(lab.Balancer), lost)
	for _, other := range others {
		require.NoError(t, c.Cut(lost, other))
	}
	eventually(t, time.Minute, lost+" has reset itself", func() error {
		if c.Running(lost) {
			return errors.New("it runs")
		}
		return nil
	})
	require.NoError(t, c.Heal())
	eventually(t, time.Minute, "another node has the address", func() error { return c.get() })
	require.NotEqual(t, lost, c.holder(t))
	require.Contains(t, c.run(t, others[0], "stonith_admin", "--history", lost, "--verbose"), "reboot of "+lost+" successful")

	require.NoError(t, c.Boot(t.Context(), lost))
	c.startSBD(t, lost)
	c.allOnline(t)
	c.write(t, "lb-1", yamlPath, sbdYAML)
	c.run(t, "lb-1", "hawser", "destroy", "--yes")
	shown := c.run(t, "lb-1", "crm", "configure", "show", "type:property")
	require.NotContains(t, shown, "stonith-")
}

// without lists the names of the nodes except one.
func without(nodes []lab.Node, name string) (names []string) {
	for _, n := range nodes {
		if n.Name != name {
			names = append(names, n.Name)
		}
	}
	return names
}
