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
)

// TestRingAlone has Corosync's links of the holder fail while the visitors' network stays: whoever is to take the address asks there
// first, and the holder answers. It is held back until the other node has met it, and lets go then.
func TestRingAlone(t *testing.T) {
	c := onLAN(t, moveYAML)
	c.settled(t)
	old := c.lanServed(t)
	spare, next := c.others(old)[0], c.others(old)[1]
	c.run(t, next, "crm_attribute", "--node", spare, "--name", "standby", "--update", "on") // one candidate
	c.settled(t)

	clients, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 10 * time.Second})
	require.NoError(t, err)
	stop := c.watchHolders(t)
	t.Cleanup(func() { _, _ = c.try(old, "pkill", "-CONT", "--exact", "pacemaker-contr") }) // whatever fails
	met := func() int {                                                                     // lines of this and of earlier runs
		out, _ := c.try(next, "grep", "--count", lanIP+" is in use by another machine .*; trying again", "/var/log/syslog")
		n, _ := strconv.Atoi(strings.TrimSpace(out))
		return n
	}
	before := met()
	c.run(t, old, "pkill", "-STOP", "--exact", "pacemaker-contr")
	for _, other := range c.others(old) {
		require.NoError(t, c.CutRing(old, other))
	}
	eventually(t, time.Minute, next+" has met the holder", func() error {
		if met() == before {
			return errors.New("it has not")
		}
		return nil
	})
	c.run(t, old, "pkill", "-CONT", "--exact", "pacemaker-contr")
	began := time.Now()
	eventually(t, time.Minute, next+" has the address", func() error {
		if now := c.lookAtHolders(); len(now) != 1 || now[0] != next {
			return fmt.Errorf("it is on %v", now)
		}
		return c.getFrom(lanPage)
	})
	t.Logf("the address is on %s %s after %s could let go of it", next, time.Since(began).Round(10*time.Millisecond), old)
	seen := stop()
	r, err := clients.Stop()
	require.NoError(t, err)
	t.Logf("holders: %s", seen)
	t.Logf("clients: %s", r)
	require.Zero(t, seen.twice(), "%s", seen)
	status, _ := c.try(next, "crm_mon", "-1", "--output-as=xml")
	require.NotContains(t, status, "in use by another machine", "the start has not failed")

	require.NoError(t, c.Heal())
	c.run(t, next, "crm_attribute", "--node", spare, "--name", "standby", "--delete")
	c.allOnline(t)
	c.settled(t)
	eventually(t, 30*time.Second, "the address stays", func() error {
		if at, err := c.lanHolder(); err != nil || at != next {
			return errors.Join(err, fmt.Errorf("it is on %s", at))
		}
		return nil
	})
}
