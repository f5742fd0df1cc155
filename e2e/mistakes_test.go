package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

// TestMistakes provokes what a tired operator does, on the real cluster: the error says what to do, and nothing is changed.
func TestMistakes(t *testing.T) {
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, tutorialYAML)
	epoch := c.epoch(t)

	refused := func(t *testing.T, code int, yaml, want string) {
		t.Helper()
		c.write(t, "lb-1", "/tmp/wrong.yaml", yaml)
		out := c.fails(t, code, "lb-1", "hawser", "apply", "--yes", "-f", "/tmp/wrong.yaml")
		require.Contains(t, out, want)
		require.Equal(t, epoch, c.epoch(t), "nothing was changed")
	}
	t.Run("no fencing and nothing said about it", func(t *testing.T) {
		refused(t, 2, strings.Replace(tutorialYAML, "fencing: off\n", "", 1), "fencing: off")
	})
	t.Run("a key that does not exist", func(t *testing.T) {
		refused(t, 2, strings.Replace(tutorialYAML, "monitor: 15s", "monitr: 15s", 1), "/tmp/wrong.yaml:4")
	})
	t.Run("a token file that everybody can read", func(t *testing.T) {
		c.run(t, "lb-1", "install", "-m", "0644", "/etc/hawser/token", "/tmp/open-token")
		refused(t, 2, strings.Replace(tutorialYAML, "/etc/hawser/token", "/tmp/open-token", 1), "0600")
	})
	t.Run("a configuration that HAProxy rejects", func(t *testing.T) {
		c.write(t, "lb-1", "/tmp/broken.cfg", "frontend x\n  bind :80\n  no_such_keyword\n")
		refused(t, 2, strings.Replace(tutorialYAML, "/etc/haproxy/haproxy.cfg", "/tmp/broken.cfg", 1), "no_such_keyword")
	})
	t.Run("an address that the cloud does not know", func(t *testing.T) {
		refused(t, 2, strings.Replace(tutorialYAML, floatingIP, "203.0.113.77", 1),
			"203.0.113.77 is no reserved IP of the account that the token belongs to; it has "+floatingIP)
	})
	t.Run("a node's own address", func(t *testing.T) {
		other, err := c.Node("lb-2")
		require.NoError(t, err)
		refused(t, 2, strings.Replace(moveYAML, lanIP, other.Private.Addr().String(), 1), "is the address at which Corosync reaches lb-2")
		own, err := c.Node("lb-1")
		require.NoError(t, err)
		refused(t, 2, strings.Replace(moveYAML, lanIP, own.Public.Addr().String(), 1), "is the address of eth0 on this node, lb-1")
	})
	t.Run("the address of another resource", func(t *testing.T) {
		c.run(t, "lb-1", "hawser", "configure", "primitive", "p_ip_web", "ocf:heartbeat:IPaddr2", "params", "ip="+lanIP, "op", "monitor", "interval=10s")
		epoch = c.epoch(t)
		refused(t, 2, moveYAML, lanIP+" is the address of p_ip_web (ocf:heartbeat:IPaddr2)")
		c.settled(t)
		c.run(t, "lb-1", "hawser", "configure", "delete", "--force", "p_ip_web")
		epoch = c.epoch(t)
	})
	t.Run("statements that nobody can have meant", func(t *testing.T) {
		for statement, want := range map[string]string{
			"primitive x ocf:hawser:floatp params ip=" + lanIP:                "did you mean ocf:hawser:floatip?",
			"primitive x ocf:hawser:floatip params ip=" + lanIP + " nik=eth0": "ocf:hawser:floatip has no parameter nik: did you mean nic?",
			"primitive x stonith:fence_droplt":                                "there is no agent stonith:fence_droplt on this node",
			"property stonith-enbled=false":                                   "stonith-enbled is no option of Pacemaker's: did you mean stonith-enabled?",
			"property frobnicate=1":                                           "frobnicate is no option of Pacemaker's",
		} {
			out := c.fails(t, 2, "lb-1", append([]string{"hawser", "configure"}, strings.Fields(statement)...)...)
			require.Contains(t, out, want)
			require.Equal(t, epoch, c.epoch(t), "nothing was changed")
		}
	})
	t.Run("not root", func(t *testing.T) {
		out := c.fails(t, 7, "lb-1", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/sbin/hawser", "status")
		require.Contains(t, out, "root")
	})
	t.Run("no quorum", func(t *testing.T) {
		for _, other := range c.others("lb-1") {
			require.NoError(t, c.Cut("lb-1", other))
		}
		eventually(t, 30*time.Second, "lb-1 has lost its quorum", func() error {
			_, err := c.try("lb-1", "sh", "-c", "crm_mon -1 | grep -q 'WITHOUT quorum'")
			return err
		})
		out := c.fails(t, 4, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
		require.Contains(t, out, "quorum")
		require.NoError(t, c.Heal())
		c.allOnline(t)
	})
	t.Run("Pacemaker is not running", func(t *testing.T) {
		out := c.fails(t, 4, "client", "hawser", "status")
		require.Contains(t, out, "Pacemaker")
		require.NotContains(t, out, "goroutine")
	})
}

// TestAgentsReason shows that apply ends with the agent's own words when a resource cannot start.
func TestAgentsReason(t *testing.T) {
	c := fresh(t)
	c.write(t, "lb-1", yamlPath, strings.Replace(tutorialYAML, "/etc/hawser/token", "/etc/hawser/wrong-token", 1))
	for _, n := range c.Nodes(lab.Balancer) {
		c.write(t, n.Name, "/etc/hawser/wrong-token", "not-a-token-of-this-cloud\n")
		c.run(t, n.Name, "chmod", "0600", "/etc/hawser/wrong-token")
	}
	out := c.fails(t, 5, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	require.Contains(t, out, "FloatIP")
	require.Contains(t, out, "token")
	require.NotContains(t, out, "not-a-token-of-this-cloud")
}
