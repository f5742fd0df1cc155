package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

const fenceToken = "/etc/hawser/fence-token"

// dropletYAML has failed nodes switched off by the cloud.
func (c *cluster) dropletYAML() string {
	var droplets []string
	for _, n := range c.Nodes(lab.Balancer) {
		droplets = append(droplets, fmt.Sprintf("%s: %d", n.Name, n.Droplet))
	}
	return strings.Replace(tutorialYAML, "fencing: off", "fencing:\n  droplet:\n    token_file: "+fenceToken+"\n    droplets: {"+strings.Join(droplets, ", ")+"}", 1)
}

// writeFenceToken puts a token on a node, where only root can read it.
func (c *cluster) writeFenceToken(t testing.TB, node, token string) {
	t.Helper()
	c.run(t, node, "install", "-m", "0600", "/dev/null", fenceToken)
	c.write(t, node, fenceToken, token)
}

// TestFencingOfDroplets has hawser refuse a device that would not fence, write one that does, and take it away again; between the two a node whose
// Corosync is killed is switched off and on by the cloud, and its address served by another.
func TestFencingOfDroplets(t *testing.T) {
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.writeFenceToken(t, n.Name, c.token())
	}
	before := c.run(t, "lb-2", "crm", "configure", "show")
	yaml := c.dropletYAML()

	epoch := c.epoch(t)
	c.writeFenceToken(t, "lb-1", "revoked")
	c.write(t, "lb-1", yamlPath, yaml)
	said := c.fails(t, 2, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Contains(t, said, "fencing would not work: `/usr/sbin/fence_droplet` was asked whether it can reach the cloud (action monitor) and failed with exit code 1: ")
	require.Contains(t, said, "401")
	c.writeFenceToken(t, "lb-1", c.token())
	c.write(t, "lb-1", yamlPath, strings.Replace(yaml, fmt.Sprintf("lb-2: %d", c.droplet(t, "lb-2")), "lb-2: 4711", 1))
	said = c.fails(t, 2, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Contains(t, said, "was asked whether it finds the droplet of the node lb-2 (action status) and failed")
	two, three := fmt.Sprint(c.droplet(t, "lb-2")), fmt.Sprint(c.droplet(t, "lb-3"))
	c.write(t, "lb-1", yamlPath, strings.NewReplacer("lb-2: "+two, "lb-2: "+three, "lb-3: "+three, "lb-3: "+two).Replace(yaml))
	said = c.fails(t, 2, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Contains(t, said, "the droplet "+three+" (lb-3) is not the node lb-2: Corosync reaches that at ")
	require.Equal(t, epoch, c.epoch(t), "nothing was written")

	c.write(t, "lb-1", yamlPath, yaml)
	plan := c.run(t, "lb-1", "hawser", "plan", "-f", yamlPath)
	require.Contains(t, strings.Join(strings.Fields(plan), " "), "after apply fence-droplet: a failed node is fenced before its "+
		"resources start elsewhere.")
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.NoError(t, c.get())
	for _, n := range c.Nodes(lab.Balancer) { // any of them may fence the others, wherever the monitor runs
		require.Contains(t, c.run(t, n.Name, "stonith_admin", "--list-registered"), "fence-droplet")
	}
	require.Contains(t, c.run(t, "lb-3", "crm", "configure", "show"), "primitive fence-droplet stonith:fence_droplet")
	require.Regexp(t, `Fencing +fence-droplet on lb-`, c.run(t, "lb-1", "hawser", "status"))

	lost := c.holder(t)
	others := without(c.Nodes(lab.Balancer), lost)
	_, _ = c.try(lost, "pkill", "-KILL", "-x", "corosync") // of the node's own processes; the cut may come before the answer
	eventually(t, 90*time.Second, lost+" is fenced", func() error {
		out, err := c.try(others[0], "stonith_admin", "--history", lost, "--verbose")
		if err != nil || !strings.Contains(out, "reboot of "+lost+" successful") {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	eventually(t, time.Minute, "another node has the address", func() error {
		if err := c.get(); err != nil {
			return err
		}
		if now := c.holder(t); now == lost {
			return errors.New(lost + " has it still")
		}
		return nil
	})
	c.allOnline(t) // the cloud has switched it on again

	c.run(t, others[0], "hawser", "destroy", "--yes")
	require.Equal(t, withoutBootstrap(before), withoutBootstrap(c.run(t, "lb-2", "crm", "configure", "show")))
	require.Equal(t, "0 fence devices found", c.run(t, "lb-2", "stonith_admin", "--list-registered"))
}

// TestFenceRace splits two nodes that both reach the cloud, and could both have the other switched off: the one that holds the address wins, whichever
// it is, and nobody asks in vain for longer than a moment.
func TestFenceRace(t *testing.T) {
	needs.Root(t)
	t.Parallel()
	l, err := bringUp(t.Context(), lab.Options{Name: labName() + "-race", Overlay: os.Getenv("HAWSER_OVERLAY"), Nodes: 2, Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	c := &cluster{l}
	c.explainFailure(t)
	c.allOnline(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.writeFenceToken(t, n.Name, c.token())
	}
	c.write(t, "lb-1", yamlPath, c.dropletYAML())
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Contains(t, c.run(t, "lb-1", "crm", "configure", "show"), "priority-fencing-delay=15s")

	for round := range 2 {
		winner := c.holder(t)
		loser := without(c.Nodes(lab.Balancer), winner)[0]
		boot := func(node string) string { // when the node was switched on
			out, err := c.try(node, "stat", "-c", "%y", "/proc/1")
			if err != nil {
				return "off"
			}
			return out
		}
		won, lost := boot(winner), boot(loser)
		require.NoError(t, c.Cut(winner, loser))
		eventually(t, time.Minute, loser+" is switched off", func() error {
			if boot(loser) == lost {
				return errors.New("it still runs")
			}
			return nil
		})
		require.NoError(t, c.Heal()) // with wait_for_all, which the laboratory leaves out, the loser would wait for that
		c.allOnline(t)
		require.Equal(t, won, boot(winner), "%s, which held the address, was fenced", winner)
		require.Equal(t, winner, c.holder(t))
		require.NoError(t, c.get())
		out := c.run(t, winner, "stonith_admin", "--history", "*", "--verbose")
		require.Contains(t, out, "reboot of "+loser+" successful")
		if round == 0 {
			require.NotContains(t, out, "reboot of "+winner+" successful")
			eventually(t, time.Minute, "the address can move to "+loser, func() error { // once HAProxy runs there again
				out, err := c.try(winner, "hawser", "move", "--yes", "FloatIP", loser)
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			})
		}
	}
}

func (c *cluster) droplet(t testing.TB, node string) int {
	t.Helper()
	n, err := c.Node(node)
	require.NoError(t, err)
	return n.Droplet
}
