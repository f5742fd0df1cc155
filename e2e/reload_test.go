package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

const checkedYAML = `fencing: off
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 2s
  check:
    url: http://${HAWSER_ANCHOR_IP}:80/
    timeout: 2s
    every: 3s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    token_file: /etc/hawser/token
`

// TestReloadThroughTheCluster changes the parameter generation: every node's HAProxy takes its
// configuration over, nothing restarts, no request is lost. A configuration that is broken on one
// node leaves that node serving, degraded with HAProxy's own words, until it is fixed.
func TestReloadThroughTheCluster(t *testing.T) {
	c := applied(t, checkedYAML)
	pids := map[string]string{}
	for _, n := range c.Nodes(lab.Balancer) {
		pids[n.Name] = c.haproxyPID(t, n.Name)
		c.edit(t, n.Name, "/etc/haproxy/haproxy.cfg", "option forwardfor", "http-response set-header x-version second\n\toption forwardfor")
	}
	broken := c.holder(t)
	intact := c.run(t, broken, "cat", "/etc/haproxy/haproxy.cfg")
	c.edit(t, broken, "/etc/haproxy/haproxy.cfg", "option forwardfor", "no_such_keyword")

	probe, err := c.StartProbe(t.Context(), lab.ProbeOptions{URL: page})
	require.NoError(t, err)
	c.run(t, "lb-1", "crm_resource", "--resource", "haproxy", "--set-parameter", "stop_grace", "--parameter-value", "7s")
	c.settled(t)
	for _, n := range c.Nodes(lab.Balancer) {
		out := c.run(t, n.Name, "curl", "--silent", "--include", fmt.Sprintf("http://%s/", n.Anchor.Addr()))
		require.NotContains(t, out, "x-version: second", "a parameter of the agent's own loads no edit")
	}
	c.run(t, "lb-1", "crm_resource", "--resource", "haproxy", "--set-parameter", "generation", "--parameter-value", "second")

	version := func(node string) (string, error) {
		n, err := c.Node(node)
		if err != nil {
			return "", err
		}
		return c.try(node, "curl", "--silent", "--include", fmt.Sprintf("http://%s/", n.Anchor.Addr()))
	}
	second := func(node string) func() error {
		return func() error {
			out, err := version(node)
			if err == nil && !strings.Contains(out, "x-version: second") {
				err = fmt.Errorf("the answer is %s", out)
			}
			return err
		}
	}
	for _, node := range c.others(broken) {
		eventually(t, 20*time.Second, node+" serves with the new configuration", second(node))
	}
	eventually(t, 20*time.Second, "the broken configuration is told, in HAProxy's words", func() error {
		mon, err := c.try("lb-1", "crm_mon", "-1")
		if err != nil {
			return err
		}
		status, _ := c.try("lb-2", "hawser", "status")
		if !strings.Contains(mon, "no_such_keyword") || !strings.Contains(status, "no_such_keyword") || !strings.Contains(status, "degraded") {
			return fmt.Errorf("%s%s", mon, status)
		}
		return nil
	})
	c.write(t, broken, "/etc/haproxy/haproxy.cfg", intact+"\n")
	eventually(t, 20*time.Second, broken+" serves with the fixed configuration", second(broken))
	eventually(t, 20*time.Second, "it is no longer degraded", func() error {
		_, err := c.try(broken, "env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=haproxy", "OCF_RESKEY_stop_grace=7s", "OCF_RESKEY_generation=second",
			"OCF_RESKEY_CRM_meta_interval=2000", "OCF_RESKEY_CRM_meta_timeout=20000", "/usr/lib/ocf/resource.d/hawser/haproxy", "monitor")
		return err
	})

	report, err := probe.Stop()
	require.NoError(t, err)
	require.Zero(t, report.Failures, "of %d requests: %v", report.Requests, report.Errors)
	require.Equal(t, broken, c.holder(t), "nothing moved")
	for node, pid := range pids {
		require.Equal(t, pid, c.haproxyPID(t, node), "HAProxy was restarted on %s", node)
	}
}

// TestPacemakersSecrets keeps the token in Pacemaker's secrets: the CIB has a placeholder, and the
// token cannot be read anywhere.
func TestPacemakersSecrets(t *testing.T) {
	c := fresh(t)
	for _, n := range c.Nodes(lab.Balancer) { // the token of tests that write it into the CIB
		c.run(t, n.Name, "sh", "-c", "for f in /var/log/crmsh/*.log /var/log/pacemaker/pacemaker.log /var/log/syslog; do [ ! -e $f ] || : >$f; done; "+
			"rm -f /var/lib/pacemaker/cib/cib-*.raw* /var/lib/pacemaker/pengine/*")
	}
	// What `cibsecret stash` does on each node, to which it needs ssh.
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "mkdir", "-p", "/var/lib/pacemaker/lrm/secrets/FloatIP")
		c.write(t, n.Name, "/var/lib/pacemaker/lrm/secrets/FloatIP/do_token", c.token())
		sum := strings.Fields(c.run(t, n.Name, "md5sum", "/var/lib/pacemaker/lrm/secrets/FloatIP/do_token"))[0]
		c.write(t, n.Name, "/var/lib/pacemaker/lrm/secrets/FloatIP/do_token.sign", sum)
		c.run(t, n.Name, "chmod", "-R", "go=", "/var/lib/pacemaker/lrm/secrets")
	}
	for _, step := range tutorialSteps("hawser", "lrm://") {
		c.run(t, "lb-1", strings.Fields(step)...)
	}
	c.serves(t)
	for _, n := range c.Nodes(lab.Balancer) {
		out, err := c.try(n.Name, "grep", "-rlF", c.token(), "/var/log", "/var/lib/pacemaker/cib", "/var/lib/pacemaker/pengine", "/run/hawser")
		var exit *lab.ExitError
		require.ErrorAs(t, err, &exit, "the token is on %s in %s", n.Name, out)
		require.Equal(t, 1, exit.Code, "grep finds nothing, or something is wrong with it: %s", exit.Stderr)
	}
	require.NotContains(t, c.run(t, "lb-1", "cibadmin", "--query"), c.token())
}
