package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestSBDNeedsThreeVotes(t *testing.T) {
	cfg := configOfText(t, "haproxy: {}\nfencing: sbd\n")
	for _, tc := range []struct {
		name          string
		nodes         int
		q             quorum
		err, warnings string
	}{
		{"three nodes", 3, quorum{known: true}, "", ""},
		{"two nodes and a device", 2, quorum{corosync.Quorum{Device: true}, true}, "", ""},
		{"two nodes", 2, quorum{corosync.Quorum{TwoNode: true}, true}, "f.yaml:2: fencing by SBD needs three votes, and this cluster has 2 nodes and no quorum device: SBD resets the node that has no quorum", ""},
		{"one node", 1, quorum{}, "this cluster has 1 node and no quorum device", ""},
		{"a file of two nodes", 2, quorum{}, "", "whether this cluster of two has a quorum device could not be asked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := diffWithFile(cfg, cibOf(t, tc.nodes, property("have-watchdog", "true")))
			require.NoError(t, err)
			warning, err := checkFencing(cfg, plan, tc.q)
			if tc.err == "" {
				require.NoError(t, err)
				require.Contains(t, warning, tc.warnings)
				return
			}
			require.ErrorContains(t, err, tc.err)
			code, _ := exitCode(err)
			require.Equal(t, exitUsage, code)
		})
	}
}

// What Pacemaker would answer by ending itself must be found before it is written.
func TestSBDIsLookedAtBeforeItIsReliedOn(t *testing.T) {
	well := sbdHere{running: true, timeout: 5 * time.Second, saidBy: "/etc/default/sbd", watchdog: "/dev/watchdog"}
	for _, tc := range []struct {
		name    string
		change  func(sys *system, here *sbdHere)
		unknown bool // have-watchdog is not set
		yaml    string
		code    int
		said    string
	}{
		{name: "well"},
		{name: "a node is offline", change: func(sys *system, _ *sbdHere) {
			sys.group = func(context.Context, string) ([]int, error) { return []int{1, 2}, nil }
			sys.cluster.(*told).status.Nodes[2].Online = false
		}, said: "warning: whether SBD runs on lb-3 cannot be seen, since it is offline: where it does not, Pacemaker ends itself"},
		{name: "not here", change: func(_ *system, h *sbdHere) { h.running = false }, code: exitUsage,
			said: "sbd.service does not run on this node (lb-1); with stonith-watchdog-timeout Pacemaker would end itself here\nhawser: on every node: `apt install sbd`"},
		{name: "not there", change: func(sys *system, _ *sbdHere) {
			sys.group = func(_ context.Context, name string) ([]int, error) {
				require.Equal(t, "sbd:cluster", name)
				return []int{1, 3}, nil
			}
		}, code: exitUsage, said: "SBD does not run on lb-2 (it is not in Corosync's process group sbd:cluster there"},
		{name: "cannot be asked", change: func(sys *system, _ *sbdHere) {
			sys.group = func(context.Context, string) ([]int, error) { return nil, corosync.ErrNotRunning }
		}, code: exitUnavailable, said: "asking Corosync on which nodes SBD runs: Corosync does not answer; nothing was changed"},
		{name: "cannot be seen", change: func(sys *system, _ *sbdHere) {
			sys.sbd = func() (sbdHere, error) { return sbdHere{}, errors.New("permission denied") }
		}, code: exitFailed, said: "looking whether SBD runs on this node: permission denied; nothing was changed"},
		{name: "DC without", unknown: true, code: exitUsage, said: "Pacemaker does not know of it (have-watchdog is (none)), because the node that decides, lb-1, was started without SBD"},
		{name: "slower watchdog", change: func(_ *system, h *sbdHere) { h.timeout = 10 * time.Second }, code: exitUsage,
			said: "fencing.sbd.watchdog_timeout is 5s, but SBD_WATCHDOG_TIMEOUT is 10 s on this node (/etc/default/sbd)"},
		{name: "slower watchdog, said", change: func(_ *system, h *sbdHere) { h.timeout = 10 * time.Second }, yaml: "fencing: {sbd: {watchdog_timeout: 10}}\n"},
		{name: "faster watchdog", yaml: "fencing: {sbd: {watchdog_timeout: 10}}\n", said: "warning: SBD_WATCHDOG_TIMEOUT is 5 s on this node (/etc/default/sbd): `watchdog_timeout: 5s` would take 10s off each failover"},
		{name: "no watchdog", change: func(_ *system, h *sbdHere) { h.watchdog = "/dev/null" }, said: "warning: SBD_WATCHDOG_DEV is /dev/null: SBD runs without a watchdog"},
		{name: "nobody says", change: func(_ *system, h *sbdHere) { h.timeout = 0 }, said: "warning: SBD_WATCHDOG_TIMEOUT is not in /etc/default/sbd; it must be at most 5 on every node"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := crmtest.New("lb-1", "lb-2", "lb-3")
			if !tc.unknown {
				require.NoError(t, fake.Edit(property("have-watchdog", "true")))
			}
			status, err := fake.Status(t.Context())
			require.NoError(t, err)
			sys, _, stderr := testSystem(t, &told{Fake: fake, status: status})
			here := well
			sys.quorum = func(context.Context) (corosync.Quorum, error) { return corosync.Quorum{}, nil }
			sys.group = func(context.Context, string) ([]int, error) { return []int{1, 2, 3}, nil }
			sys.sbd = func() (sbdHere, error) { return here, nil }
			if tc.change != nil {
				tc.change(sys, &here)
			}
			yaml := "fencing: sbd\n"
			if tc.yaml != "" {
				yaml = tc.yaml
			}
			file := filepath.Join(t.TempDir(), "hawser.yaml")
			require.NoError(t, os.WriteFile(file, []byte(yaml+"haproxy: {}\n"), 0o600))
			require.Equal(t, tc.code, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", file}, sys), stderr)
			require.Contains(t, stderr.String(), tc.said)
			if tc.said == "" {
				require.Empty(t, stderr.String())
			}
			cib, err := fake.Query(t.Context())
			require.NoError(t, err)
			_, written := cib.Property("stonith-watchdog-timeout")
			require.Equal(t, tc.code == exitOK, written)
		})
	}
}

func TestFindSBD(t *testing.T) {
	dir := t.TempDir()
	pidFile, defaults := filepath.Join(dir, "sbd.pid"), filepath.Join(dir, "default")
	find := func() (sbdHere, error) {
		return findSBD(dir, pidFile, []string{filepath.Join(dir, "absent"), defaults})
	}
	write := func(path, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	here, err := find()
	require.NoError(t, err)
	require.False(t, here.running)

	write("sbd.pid", "42\n")
	here, err = find()
	require.NoError(t, err)
	require.False(t, here.running, "a pid file that was left behind")

	write("42/comm", "sleep\n")
	require.NoError(t, os.Symlink("/usr/bin/sleep", filepath.Join(dir, "42/exe")))
	here, err = find()
	require.NoError(t, err)
	require.False(t, here.running, "the number is another process's now")

	require.NoError(t, os.Remove(filepath.Join(dir, "42/exe")))
	require.NoError(t, os.Symlink("/usr/sbin/sbd (deleted)", filepath.Join(dir, "42/exe")))
	write("default", "# SBD_WATCHDOG_TIMEOUT=1\nSBD_WATCHDOG_DEV=\"/dev/watchdog1\"\nSBD_WATCHDOG_TIMEOUT=7\n")
	here, err = find()
	require.NoError(t, err)
	require.Equal(t, sbdHere{running: true, timeout: 7 * time.Second, saidBy: defaults, watchdog: "/dev/watchdog1"}, here)

	write("77/comm", "pacemakerd\n")
	write("77/environ", "PATH=/bin\x00SBD_WATCHDOG_TIMEOUT=5\x00SBD_WATCHDOG_DEV=/dev/watchdog\x00")
	here, err = find()
	require.NoError(t, err)
	require.Equal(t, sbdHere{running: true, timeout: 5 * time.Second, saidBy: "the environment of pacemakerd", watchdog: "/dev/watchdog"}, here)

	write("sbd.pid", "many\n")
	_, err = find()
	require.ErrorContains(t, err, "does not hold the number of a process")
}

// A watchdog that hawser no longer relies on does not keep Pacemaker's fencing on.
func TestFromSBDToNone(t *testing.T) {
	cib := cibOf(t, 3, property("have-watchdog", "true"))
	sbd, err := diffWithFile(configOfText(t, "fencing: sbd\nhaproxy: {}\n"), cib)
	require.NoError(t, err)
	off := configOfText(t, "fencing: off\nhaproxy: {}\n")
	plan, err := diffWithFile(off, sbd.New)
	require.NoError(t, err)
	enabled, _ := plan.New.Property("stonith-enabled")
	require.Equal(t, "false", enabled)
	_, relied := plan.New.Property("stonith-watchdog-timeout")
	require.False(t, relied)
	_, ok := plan.New.Object(haproxyID)
	require.True(t, ok)
	again, err := diffWithFile(off, plan.New)
	require.NoError(t, err)
	require.True(t, again.Empty(), "%v", again.Changes)
}
