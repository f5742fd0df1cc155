package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

const haproxyCfg = "/etc/haproxy/haproxy.cfg"

// TestPush brings configurations to every node through the cluster, under load, and no request
// fails.
func TestPush(t *testing.T) {
	c := applied(t, tutorialYAML)
	former := c.run(t, "lb-1", "cat", haproxyCfg)
	versioned := func(version string) string {
		return strings.Replace(former, "option forwardfor", "http-response set-header x-version "+version+"\n\toption forwardfor", 1) + "\n"
	}
	served := func(t *testing.T, want string) {
		t.Helper()
		for _, n := range c.Nodes(lab.Balancer) {
			out := c.run(t, n.Name, "curl", "--silent", "--include", fmt.Sprintf("http://%s/", n.Anchor.Addr()))
			if want == "" {
				require.NotContains(t, out, "x-version", n.Name)
			} else {
				require.Contains(t, out, "x-version: "+want, n.Name)
			}
		}
	}
	leftovers := func(t *testing.T) {
		t.Helper()
		cib := c.run(t, "lb-1", "cibadmin", "--query")
		require.NotContains(t, cib, "hawser-push-haproxy", "the configuration stays in the CIB")
		require.NotContains(t, cib, `name="push"`, "the order stays in the CIB")
	}
	pids := map[string]string{}
	for _, n := range c.Nodes(lab.Balancer) {
		pids[n.Name] = c.haproxyPID(t, n.Name)
	}
	push := []string{"hawser", "reload", "--yes", "--push", "/root/new.cfg"}

	t.Run("to every node", func(t *testing.T) {
		probe, err := c.StartProbe(t.Context(), lab.ProbeOptions{URL: page})
		require.NoError(t, err)
		c.write(t, "lb-1", "/root/new.cfg", versioned("two"))
		out := c.run(t, "lb-1", push...)
		require.Contains(t, out, "--rollback")
		served(t, "two")
		c.write(t, "lb-1", "/root/new.cfg", versioned("three"))
		c.run(t, "lb-1", push...)
		served(t, "three")
		c.run(t, "lb-2", "hawser", "reload", "--yes", "--rollback")
		served(t, "two")
		report, err := probe.Stop()
		require.NoError(t, err)
		require.Zero(t, report.Failures, "of %d requests: %v", report.Requests, report.Errors)
		for node, pid := range pids {
			require.Equal(t, pid, c.haproxyPID(t, node), "HAProxy was restarted on %s", node)
		}
		leftovers(t)
	})
	t.Run("refused by one node", func(t *testing.T) {
		c.run(t, "lb-1", "mkdir", "-p", "/etc/haproxy/errors.d")
		c.run(t, "lb-2", "mkdir", "-p", "/etc/haproxy/errors.d")
		for _, node := range []string{"lb-1", "lb-2"} {
			c.write(t, node, "/etc/haproxy/errors.d/503.http", "HTTP/1.0 503 Sorry\r\n\r\n")
		}
		c.write(t, "lb-1", "/root/new.cfg", strings.Replace(versioned("four"), "option forwardfor", "errorfile 503 /etc/haproxy/errors.d/503.http\n\toption forwardfor", 1))
		out := c.fails(t, 8, "lb-1", push...)
		require.Contains(t, out, "lb-3")
		require.Contains(t, out, "/etc/haproxy/errors.d/503.http", "HAProxy's own words")
		require.Contains(t, out, "no node has taken it")
		served(t, "two")
		for _, n := range c.Nodes(lab.Balancer) {
			eventually(t, 10*time.Second, n.Name+" forgets the candidate", func() error {
				_, err := c.try(n.Name, "sh", "-c", "! ls /etc/haproxy | grep candidate")
				return err
			})
			require.NotContains(t, c.run(t, n.Name, "cat", haproxyCfg), "four", n.Name)
		}
		leftovers(t)
	})
	t.Run("killed after the check", func(t *testing.T) {
		c.write(t, "lb-1", "/root/new.cfg", versioned("five"))
		// Killed as soon as the first node has answered: nobody is left to order that it be
		// applied.
		_, err := c.try("lb-1", "sh", "-c", `hawser reload --yes --push /root/new.cfg & p=$!
until attrd_updater --query --all --name hawser-haproxy-push 2>/dev/null | grep -q check:; do :; done
kill -9 $p; wait $p`)
		require.Error(t, err)
		for _, n := range c.Nodes(lab.Balancer) {
			require.Contains(t, c.run(t, n.Name, "cat", haproxyCfg), "two", n.Name)
		}
		c.write(t, "lb-1", "/root/new.cfg", versioned("six"))
		c.run(t, "lb-1", push...)
		served(t, "six")
		leftovers(t)
	})
	t.Run("a node leaves meanwhile, and shows that it missed it", func(t *testing.T) {
		away := c.others(c.holder(t))[0]
		from := c.others(away)[0]
		c.write(t, from, "/root/new.cfg", versioned("seven"))
		c.run(t, from, "crm_standby", "--node", away, "--update", "on")
		c.run(t, from, push...)
		c.run(t, from, "crm_standby", "--node", away, "--delete")
		c.settled(t)
		c.haproxyPID(t, away)
		require.Contains(t, c.run(t, away, "cat", haproxyCfg), "six")
		c.run(t, from, push...)
		served(t, "seven")
		leftovers(t)
	})
	t.Run("a node that kept away from a reload takes it", func(t *testing.T) {
		c.write(t, "lb-3", haproxyCfg, versioned("other"))
		require.Contains(t, c.fails(t, 8, "lb-1", "hawser", "reload", "--yes"), "should be served")
		c.write(t, "lb-1", "/root/new.cfg", versioned("eight"))
		c.run(t, "lb-1", push...)
		served(t, "eight")
		leftovers(t)
	})
	t.Run("mistakes", func(t *testing.T) {
		epoch := c.epoch(t)
		require.Contains(t, c.fails(t, 2, "lb-1", "hawser", "reload", "--yes", "--push", "/root/nothing.cfg"), "/root/nothing.cfg")
		c.write(t, "lb-1", "/root/broken.cfg", "frontend x\n\tbogus\n")
		require.Contains(t, c.fails(t, 2, "lb-1", "hawser", "reload", "--yes", "--push", "/root/broken.cfg"), "bogus")
		c.write(t, "lb-1", "/root/secret.cfg", versioned("eight")+"userlist u\n\tuser admin insecure-password hunter2\n")
		out := c.fails(t, 2, "lb-1", "hawser", "reload", "--yes", "--push", "/root/secret.cfg")
		require.Contains(t, out, "--with-credentials")
		require.NotContains(t, out, "hunter2")
		c.run(t, "lb-1", "sh", "-c", "{ cat /root/new.cfg; head -c 200000 /dev/urandom | base64 | sed 's/^/# /'; } >/root/large.cfg")
		require.Contains(t, c.fails(t, 2, "lb-1", "hawser", "reload", "--yes", "--push", "/root/large.cfg"), "too large")
		require.Equal(t, epoch, c.epoch(t), "nothing was changed")
	})
}
