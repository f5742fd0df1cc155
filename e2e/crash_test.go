package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

// keptYAML has a monitor that comes too late to help, so that what is seen is the keeper's doing.
const keptYAML = `fencing: off
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 1min
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    token_file: /etc/hawser/token
`

// crashes are the crashes that the node's agent remembers: their number, and the whole state.
func (c *cluster) crashes(node string) (int, string) {
	out, _ := c.try(node, "cat", "/run/hawser/haproxy/state.json")
	return strings.Count(out, `"cause"`), out
}

// guarded waits until the keeper of a node watches: there are one keeper and one standby, and the keeper holds sockets.
func (c *cluster) guarded(t testing.TB, node string) {
	t.Helper()
	eventually(t, 20*time.Second, "the keeper on "+node+" watches", func() error {
		for _, name := range []string{"hawser-keeper", "hawser-standby"} {
			out, err := c.try(node, "pgrep", "--count", "--exact", name)
			if err != nil || strings.TrimSpace(out) != "1" {
				return fmt.Errorf("%s %s: %w", out, name, err)
			}
		}
		out, err := c.try(node, "sh", "-c", "ls -l /proc/$(pidof hawser-keeper)/fd")
		if err == nil && strings.Count(out, "socket:") < 2 { // its own, and HAProxy's
			err = errors.New(out)
		}
		return err
	})
}

// loaded is the cluster with a client that asks 4 at a time until finish is called.
func (c *cluster) loaded(t *testing.T) (finish func() load.Report) {
	t.Helper()
	loading, err := c.StartLoad(t.Context(), "client", load.Plan{URL: page, Clients: 4, Timeout: 5 * time.Second})
	require.NoError(t, err)
	return func() load.Report {
		r, err := loading.Stop()
		require.NoError(t, err)
		t.Logf("%s", r)
		return r
	}
}

// unscathed is what every client but those in the dead process saw: nobody refused, nobody waiting for long. The time is loose, as the
// machine is shared; `make bench` measures it.
func unscathed(t *testing.T, r load.Report) {
	t.Helper()
	require.Zero(t, r.Count(load.Refused, load.Unreachable, load.ConnectTimeout, load.AnswerTimeout), "%s", r)
	require.LessOrEqual(t, r.Failed, 4, "no more are lost than were in flight: %s", r)
	require.Less(t, r.Max, time.Second, "%s", r)
}

// TestCrashRefusesNobody kills HAProxy under load, in several ways. The address stays, and
// Pacemaker counts no failure, but the crash is reported to it.
func TestCrashRefusesNobody(t *testing.T) {
	c := applied(t, keptYAML)
	holder := c.holder(t)
	c.guarded(t, holder)
	c.run(t, "lb-1", "crm_resource", "-r", "haproxy", "--set-parameter", "max_crashes", "--parameter-value", "20")
	c.settled(t)

	for _, how := range []struct{ name, command string }{
		{"everything", "killall --signal KILL haproxy"},
		{"the worker", "kill -KILL $(pgrep --parent $(cat /run/hawser/haproxy/haproxy.pid))"},
		{"the master", "kill -KILL $(cat /run/hawser/haproxy/haproxy.pid)"},
		{"everything, the configuration broken on disk", "cp /etc/haproxy/haproxy.cfg /root/intact.cfg; echo bogus >>/etc/haproxy/haproxy.cfg; killall --signal KILL haproxy"},
	} {
		t.Run(how.name, func(t *testing.T) {
			before, _ := c.crashes(holder)
			c.guarded(t, holder)
			finish := c.loaded(t)
			c.run(t, holder, "sh", "-c", how.command)
			eventually(t, 20*time.Second, "it is back and counted", func() error {
				if n, state := c.crashes(holder); n != before+1 {
					return errors.New(state)
				}
				return nil
			})
			c.guarded(t, holder)
			unscathed(t, finish())
		})
	}
	c.run(t, holder, "cp", "/root/intact.cfg", "/etc/haproxy/haproxy.cfg")
	require.Equal(t, holder, c.holder(t), "the address has not moved")

	t.Run("and is told", func(t *testing.T) {
		mon := c.run(t, "lb-2", "crm_mon", "-1A")
		require.Contains(t, mon, "hawser-haproxy-crash", "Pacemaker's alerts get it too")
		out, _ := c.try(holder, "env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=haproxy", "OCF_RESKEY_CRM_meta_on_node="+holder,
			"OCF_RESKEY_CRM_meta_interval=60000", "OCF_RESKEY_CRM_meta_timeout=20000", "/usr/lib/ocf/resource.d/hawser/haproxy", "monitor")
		t.Log(out)
		require.NotContains(t, c.run(t, "lb-1", "crm_mon", "-1f"), "fail-count", "it is no failure")
		status := c.run(t, "lb-2", "hawser", "status")
		require.Contains(t, status, "crash", status)
	})
}

// TestACrashIsReported: the next monitor tells Pacemaker, who shows it and neither counts a failure nor moves anything.
func TestACrashIsReported(t *testing.T) {
	c := applied(t, strings.Replace(keptYAML, "1min", "2s", 1))
	holder := c.holder(t)
	c.guarded(t, holder)
	c.run(t, holder, "killall", "--signal", "KILL", "haproxy")
	eventually(t, 30*time.Second, "crm_mon shows the crash", func() error {
		mon, err := c.try("lb-2", "crm_mon", "-1f")
		switch {
		case err != nil:
			return err
		case !strings.Contains(mon, "HAProxy crashed at"):
			return errors.New(mon)
		}
		require.NotContains(t, mon, "fail-count=", "it counts no failure")
		return nil
	})
	c.settled(t)
	require.Equal(t, holder, c.holder(t))
	mon := c.run(t, "lb-2", "crm_mon", "-1fn")
	require.NotContains(t, mon, "fail-count=", mon)
}

// TestKeeperKilledFirst: without the keeper there is a gap, and its standby makes it a short one.
func TestKeeperKilledFirst(t *testing.T) {
	c := applied(t, keptYAML)
	holder := c.holder(t)
	c.guarded(t, holder)
	finish := c.loaded(t)
	// By number: killall would find the standby too, which has the keeper's name as soon as that is dead.
	c.run(t, holder, "sh", "-c", "kill -KILL $(pgrep --exact hawser-keeper); killall --signal KILL haproxy")
	eventually(t, 20*time.Second, "the standby brings it back", func() error {
		if n, state := c.crashes(holder); n != 1 {
			return errors.New(state)
		}
		return nil
	})
	c.guarded(t, holder)
	r := finish()
	require.Less(t, r.LongestGap, 2*time.Second, "%s", r)
	require.Equal(t, holder, c.holder(t))
}

// TestWhatCannotBeFixed is the cluster's: the address moves to a node whose HAProxy is well.
func TestWhatCannotBeFixed(t *testing.T) {
	c := applied(t, keptYAML)

	t.Run("the binary is gone", func(t *testing.T) {
		holder := c.holder(t)
		c.guarded(t, holder)
		t.Cleanup(func() { c.run(t, holder, "mv", "/usr/sbin/haproxy.gone", "/usr/sbin/haproxy") })
		c.run(t, holder, "sh", "-c", "mv /usr/sbin/haproxy /usr/sbin/haproxy.gone; killall --signal KILL haproxy")
		c.moved(t, holder)
		eventually(t, 20*time.Second, "no keeper holds what nobody serves", func() error {
			if out, _ := c.try(holder, "pgrep", "-l", "hawser-"); out != "" {
				return errors.New(out)
			}
			return nil
		})
	})
	c.settled(t)
	c.run(t, "lb-1", "crm_resource", "--cleanup")
	c.settled(t)
	t.Run("it keeps crashing", func(t *testing.T) {
		holder := c.holder(t)
		for n := range 2 {
			c.guarded(t, holder)
			c.run(t, holder, "killall", "--signal", "KILL", "haproxy")
			eventually(t, 20*time.Second, "it is back", func() error {
				if got, state := c.crashes(holder); got != n+1 {
					return errors.New(state)
				}
				return nil
			})
		}
		c.guarded(t, holder)
		c.run(t, holder, "killall", "--signal", "KILL", "haproxy")
		eventually(t, 30*time.Second, "Pacemaker counts a failure", func() error {
			mon, err := c.try("lb-2", "crm_mon", "-1f")
			if err == nil && !strings.Contains(mon, "fail-count=") {
				_, state := c.crashes(holder)
				log, _ := c.try(holder, "grep", "haproxy(haproxy)", "/var/log/pacemaker/pacemaker.log")
				err = errors.New(mon + state + log)
			}
			return err
		})
		c.settled(t)
		c.serves(t)
	})
}

// TestTheKeeperObeys: nothing is brought back of what is unmanaged, or where Pacemaker does not run.
func TestTheKeeperObeys(t *testing.T) {
	c := applied(t, keptYAML)
	gone := func(t *testing.T, node string) {
		t.Helper()
		c.guarded(t, node)
		c.run(t, node, "killall", "--signal", "KILL", "haproxy")
		eventually(t, 20*time.Second, "the keeper ends", func() error {
			if out, _ := c.try(node, "pgrep", "-l", "hawser-"); out != "" {
				return errors.New(out)
			}
			return nil
		})
		out, _ := c.try(node, "pgrep", "-l", "haproxy")
		require.Empty(t, out)
	}
	back := func(t *testing.T, node string) {
		t.Helper()
		c.run(t, "lb-1", "crm_resource", "--refresh")
		eventually(t, time.Minute, "HAProxy is back on "+node, func() error {
			_, err := c.try(node, "pgrep", "haproxy")
			return err
		})
		c.settled(t)
	}
	for name, maintain := range map[string]struct{ on, off []string }{
		"maintenance-mode":        {[]string{"crm_attribute", "-n", "maintenance-mode", "-v", "true"}, []string{"crm_attribute", "-n", "maintenance-mode", "-D"}},
		"a node in maintenance":   {[]string{"crm_attribute", "-N", "lb-2", "-n", "maintenance", "-v", "true"}, []string{"crm_attribute", "-N", "lb-2", "-n", "maintenance", "-D"}},
		"is-managed of the clone": {[]string{"crm_resource", "-r", "haproxy-clone", "--meta", "-p", "is-managed", "-v", "false"}, []string{"crm_resource", "-r", "haproxy-clone", "--meta", "-d", "is-managed"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.guarded(t, "lb-2")
			c.run(t, "lb-1", maintain.on...)
			c.settled(t)
			gone(t, "lb-2")
			c.run(t, "lb-1", maintain.off...)
			back(t, "lb-2")
		})
	}
	t.Run("Pacemaker stopped", func(t *testing.T) {
		node := c.others(c.holder(t))[0]
		c.guarded(t, node)
		c.run(t, "lb-1", "crm_attribute", "-n", "maintenance-mode", "-v", "true") // so that HAProxy is left running
		c.settled(t)
		c.run(t, node, "sh", "-c", "kill $(pidof pacemakerd); while pidof pacemakerd >/dev/null; do sleep 0.1; done")
		gone(t, node)
		require.NoError(t, c.Kill(node))
		c.run(t, c.others(node)[0], "crm_attribute", "-n", "maintenance-mode", "-D")
	})
}

// TestRestartRefusesNobody: a changed parameter that is not reloadable restarts HAProxy on every node.
func TestRestartRefusesNobody(t *testing.T) {
	c := applied(t, keptYAML)
	holder := c.holder(t)
	for _, n := range c.Nodes(lab.Balancer) {
		c.guarded(t, n.Name)
	}
	before := c.haproxyPID(t, holder)
	finish := c.loaded(t)
	c.run(t, "lb-1", "crm_resource", "-r", "haproxy", "--set-parameter=extraconf", "--parameter-value=-L restarted")
	eventually(t, 30*time.Second, "HAProxy is another one", func() error {
		now, err := c.tryHAProxyPID(holder)
		if err == nil && (now == before || now == "") {
			err = errors.New("it is process " + now)
		}
		return err
	})
	c.settled(t)
	c.guarded(t, holder)
	r := finish()
	require.Zero(t, r.Failed, "%s", r)
	require.Equal(t, holder, c.holder(t))
}
