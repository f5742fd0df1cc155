package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// shippedConf is corosync.conf as its package has it, "" if this machine has another one.
func shippedConf(t *testing.T) string {
	t.Helper()
	const path = "/etc/corosync/corosync.conf"
	sums, err := exec.CommandContext(t.Context(), "dpkg-query", "--show", "--showformat", `${Conffiles}\n`, "corosync").Output()
	require.NoError(t, err)
	sum, err := exec.CommandContext(t.Context(), "md5sum", path).Output()
	if err != nil || !strings.Contains(string(sums), path+" "+strings.Fields(string(sum))[0]) {
		return ""
	}
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// TestSetupBalancer makes a pair of machines on which Debian's packages have started Corosync and Pacemaker already, and three of the pair
// while visitors come.
func TestSetupBalancer(t *testing.T) {
	t.Parallel()
	c := ownLab(t, "setup", 3, "", "")
	c.givePackage(t)
	nodes := c.others()
	shipped := shippedConf(t)
	for _, node := range nodes {
		c.run(t, node, "sh", "-ec", "dpkg --install /root/hawser_*.deb; systemctl disable --now pacemaker corosync; rm -f /var/lib/pacemaker/cib/* /etc/corosync/corosync.conf /etc/corosync/authkey")
	}
	for _, node := range nodes[:2] {
		if shipped == "" {
			t.Log("this machine's corosync.conf is not its package's: no cluster of node1 is begun with")
			break
		}
		c.write(t, node, "/etc/corosync/corosync.conf", shipped)
		c.run(t, node, "systemctl", "start", "corosync", "pacemaker")
		eventually(t, 2*time.Minute, "Pacemaker is the cluster of one that the package describes", func() error {
			out, err := c.try(node, "cibadmin", "--query", "--scope", "nodes")
			if err == nil && !strings.Contains(out, `uname="node1"`) {
				err = errors.New(out)
			}
			return err
		})
	}

	setup := func(node string, args ...string) string {
		return c.run(t, node, append([]string{"/usr/share/hawser/setup-balancer", "--disable-haproxy-service"}, args...)...)
	}
	key := func(to string) {
		require.NoError(t, (&docLab{cluster: c, t: t}).copyFile(t.Context(), "lb-1", "/etc/corosync/authkey", to))
	}
	two := []string{"lb-1=10.132.0.11", "lb-2=10.132.0.12"}
	three := []string{two[0], two[1], "lb-3=10.132.0.13"}
	setup("lb-1", two...)
	key("lb-2")
	require.Contains(t, setup("lb-2", two...), "lb-2 is online; it sees: ")
	pair := c.run(t, "lb-1", "sh", "-c", "corosync-quorumtool -s; cibadmin --query --scope nodes")
	require.Contains(t, pair, "2Node Quorate WaitForAll")
	require.NotContains(t, pair, "node1", "nothing of the packages' own cluster is left")
	require.Equal(t, 2, strings.Count(pair, "<node "), pair)

	c.write(t, "lb-1", "/etc/hawser/hawser.yaml", strings.ReplaceAll(upgradeYAML, "10min", "15s"))
	c.run(t, "lb-1", "hawser", "apply", "--yes")
	c.serves(t)
	visitors, err := c.StartLoad(context.WithoutCancel(t.Context()), "client", load.Plan{URL: page, Every: 20 * time.Millisecond, Timeout: 5 * time.Second})
	require.NoError(t, err)
	corosync := func(node string) string { return c.run(t, node, "systemctl", "show", "--property=MainPID", "corosync") }
	before := []string{corosync("lb-1"), corosync("lb-2")}
	for _, node := range nodes[:2] {
		require.Contains(t, setup(node, append([]string{"--replace"}, three...)...), "corosync-cfgtool -R")
	}
	key("lb-3")
	setup("lb-3", three...)
	c.allOnline(t)
	require.NoError(t, c.WaitCluster(t.Context()))
	eventually(t, time.Minute, "HAProxy runs on the third", func() error {
		_, err := c.try("lb-3", "sh", "-c", "kill -0 $(cat /run/hawser/haproxy/haproxy.pid)")
		return err
	})
	report, err := visitors.Stop()
	require.NoError(t, err)
	t.Logf("visitors while the pair became three: %s", report)
	require.NotZero(t, report.Requests)
	require.Zero(t, report.Failed, "%s", report)
	require.Equal(t, before, []string{corosync("lb-1"), corosync("lb-2")}, "nothing was restarted")
	for _, node := range nodes {
		quorum := c.run(t, node, "corosync-quorumtool", "-s")
		require.Regexp(t, `Expected votes:\s+3`, quorum, node)
		require.Regexp(t, `Total votes:\s+3`, quorum, node)
		require.NotContains(t, quorum, "2Node", node)
		require.NotContains(t, quorum, "WaitForAll", "a third that boots alone does not wait for two")
	}
}
