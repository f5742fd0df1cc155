package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/exitcode"
)

// balancers is a cluster that runs the tutorial's set-up.
func balancers(t *testing.T) *crmtest.Fake {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	require.NoError(t, c.Edit(crmtest.Tutorial()...))
	return c
}

func TestVerbs(t *testing.T) {
	c := balancers(t)
	sys, stdout, stderr := testSystem(t, c)
	require.Equal(t, exitOK, run([]string{"hawser", "standby", "lb-1", "--yes"}, sys), stderr)
	require.Equal(t, `lb-1 goes into standby: it runs nothing until `+"`hawser online lb-1`"+`.

  FloatIP (203.0.113.10) moves from lb-1 to lb-2
  haproxy stops on lb-1, keeps running on lb-2

Note: HAProxy runs only on lb-2 then: if that fails, nobody serves.
lb-1 is in standby; `+"`hawser online lb-1`"+` ends that.
`, stdout.String())

	stdout.Reset()
	require.Equal(t, exitOK, run([]string{"hawser", "online", "lb-1", "--json", "--yes"}, sys), stderr)
	var report order.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), stdout)
	require.Equal(t, "online", report.Order)
	require.Equal(t, []string{"lb-1"}, report.Arguments)
	require.True(t, report.Changed)
	require.True(t, report.Settled)
	require.Empty(t, report.Unserved)
	require.Equal(t, []string{"lb-1", "lb-2"}, report.HAProxies[0].After)
	require.NotContains(t, stdout.String(), "null", "an empty list is none that is missing")
}

// Pacemaker is told to forget, and nothing of the configuration is written.
func TestCleanupCommand(t *testing.T) {
	c := balancers(t)
	c.FailResource("haproxy", "port 80 is in use")
	sys, stdout, stderr := testSystem(t, c)
	sys.interactive, sys.stdin = true, strings.NewReader("no\n")
	require.Equal(t, exitFailed, run([]string{"hawser", "cleanup"}, sys))
	require.Empty(t, c.Cleaned())
	sys.stdin = strings.NewReader("yes\n")
	require.Equal(t, exitOK, run([]string{"hawser", "cleanup", "haproxy", "lb-1"}, sys), stderr)
	require.Contains(t, stdout.String(), "Pacemaker forgets what has failed of haproxy on lb-1, and checks again what is\nrunning.\n"+
		"  start of haproxy on lb-1 failed: error: port 80 is in use\n")
	require.Equal(t, []string{"haproxy lb-1"}, c.Cleaned())
	require.Zero(t, c.Applied())
}

// What goes wrong has the exit codes of apply.
func TestVerbsThatFail(t *testing.T) {
	for name, tc := range map[string]struct {
		prepare func(c *crmtest.Fake)
		args    string
		code    int
		says    string
	}{
		"no such node":              {nil, "standby lb-9 --yes", exitUsage, "the cluster has no node lb-9"},
		"Pacemaker does not answer": {func(c *crmtest.Fake) { c.Fail("Query", crm.ErrNotRunning) }, "standby lb-1 --yes", exitUnavailable, "does not answer"},
		"it may not":                {func(c *crmtest.Fake) { c.Fail("Apply", crm.ErrPermission) }, "stop FloatIP --yes", exitPermission, "permission denied"},
		"somebody else": {func(c *crmtest.Fake) {
			c.OnApply(func() {
				_ = c.Edit(&crm.Node{NodeID: "1", Uname: "lb-1", Attributes: crm.Attrs{{Name: "rack", Value: "r1"}}})
				c.OnApply(nil)
			})
		}, "standby lb-1 --yes", exitConflict, "somebody else changed the configuration meanwhile"},
		"too slow": {func(c *crmtest.Fake) { c.OnWait(func(ctx context.Context) { <-ctx.Done() }) },
			"standby lb-1 --yes --timeout 10ms", exitTimeout, "the cluster has not settled within 10ms"},
		"it fails then": {func(c *crmtest.Fake) { c.OnWait(func(context.Context) { c.FailResource("FloatIP", "no token") }) },
			"standby lb-1 --yes", exitResource, "FloatIP (203.0.113.10) is not running on any node"},
		"a cleanup that is refused": {func(c *crmtest.Fake) {
			c.FailResource("haproxy", "x")
			c.Fail("Cleanup", errors.New("the controller is busy"))
		}, "cleanup --yes", exitFailed, "the controller is busy"},
		"no time":        {nil, "standby lb-1 --yes --timeout 0s", exitUsage, "--timeout"},
		"no terminal":    {nil, "maintenance on", exitUsage, "maintenance asks before it acts, and there is no terminal to ask on: use --yes"},
		"not waited for": {func(c *crmtest.Fake) { c.Fail("Wait", errors.New("nobody asks")) }, "standby lb-1 --yes --no-wait", exitOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := balancers(t)
			sys, _, stderr := testSystem(t, c)
			sys.Now = time.Now
			if tc.prepare != nil {
				tc.prepare(c)
			}
			require.Equal(t, tc.code, run(append([]string{"hawser"}, strings.Fields(tc.args)...), sys), stderr)
			require.Contains(t, stderr.String(), tc.says)
		})
	}
}

// Every verb is told to the system's log, with what became of it.
func TestVerbsAreRecorded(t *testing.T) {
	for _, v := range verbs() {
		require.True(t, changing[v.name], v.name)
		require.NotEmpty(t, exitcode.TextOf(v.name, sectionWidth), v.name)
	}
	require.True(t, changing["adopt"])
}

func TestAdoptCommand(t *testing.T) {
	c := balancers(t)
	require.NoError(t, c.Delete("FloatIP-haproxy", "FloatIP"))
	sys, stdout, stderr := testSystem(t, c)
	path := t.TempDir() + "/hawser.yaml"
	require.Equal(t, exitOK, run([]string{"hawser", "adopt", "-f", path, "--yes"}, sys), stderr)
	require.Contains(t, stdout.String(), "\nWritten, and "+path+" too.\n")
	require.Contains(t, objects(t, c), "tag hawser haproxy haproxy-clone\n")
	require.Equal(t, exitUsage, run([]string{"hawser", "adopt", "-f", path, "--yes", "--force"}, sys))
	require.Contains(t, stderr.String(), "hawser has made haproxy itself")
}
