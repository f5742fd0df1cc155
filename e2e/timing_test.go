package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// tokenOf is the token in effect on a node and how many milliseconds failure detection may take, as
// hawser reports them.
func (c *cluster) tokenOf(node string) (token, lost float64, findings string, err error) {
	out, err := c.try(node, "hawser", "timing", "--json")
	if err != nil {
		return 0, 0, "", err
	}
	var r struct {
		Source   string            `json:"source"`
		Token    float64           `json:"token_ms"`
		Lost     float64           `json:"node_lost_ms"`
		Findings []json.RawMessage `json:"findings"`
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		return 0, 0, "", err
	}
	if r.Source != "the running Corosync" {
		return 0, 0, "", fmt.Errorf("it looked at %s", r.Source)
	}
	for _, f := range r.Findings {
		findings += string(f)
	}
	return r.Token, r.Lost, findings, nil
}

// TestTiming has hawser's totem sections taken by a running Corosync, and told from the cluster's own values.
func TestTiming(t *testing.T) {
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/corosync/corosync.conf", "/etc/corosync/corosync.conf.kept")
		t.Cleanup(func() { c.run(t, n.Name, "mv", "/etc/corosync/corosync.conf.kept", "/etc/corosync/corosync.conf") })
	}
	for _, network := range []struct {
		name        string
		token, lost float64
	}{{"cloud", 3000, 6600}, {"lan", 300, 660}} {
		for _, n := range c.Nodes(lab.Balancer) {
			conf := c.run(t, n.Name, "cat", "/etc/corosync/corosync.conf")
			section := c.run(t, n.Name, "hawser", "timing", "--for", network.name)
			_, rest, ok := strings.Cut(conf, "\nlogging {")
			require.True(t, ok, "%s", conf)
			c.write(t, n.Name, "/etc/corosync/corosync.conf", section+"\n\nlogging {"+rest+"\n")
		}
		c.run(t, "lb-1", "corosync-cfgtool", "-R")
		for _, n := range c.Nodes(lab.Balancer) {
			eventually(t, 20*time.Second, n.Name+" has the times for "+network.name, func() error {
				token, lost, findings, err := c.tokenOf(n.Name)
				if err != nil {
					return err
				}
				if token != network.token || lost < network.lost || network.name == "lan" && findings != "" {
					return fmt.Errorf("token %g, lost %g, %s", token, lost, findings)
				}
				return nil
			})
		}
		c.allOnline(t)
	}
	require.Contains(t, c.run(t, "client", "sh", "-c", "hawser timing 2>&1 || true"), "corosync.conf", "where no Corosync runs, it looks at the file")
}

// TestLostController cuts the power of the balancer that has the address and is the cluster's controller: the others elect another one,
// and the address is served again. Open connections to the application servers are of no concern: the client makes new ones.
func TestLostController(t *testing.T) {
	c := fresh(t)
	c.lanConfigured(t)
	c.write(t, "lb-1", yamlPath, benchLANYAML)
	c.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.holdOn(t, true)
	lost := c.lanServed(t)
	clients, err := c.StartLoad(t.Context(), "client", load.Plan{URL: lanPage, Every: 10 * time.Millisecond, Timeout: time.Second})
	require.NoError(t, err)
	require.NoError(t, c.Kill(lost))
	before := clients.Progress()
	eventually(t, time.Minute, "the client is served again", func() error {
		if now := clients.Progress(); now.OK < before.OK+100 {
			return fmt.Errorf("%d good answers since the power cut, %d failures", now.OK-before.OK, now.Failed-before.Failed)
		}
		return nil
	})
	report, err := clients.Stop()
	require.NoError(t, err)
	t.Logf("%s", report)
	require.Zero(t, report.Count(load.Refused), "a node without HAProxy never had the address: %s", report)
	holder := c.lanServed(t)
	require.NotEqual(t, lost, holder)
	require.NoError(t, c.Boot(t.Context(), lost))
	c.allOnline(t)
	c.settled(t)
	require.Equal(t, holder, c.lanServed(t), "the address does not go back")
}
