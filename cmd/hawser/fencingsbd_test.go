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
	"github.com/hawser-ha/hawser/internal/sbd"
)

// What Pacemaker would answer by ending itself must be found before it is written.
func TestSBDIsCheckedBeforeItIsReliedOn(t *testing.T) {
	well := sbd.Daemon{Running: true, Timeout: 5 * time.Second, SaidBy: "/etc/default/sbd", Watchdog: "/dev/watchdog"}
	for _, tc := range []struct {
		name    string
		change  func(sys *system, here *sbd.Daemon)
		unknown bool // have-watchdog is not set
		yaml    string
		code    int
		said    string
	}{
		{name: "well"},
		{name: "a node is offline", change: func(sys *system, _ *sbd.Daemon) {
			sys.Group = func(context.Context, string) ([]int, error) { return []int{1, 2}, nil }
			sys.Cluster.(*told).status.Nodes[2].Online = false
		}, said: "warning: whether SBD runs on lb-3 cannot be seen, since it is offline: where it does not, Pacemaker shuts itself down"},
		{name: "not " +
			"here", change: func(_ *system, h *sbd.Daemon) { h.Running = false }, code: exitUsage,
			said: "sbd.service does not run on this node (lb-1); with stonith-watchdog-timeout Pacemaker would shut itself down on this node\nhawser: on every node: `apt install sbd`"},
		{name: "not there", change: func(sys *system, _ *sbd.Daemon) {
			sys.Group = func(_ context.Context, name string) ([]int, error) {
				require.Equal(t, "sbd:cluster", name)
				return []int{1, 3}, nil
			}
		}, code: exitUsage, said: "SBD does not run on lb-2 (it is not in Corosync's process group sbd:cluster there"},
		{name: "cannot be asked", change: func(sys *system, _ *sbd.Daemon) {
			sys.Group = func(context.Context, string) ([]int, error) { return nil, corosync.ErrNotRunning }
		}, code: exitUnavailable, said: "asking Corosync on which nodes SBD runs: Corosync does not answer; nothing was changed"},
		{name: "cannot be seen", change: func(sys *system, _ *sbd.Daemon) {
			sys.SBD = func() (sbd.Daemon, error) {
				return sbd.Daemon{}, errors.New("permission " +
					"denied")
			}
		}, code: exitFailed, said: "checking whether SBD runs on this node: permission denied; " +
			"nothing was changed"},
		{name: "DC without", unknown: true, code: exitUsage, said: "Pacemaker does not know of it (have-watchdog is (none)), because the node that decides, lb-1, was started without SBD"},
		{name: "slower watchdog", change: func(_ *system, h *sbd.Daemon) { h.Timeout = 10 * time.Second }, code: exitUsage,
			said: "fencing.sbd.watchdog_timeout is 5s, but SBD_WATCHDOG_TIMEOUT is 10 s on this node (/etc/default/sbd)"},
		{name: "slower watchdog, said", change: func(_ *system, h *sbd.Daemon) { h.Timeout = 10 * time.Second }, yaml: "fencing: {sbd: {watchdog_timeout: 10}}\n"},
		{name: "faster watchdog", yaml: "fencing: {sbd: {watchdog_timeout: 10}}\n", said: "warning: SBD_WATCHDOG_TIMEOUT is 5 s on this node (/etc/default/sbd): `watchdog_timeout: 5s` would take 10s off each failover"},
		{name: "no watchdog", change: func(_ *system, h *sbd.Daemon) { h.Watchdog = "/dev/null" }, said: "warning: SBD_WATCHDOG_DEV is /dev/null: SBD runs without a watchdog"},
		{name: "nobody " +
			"says", change: func(_ *system, h *sbd.Daemon) { h.Timeout = 0 }, said: "warning: " +
			"SBD_WATCHDOG_TIMEOUT is not in /etc/default/sbd; it must be at most 5 on every node"},
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
			sys.Votes = func(context.Context) (corosync.Quorum, error) { return corosync.Quorum{}, nil }
			sys.Group = func(context.Context, string) ([]int, error) { return []int{1, 2, 3}, nil }
			sys.SBD = func() (sbd.Daemon, error) { return here, nil }
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
