package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/lab"
)

const confFile = "/etc/haproxy/haproxy.cfg"

// reloadSeen is what `hawser reload --json` says.
type reloadSeen struct {
	Configuration string
	Nodes         []struct {
		Node, State, Before, After, Reason string
	}
}

// of is a node's line.
func (r reloadSeen) of(t testing.TB, node string) (state, before, after, reason string) {
	t.Helper()
	for _, n := range r.Nodes {
		if n.Node == node {
			return n.State, n.Before, n.After, n.Reason
		}
	}
	t.Fatalf("%s is not in %+v", node, r)
	return "", "", "", ""
}

// reload runs `hawser reload` on a node and returns what it said and its exit code.
func (c *cluster) reload(t testing.TB, node string, args ...string) (seen reloadSeen, complaint string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{"hawser", "reload", "--yes", "--json", "--timeout", "60s"}, args...)
	out, complaint, err := c.Exec(ctx, node, args...)
	require.NoError(t, conforms(args, out, err))
	var exit *lab.ExitError
	if errors.As(err, &exit) {
		code = exit.Code
	} else {
		require.NoError(t, err)
	}
	t.Logf("exit code %d\n%s%s", code, out, complaint)
	if out != "" {
		require.NoError(t, json.Unmarshal([]byte(out), &seen), "%s", out)
	}
	return seen, complaint, code
}

// taken demands that every node has taken the configuration.
func taken(t *testing.T, seen reloadSeen, code int, nodes ...string) {
	t.Helper()
	require.Zero(t, code)
	for _, node := range nodes {
		state, _, after, reason := seen.of(t, node)
		require.Equal(t, "taken", state, "%s: %s", node, reason)
		require.Equal(t, seen.Configuration, after)
	}
}

// statusSeen is what `hawser status --json` says of configurations.
type statusSeen struct {
	HAProxy []struct {
		Node          string
		Configuration struct{ Serves, Disk string }
	}
	Drift []struct {
		Served []struct {
			Configuration string
			Nodes         []string
		}
	}
}

func (c *cluster) statusSeen(node string) (seen statusSeen, err error) {
	out, err := c.try(node, "hawser", "status", "--json")
	var exit *lab.ExitError
	if err != nil && !errors.As(err, &exit) {
		return seen, err
	}
	return seen, json.Unmarshal([]byte(out), &seen)
}

// TestReloadCommand: `hawser reload` on a real cluster, with what can be wrong on one of the nodes.
func TestReloadCommand(t *testing.T) {
	c := applied(t, strings.Replace(tutorialYAML, "15s", "2s", 1))
	var nodes []string
	intact := c.run(t, "lb-1", "cat", confFile) + "\n"
	for _, n := range c.Nodes(lab.Balancer) {
		nodes = append(nodes, n.Name)
	}
	everywhere := func(t testing.TB, text string) {
		t.Helper()
		for _, node := range nodes {
			c.write(t, node, confFile, text)
		}
	}
	t.Cleanup(func() {
		for _, node := range nodes {
			_ = c.Run(context.Background(), node, lab.Command{Args: []string{"dd", "status=none", "of=" + confFile}, Stdin: strings.NewReader(intact)})
		}
	})
	everywhere(t, intact)
	c.serves(t)
	c.settled(t)
	pids := map[string]string{}
	for _, node := range nodes {
		pids[node] = c.haproxyPID(t, node)
	}
	restarted := func() (which []string) {
		for node, pid := range pids {
			if now, err := c.tryHAProxyPID(node); err != nil || now != pid {
				which = append(which, node)
				t.Logf("HAProxy on %s is process %s, and was %s: %v", node, now, pid, err)
			}
		}
		return which
	}
	version := 0
	next := func() string {
		version++
		return intact + fmt.Sprintf("# version %d\n", version)
	}
	odd := c.others("lb-1")[0]

	t.Run("every node takes it, and no request is lost", func(t *testing.T) {
		l, err := c.StartLoad(t.Context(), "client", load.Plan{URL: page, Clients: 4, Timeout: 5 * time.Second})
		require.NoError(t, err)
		var before string
		for range 3 {
			everywhere(t, next())
			seen, _, code := c.reload(t, "lb-1")
			taken(t, seen, code, nodes...)
			require.NotEqual(t, before, seen.Configuration)
			_, was, _, _ := seen.of(t, odd)
			if before != "" {
				require.Equal(t, before, was)
			}
			before = seen.Configuration
		}
		seen, _, code := c.reload(t, "lb-1", "haproxy-clone")
		taken(t, seen, code, nodes...)
		require.Equal(t, before, seen.Configuration, "unchanged files are loaded, too")
		report, err := l.Stop()
		require.NoError(t, err)
		t.Logf("%s", report)
		require.Zero(t, report.Failed, "%s", report)
		require.Empty(t, restarted())
		c.run(t, "lb-1", "hawser", "plan", "--exit-code", "-f", yamlPath) // what reload wrote is no business of apply's
	})

	for _, fault := range []struct {
		name   string
		do     func(t testing.TB, text string)
		reason string
	}{
		{"broken", func(t testing.TB, text string) { c.write(t, odd, confFile, text+"no_such_keyword\n") }, "is here, and"},
		{"missing", func(t testing.TB, _ string) { c.run(t, odd, "rm", confFile) }, "no such file"},
		{"different", func(t testing.TB, text string) {
			c.write(t, odd, confFile, text+"# of its "+
				"own\n")
		}, "should be served"},
	} {
		t.Run(fault.name+" on one node", func(t *testing.T) {
			settled, _, code := c.reload(t, "lb-1", "--differing")
			require.Zero(t, code)
			text := next()
			everywhere(t, text)
			fault.do(t, text)
			seen, complaint, code := c.reload(t, "lb-1")
			require.Equal(t, 8, code)
			require.Contains(t, complaint, odd+" keeps serving the previous configuration")
			for _, node := range c.others(odd) {
				state, _, after, _ := seen.of(t, node)
				require.Equal(t, []string{"taken", seen.Configuration}, []string{state, after})
			}
			state, before, after, reason := seen.of(t, odd)
			require.Equal(t, []string{"kept", settled.Configuration}, []string{state, after}, reason)
			require.Equal(t, before, after)
			if fault.name != "broken" {
				require.Contains(t, reason, fault.reason)
			} else {
				require.Contains(t, reason, "no_such_keyword", "HAProxy's own words")
			}
			eventually(t, 20*time.Second, "status tells", func() error {
				status, err := c.statusSeen("lb-1")
				if err == nil && (len(status.Drift) != 1 || len(status.Drift[0].Served) != 2 || strings.Join(status.Drift[0].Served[1].Nodes, " ") != odd) {
					err = fmt.Errorf("%+v", status)
				}
				return err
			})
			eventually(t, 20*time.Second, "Pacemaker tells", func() error {
				mon, err := c.try("lb-1", "crm_mon", "-1")
				if err == nil && !strings.Contains(mon, "the old configuration serves") {
					err = errors.New(mon)
				}
				return err
			})
			c.write(t, odd, confFile, text)
			eventually(t, 20*time.Second, "it is taken as soon as it is right", func() error {
				status, err := c.statusSeen("lb-1")
				if err == nil && len(status.Drift) != 0 {
					err = fmt.Errorf("%+v", status)
				}
				return err
			})
			require.Empty(t, restarted())
		})
	}

	t.Run("different on purpose", func(t *testing.T) {
		text := next()
		everywhere(t, text)
		c.write(t, odd, confFile, text+"# of its own\n")
		seen, _, code := c.reload(t, "lb-1", "--differing")
		require.Zero(t, code)
		state, _, after, _ := seen.of(t, odd)
		require.Equal(t, "taken", state)
		require.NotEqual(t, seen.Configuration, after)
		everywhere(t, text)
		seen, _, code = c.reload(t, odd)
		taken(t, seen, code, nodes...)
	})

	t.Run("the node is leaving", func(t *testing.T) {
		everywhere(t, next())
		c.run(t, "lb-1", "crm_attribute", "--node", odd, "--name", "standby", "--update", "on")
		defer func() {
			c.run(t, "lb-1", "crm_attribute", "--node", odd, "--name", "standby", "--delete")
			c.settled(t)
			pids[odd] = c.haproxyPID(t, odd)
		}()
		seen, _, code := c.reload(t, "lb-1")
		taken(t, seen, code, c.others(odd)...)
		state, _, _, reason := seen.of(t, odd)
		require.Contains(t, []string{"left", "absent"}, state)
		require.Contains(t, reason, "standby")
	})
	t.Run("the node is rebooted", func(t *testing.T) {
		everywhere(t, next())
		back := make(chan error, 1)
		go func() { back <- c.Reboot(context.Background(), odd) }()
		seen, _, code := c.reload(t, "lb-1")
		taken(t, seen, code, c.others(odd)...)
		state, _, _, reason := seen.of(t, odd)
		require.Contains(t, []string{"left", "absent", "taken"}, state, reason)
		require.NoError(t, <-back)
		c.allOnline(t)
		c.write(t, odd, confFile, c.run(t, "lb-1", "cat", confFile)+"\n")
		eventually(t, time.Minute, "HAProxy runs there", func() error {
			_, err := c.tryHAProxyPID(odd)
			return err
		})
		c.settled(t)
		pids[odd] = c.haproxyPID(t, odd)
		seen, _, code = c.reload(t, "lb-1")
		taken(t, seen, code, nodes...)
		require.Empty(t, restarted())
	})
	t.Run("a node in maintenance", func(t *testing.T) {
		c.run(t, "lb-1", "crm_attribute", "--node", odd, "--name", "maintenance", "--update", "true")
		t.Cleanup(func() { c.run(t, "lb-1", "crm_attribute", "--node", odd, "--name", "maintenance", "--delete") })
		everywhere(t, next())
		seen, complaint, code := c.reload(t, "lb-1")
		require.Equal(t, 8, code)
		require.Contains(t, complaint, odd+": it is not managed")
		state, before, after, _ := seen.of(t, odd)
		require.Equal(t, []string{"unmanaged", before}, []string{state, after})
		c.run(t, "lb-1", "crm_attribute", "--node", odd, "--name", "maintenance", "--delete")
		eventually(t, 20*time.Second, "it is taken once it is managed", func() error {
			status, err := c.statusSeen("lb-1")
			if err == nil && len(status.Drift) != 0 {
				err = fmt.Errorf("%+v", status)
			}
			return err
		})
		require.Empty(t, restarted())
	})
	t.Run("Pacemaker found it running and did not start it", func(t *testing.T) {
		c.run(t, "lb-1", "crm_resource", "--refresh", "--resource", "haproxy", "--node", odd)
		c.settled(t)
		require.Contains(t, c.run(t, "lb-1", "cibadmin", "--query", "--xpath", "//node_state[@uname='"+odd+"']"), "haproxy_last_failure_0")
		everywhere(t, next())
		seen, _, code := c.reload(t, "lb-1")
		taken(t, seen, code, nodes...)
		c.settled(t)
		require.Empty(t, restarted())
	})
}
