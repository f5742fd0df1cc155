package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// A split, with both sides wanting the address and the cloud's API in reach of both. The nodes' powers are really cut: the cloud's
// power_off ends the node's every process.

const fencedYAML = `fencing:
  droplet:
    token_file: /etc/hawser/token
haproxy:
  config: /etc/haproxy/lan.cfg
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
`

// boots are the nodes' PID 1, 0 for a node without power: a node that was fenced has another one.
func (c *cluster) boots(t testing.TB) map[string]int {
	t.Helper()
	boots := map[string]int{}
	for _, n := range c.Status(context.Background()).Nodes {
		if n.Role == lab.Balancer {
			boots[n.Name] = n.PID
		}
	}
	return boots
}

// fencedSince are the nodes that have lost power since.
func (c *cluster) fencedSince(t testing.TB, before map[string]int) (fenced []string) {
	t.Helper()
	for node, pid := range c.boots(t) {
		if pid != before[node] {
			fenced = append(fenced, node)
		}
	}
	slices.Sort(fenced)
	return fenced
}

// divide cuts the node from all other balancers.
func (c *cluster) divide(t testing.TB, node string) {
	t.Helper()
	for _, other := range c.others(node) {
		require.NoError(t, c.Cut(node, other))
	}
}

// keepsInMinority has a part without quorum keep what it runs, so that it wants the address as the others do.
func (c *cluster) keepsInMinority(t testing.TB) {
	t.Helper()
	c.run(t, "lb-1", "crm_attribute", "--name", "no-quorum-policy", "--update", "freeze")
}

// TestSplitIsFenced divides three nodes. The one that has the address keeps it, the two others want it, and get it when the first one has
// no power any more.
func TestSplitIsFenced(t *testing.T) {
	c := fresh(t)
	c.lanConfigured(t)
	c.write(t, "lb-1", yamlPath, fencedYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.keepsInMinority(t)
	c.settled(t)
	old := c.lanServed(t)
	survivor := c.others(old)[0]
	before := c.boots(t)

	clients, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)
	stop := c.watchHolders(t)
	c.divide(t, old)
	eventually(t, time.Minute, "the address is on another node, and served", func() error {
		if now := c.lookAtHolders(); len(now) != 1 || now[0] == old {
			return fmt.Errorf("it is on %v", now)
		}
		return c.getFrom(lanPage)
	})
	eventually(t, time.Minute, old+" has power again", func() error {
		if !c.Running(old) {
			return errors.New("it has not")
		}
		return nil
	})
	require.Equal(t, []string{old}, c.fencedSince(t, before), "exactly the node that was cut off")
	history := c.run(t, survivor, "stonith_admin", "--history", old, "--verbose")
	require.Contains(t, history, "reboot of "+old+" successful")

	// It is up, alone, and without quorum: it takes nothing and fences nobody, until it is let in again.
	eventually(t, time.Minute, old+" has a cluster of its own", func() error {
		s, err := c.Cluster(t.Context(), old)
		if err == nil && (s.Quorate || !slices.Equal(s.Online, []string{old})) {
			err = fmt.Errorf("quorate %t, online %v", s.Quorate, s.Online)
		}
		return err
	})
	require.NoError(t, c.Heal())
	c.allOnline(t)
	c.settled(t)
	require.Equal(t, []string{old}, c.fencedSince(t, before), "nobody else was fenced on the way")
	c.lanServed(t)
	seen := stop()
	r, err := clients.Stop()
	require.NoError(t, err)
	t.Logf("holders: %s", seen)
	t.Logf("clients: %s", r)
	require.Zero(t, seen.twice(), "%s", seen)
	for _, change := range seen.changes {
		require.LessOrEqual(t, len(change.nodes), 1, "%s", seen)
	}
}

// TestSplitWithAnAddressOfTheCloud is the same for an address that the cloud moves: it is moved after the old holder has lost its power.
func TestSplitWithAnAddressOfTheCloud(t *testing.T) {
	c := applied(t, strings.Replace(tutorialYAML, "fencing: off", "fencing: {droplet: {token_file: /etc/hawser/token}}", 1))
	c.keepsInMinority(t)
	c.settled(t)
	old := c.holder(t)
	before := c.boots(t)
	log := filepath.Join(lab.Root, c.Name(), "cloud.log")
	past, err := os.ReadFile(log)
	require.NoError(t, err)
	c.divide(t, old)
	c.moved(t, old)
	said, err := os.ReadFile(log)
	require.NoError(t, err)
	since := string(said[len(past):])
	cut, moved := strings.Index(since, "cut the power of "+old), strings.Index(since, floatingIP+" moves from droplet")
	require.GreaterOrEqual(t, cut, 0, since)
	require.Greater(t, moved, cut, since)
	eventually(t, time.Minute, old+" has power again", func() error {
		if !c.Running(old) {
			return errors.New("it has not")
		}
		return nil
	})
	require.NoError(t, c.Heal())
	c.allOnline(t)
	require.Equal(t, []string{old}, c.fencedSince(t, before))
}

// TestSplitWithoutFencing is the same without fencing: two nodes hold the address, which is what the test above could see.
func TestSplitWithoutFencing(t *testing.T) {
	c := onLAN(t, moveYAML)
	c.keepsInMinority(t)
	c.settled(t)
	old := c.lanServed(t)
	stop := c.watchHolders(t)
	c.divide(t, old)
	eventually(t, time.Minute, "two nodes have the address", func() error {
		if now := c.lookAtHolders(); len(now) != 2 {
			return fmt.Errorf("it is on %v", now)
		}
		return nil
	})
	require.NoError(t, c.Heal())
	c.allOnline(t)
	c.lanServed(t)
	seen := stop()
	t.Logf("holders: %s", seen)
	require.Positive(t, seen.twice())
}

// TestSplitOfTwo divides two nodes, each of which has quorum by itself and reaches the cloud: both
// fence, and priority-fencing-delay gives the one with the address a head start, so that they do
// not kill each other.
func TestSplitOfTwo(t *testing.T) {
	_, err := sharedLab() // which says what is missing
	require.NoError(t, err)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	l, err := bringUp(ctx, lab.Options{Name: labName() + "-two", Overlay: os.Getenv("HAWSER_OVERLAY"), Nodes: 2, Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	c := &cluster{l}
	c.lanConfigured(t)
	for _, n := range c.others() {
		// A node that comes up alone must not take itself for the cluster: it would fence the other one in turn (votequorum(5), two_node).
		c.edit(t, n, "/etc/corosync/corosync.conf", "wait_for_all: 0", "wait_for_all: 1")
	}
	c.write(t, "lb-1", yamlPath, fencedYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.settled(t)
	winner := c.lanServed(t)
	loser := c.others(winner)[0]
	before := c.boots(t)
	stop := c.watchHolders(t)
	c.divide(t, winner)
	eventually(t, time.Minute, loser+" was fenced and has power again", func() error {
		if fenced := c.fencedSince(t, before); !slices.Equal(fenced, []string{loser}) || !c.Running(loser) {
			return fmt.Errorf("fenced: %v; %s runs: %t", fenced, loser, c.Running(loser))
		}
		return nil
	})
	fenced := c.boots(t)
	// The other one wanted to fence as well, and its order waited: the file is on its disk, which outlives its power.
	c.run(t, loser, "grep", "--quiet", "Delaying 'reboot' action targeting "+winner, "/var/log/pacemaker/pacemaker.log")
	eventually(t, time.Minute, loser+" is up, alone and without quorum", func() error {
		s, err := c.Cluster(t.Context(), loser)
		if err == nil && s.Quorate {
			err = errors.New("it has quorum")
		}
		return err
	})
	require.NoError(t, c.getFrom(lanPage))
	require.NoError(t, c.Heal())
	c.allOnline(t)
	c.settled(t)
	require.Equal(t, fenced, c.boots(t), "no other was fenced")
	seen := stop()
	t.Logf("holders: %s", seen)
	require.Len(t, seen.changes, 1, "the address stayed where it was: %s", seen)
}
