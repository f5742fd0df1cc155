package quorum_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/machines/machinestest"
	"github.com/hawser-ha/hawser/cluster/quorum"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestMain(m *testing.M) {
	os.Exit(machinestest.Main(m, os.Stdin, os.Stdout, os.Stderr))
}

func orders(w *machinestest.World) quorum.Orders {
	return quorum.Orders{Reach: w.Reach("lb-1")}
}

func silent(int, int, machines.Step) {}

// add adds the device whole.
func add(t *testing.T, w *machinestest.World, wanted quorum.Wanted) {
	t.Helper()
	plan, err := orders(w).Add(t.Context(), wanted, false)
	require.NoError(t, err)
	require.NoError(t, plan.Do(t.Context(), w.Shell(), silent))
}

func status(t *testing.T, w *machinestest.World) quorum.Status {
	t.Helper()
	s, err := orders(w).Status(t.Context())
	require.NoError(t, err)
	return s
}

func TestAddAndRemove(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	before := w.Read("lb-1", corosync.ConfFile)
	require.Equal(t, quorum.None, status(t, w).State)
	add(t, w, quorum.Wanted{Host: machinestest.Host})
	require.Empty(t, w.LostQuorum())
	s := status(t, w)
	require.Equal(t, quorum.Working, s.State, s.Problems)
	require.Empty(t, s.Problems)
	require.Equal(t, []int{3, 3, 2, 1}, []int{s.Expected, s.Total, s.Needed, s.DeviceVotes})
	conf := w.Read("lb-1", corosync.ConfFile)
	require.Equal(t, conf, w.Read("lb-2", corosync.ConfFile), "the same bytes")
	require.NotContains(t, conf, "two_node")
	require.Contains(t, conf, "config_version: 1\n")
	require.Equal(t, before, w.Read("lb-2", corosync.ConfFile+".old"))
	st, err := os.Stat(w.Path("lb-2", machines.NodeDB+"/qdevice-net-node.p12"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm(), "it has the key")

	w.Ran()
	plan, err := orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.NoError(t, err)
	require.Empty(t, plan.Steps(), "a second time there is nothing to do")
	require.Contains(t, plan.Says[0], "already")

	plan, err = orders(w).Remove(t.Context(), false)
	require.NoError(t, err)
	require.NoError(t, plan.Do(t.Context(), w.Shell(), silent))
	require.Empty(t, w.LostQuorum())
	require.Equal(t, quorum.None, status(t, w).State)
	require.Contains(t, w.Read("lb-2", corosync.ConfFile), "two_node: 1")
	plan, err = orders(w).Remove(t.Context(), false)
	require.NoError(t, err)
	require.Empty(t, plan.Steps())
}

// Killed at any step, within its input or after it, nobody has lost the quorum, status says what is
// half made, and the same command finishes.
func TestKilledAtEachStep(t *testing.T) {
	without := machinestest.New(t, "lb-1", "lb-2")
	wanted := quorum.Wanted{Host: machinestest.Host}
	byOrder := func(ctx context.Context, w *machinestest.World) (machines.Plan, error) {
		return orders(w).Add(ctx, wanted, false)
	}
	certified := without.Copy(t)
	first, err := byOrder(t.Context(), certified)
	require.NoError(t, err)
	number := len(first.Parts[0])
	first.Parts = first.Parts[:1]
	require.NoError(t, first.Do(t.Context(), certified.Shell(), silent))
	with := certified.Copy(t)
	add(t, with, wanted)
	for _, tc := range []struct {
		name string
		most int // how many steps are tried
		from *machinestest.World
		plan func(ctx context.Context, w *machinestest.World) (machines.Plan, error)
		then string
	}{
		{"certificates", number, without, byOrder, quorum.Working},
		{"add", 100, certified, byOrder, quorum.Working},
		{"remove", 100, with, func(ctx context.Context, w *machinestest.World) (machines.Plan, error) {
			return orders(w).Remove(ctx, false)
		}, quorum.None},
	} {
		whole, err := tc.plan(t.Context(), tc.from)
		require.NoError(t, err)
		number := 0
		for _, step := range whole.Steps() {
			if number == tc.most {
				break
			}
			if step.Until {
				continue // which changes nothing
			}
			number++
			for _, how := range []machinestest.How{machinestest.Within, machinestest.After} {
				within := step.Input != nil && (step.Mode == "0600" || step.Into == corosync.ConfFile)
				if how == machinestest.Within && !within {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%d", tc.name, number, how), func(t *testing.T) {
					w := tc.from.Copy(t)
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					p, err := tc.plan(ctx, w)
					require.NoError(t, err)
					w.Kill(number, how, cancel)
					require.ErrorIs(t, p.Do(ctx, w.Shell(), silent), context.Canceled)
					w.Kill(0, how, nil)
					require.Empty(t, w.LostQuorum())
					if s := status(t, w); s.State == quorum.HalfMade {
						require.Contains(t, s.Problems[0], "`hawser quorum device ")
					}
					p, err = tc.plan(t.Context(), w)
					require.NoError(t, err)
					require.NoError(t, p.Do(t.Context(), w.Shell(), silent))
					require.Empty(t, w.LostQuorum())
					require.Equal(t, tc.then, status(t, w).State)
				})
			}
		}
	}
}

func TestRefused(t *testing.T) {
	names := []string{"lb-1", "lb-2", "lb-3", "lb-4"}
	of := map[int]*machinestest.World{}
	for _, n := range []int{2, 3, 4} {
		of[n] = machinestest.New(t, names[:n]...)
	}
	for _, tc := range []struct {
		name    string
		nodes   int
		wanted  quorum.Wanted
		prepare func(w *machinestest.World)
		says    string
	}{
		{name: "an odd number with ffsplit", nodes: 3, says: "for an even number of nodes"},
		{name: "a node", wanted: quorum.Wanted{Host: "lb-2"}, says: "is a node of this cluster"},
		{name: "a node's address", wanted: quorum.Wanted{Host: "10.132.0.12"}, says: "is lb-2, a " +
			"node of this"},
		{name: "a node by another name", prepare: func(w *machinestest.World) {
			w.Write(machinestest.Host, "/address", "10.132.0.11")
		}, says: "has the address 10.132.0.11, as lb-1 of this cluster has"},
		{name: "an unknown algorithm", wanted: quorum.Wanted{Host: machinestest.Host, Algorithm: "2nodelms"},
			says: "the algorithms known are ffsplit and lms"},
		{name: "a node that is down", prepare: func(w *machinestest.World) { w.Down("lb-2") },
			says: "lb-2 cannot be reached"},
		{name: "a node whose Corosync does not run", prepare: func(w *machinestest.World) {
			w.Remove("lb-2", "/loaded")
		}, says: "would lose the quorum: it takes 2 of 3 votes then, and there are 1 without lb-2"},
		{name: "no quorum", nodes: 4, prepare: func(w *machinestest.World) {
			w.Remove("lb-2", "/loaded")
			w.Remove("lb-3", "/loaded")
		}, says: "this node has no quorum: it sees lb-1, lb-4"},
		{name: "files that differ", prepare: func(w *machinestest.World) {
			w.Edit("lb-2", corosync.ConfFile, "token: 300", "token: 400")
		}, says: "corosync.conf is not the same on lb-2 and lb-1: totem.token: 400, expected 300"},
		{name: "another machine", prepare: func(w *machinestest.World) {
			w.Write("lb-2", "/address", "10.9.9.9")
		}, says: "it is another machine"},
		{name: "not installed", prepare: func(w *machinestest.World) {
			w.Write("lb-2", "/missing/corosync-qdevice", "")
		}, says: "corosync-qdevice is not installed on lb-2"},
		{name: "qnetd does not run", prepare: func(w *machinestest.World) {
			w.Remove(machinestest.Host, "/units/corosync-qnetd.active")
		}, says: "corosync-qnetd does not run on qnetd"},
		{name: "qnetd cannot be reached", prepare: func(w *machinestest.World) { w.Down(machinestest.Host) },
			says: "qnetd cannot be reached"},
		{name: "another cluster of the name", prepare: func(w *machinestest.World) {
			w.Write(machinestest.Host, "/clients", "    Node ID 1:\n        Client address:  "+
				"::ffff:10.1.1.1:4711\n")
		}, says: "already hears from a cluster called edge: its node 1, from ::ffff:10.1.1.1:4711"},
		{name: "SBD without a disk", prepare: func(w *machinestest.World) {
			w.Write("lb-2", "/processes/sbd", "")
			w.Write("lb-2", "/etc/default/sbd", "SBD_WATCHDOG_TIMEOUT=5\n")
		}, says: "SBD on lb-2 has no disk and resets the node after 5s"},
		{name: "expected_votes", prepare: func(w *machinestest.World) {
			for _, n := range []string{"lb-1", "lb-2"} {
				w.Edit(n, corosync.ConfFile, "two_node: 1", "two_node: 1\n\texpected_votes: 2")
			}
		}, says: "expected_votes: 2 is set"},
		{name: "auto_tie_breaker", prepare: func(w *machinestest.World) {
			for _, n := range []string{"lb-1", "lb-2"} {
				w.Edit(n, corosync.ConfFile, "two_node: 1", "two_node: 1\n\tauto_tie_breaker: 1")
			}
		}, says: "auto_tie_breaker"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.nodes == 0 {
				tc.nodes = 2
			}
			w := of[tc.nodes].Copy(t)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			if tc.wanted.Host == "" {
				tc.wanted.Host = machinestest.Host
			}
			_, err := orders(w).Add(t.Context(), tc.wanted, false)
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "nothing was changed")
			require.Empty(t, w.Ran())
		})
	}
}

// Removing the device is refused where its vote is needed.
func TestRemovalRefused(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2", "lb-3", "lb-4")
	add(t, w, quorum.Wanted{Host: machinestest.Host, Algorithm: corosync.LMS})
	require.Empty(t, w.LostQuorum())
	require.Equal(t, 7, status(t, w).Expected)
	w.Remove("lb-2", "/loaded")
	w.Remove("lb-3", "/loaded")
	w.Remove("lb-4", "/loaded")
	_, err := orders(w).Remove(t.Context(), false)
	require.ErrorContains(t, err, "removing the device would lose the quorum: it takes 4 of 7")

	w = machinestest.New(t, "lb-1", "lb-2")
	add(t, w, quorum.Wanted{Host: machinestest.Host})
	w.Write("lb-1", "/processes/sbd", "")
	_, err = orders(w).Remove(t.Context(), false)
	require.ErrorContains(t, err, "SBD on lb-1 has no disk")
	w.Remove("lb-1", "/processes/sbd")
	_, err = orders(w).Add(t.Context(), quorum.Wanted{Host: "10.132.0.101"}, false)
	require.ErrorContains(t, err, "10.132.0.101 cannot be reached")
}

// What fails at a step says which step, where, what came back, and what to do.
func TestAStepThatFails(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	w.Write("lb-2", "/broken", "")
	plan, err := orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.NoError(t, err)
	err = plan.Do(t.Context(), w.Shell(), silent)
	require.ErrorContains(t, err, "on lb-2, failed: start corosync-qdevice")
	require.ErrorContains(t, err, "Job for corosync-qdevice.service failed")
	require.ErrorContains(t, err, "journalctl")
	s := status(t, w)
	require.Equal(t, quorum.HalfMade, s.State)
	require.Contains(t, s.Problems[0], "corosync-qdevice on lb-2 does not run")
	require.Contains(t, s.Text(), "half-made")
	w.Remove("lb-2", "/broken")
	add(t, w, quorum.Wanted{Host: machinestest.Host})
	require.Equal(t, quorum.Working, status(t, w).State)

	w.Write("lb-2", "/blocked", "")
	s = status(t, w)
	require.Equal(t, quorum.Disconnected, s.State)
	w.Down("lb-2")
	s = status(t, w)
	require.Contains(t, strings.Join(s.Problems, "\n"), "lb-2 could not be asked")
}

// Certificates of another corosync-qnetd are replaced, not trusted.
func TestOldCertificates(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	add(t, w, quorum.Wanted{Host: machinestest.Host})
	db := w.Path("lb-1", machines.NodeDB)
	kept := db + ".kept"
	require.NoError(t, os.Rename(db, kept))
	plan, err := orders(w).Remove(t.Context(), false)
	require.NoError(t, err)
	require.NoError(t, plan.Do(t.Context(), w.Shell(), silent))
	require.NoError(t, os.RemoveAll(db))
	require.NoError(t, os.Rename(kept, db))
	require.Contains(t, status(t, w).Problems[0], "certificates for a device that is not configured")
	w.Remove(machinestest.Host, "/etc/corosync/qnetd/nssdb")
	_, err = w.Shell().Run(t.Context(), machinestest.Host, "corosync-qnetd-certutil -i", nil)
	require.NoError(t, err)
	add(t, w, quorum.Wanted{Host: machinestest.Host})
	require.Equal(t, quorum.Working, status(t, w).State)
}

// By hand, every secret stays a file, and every step has its machine.
func TestByHand(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	w.Down("lb-2")
	plan, err := orders(w).Add(t.Context(), quorum.Wanted{Host: "qnetd.example.org"}, true)
	require.NoError(t, err)
	text := machines.Print(plan.Steps())
	require.Contains(t, text, "### On lb-2, as root")
	require.Contains(t, text, "corosync-cfgtool -R")
	require.Contains(t, text, "host: qnetd.example.org")
	require.Empty(t, w.Ran())
	_, err = orders(w).Remove(t.Context(), true)
	require.NoError(t, err)
}

// A machine that never answers is given up.
func TestDeadlines(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	ssh := machines.SSH{Command: []string{"sh", "-c", "sleep 60"}, Here: "lb-1"}
	_, err := ssh.Run(ctx, "lb-2", "true", nil)
	var unreachable *machines.UnreachableError
	require.ErrorAs(t, err, &unreachable)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "not done in time on lb-2")
}

// The machine with corosync-qnetd was installed anew: it knows nobody, and nobody trusts it.
func TestServerInstalledAnew(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	wanted := quorum.Wanted{Host: machinestest.Host}
	add(t, w, wanted)
	w.Remove(machinestest.Host, "/etc/corosync/qnetd/nssdb")
	_, err := w.Shell().Run(t.Context(), machinestest.Host, "corosync-qnetd-certutil -i", nil)
	require.NoError(t, err)
	w.Write("lb-1", "/blocked", "")
	w.Write("lb-2", "/blocked", "")
	require.Equal(t, quorum.Disconnected, status(t, w).State)
	plan, err := orders(w).Add(t.Context(), wanted, false)
	require.NoError(t, err)
	w.Remove("lb-1", "/blocked")
	w.Remove("lb-2", "/blocked")
	w.Ran()
	require.NoError(t, plan.Do(t.Context(), w.Shell(), silent))
	ran := strings.Join(w.Ran(), "\n")
	require.Contains(t, ran, "systemctl restart corosync-qdevice", "it has read the old certificates")
	require.NotContains(t, ran, "corosync-cfgtool")
	require.Equal(t, quorum.Working, status(t, w).State)
}

// Two who change the file at the same time do not write over each other.
func TestChangedMeanwhile(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	plan, err := orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.NoError(t, err)
	w.Edit("lb-2", corosync.ConfFile, "token: 300", "token: 400")
	err = plan.Do(t.Context(), w.Shell(), silent)
	require.ErrorContains(t, err, "on lb-2, failed: write corosync.conf")
	require.ErrorContains(t, err, "was changed by somebody else meanwhile")
	require.Contains(t, w.Read("lb-2", corosync.ConfFile), "token: 400")
	require.Empty(t, w.LostQuorum())
	_, err = orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.ErrorContains(t, err, "is not the same on lb-2 and lb-1: totem.token: 400, expected 300")
}

// The daemon of the only node that is left runs and is not started at boot: its vote keeps the quorum.
func TestEnabledAndNotRestarted(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	wanted := quorum.Wanted{Host: machinestest.Host}
	add(t, w, wanted)
	w.Remove("lb-1", "/units/corosync-qdevice.enabled")
	w.Remove("lb-2", "/loaded")
	require.Equal(t, quorum.HalfMade, status(t, w).State)
	w.Ran()
	add(t, w, wanted)
	require.Equal(t, []string{"lb-1: systemctl enable corosync-qdevice"}, w.Ran())
	require.Equal(t, quorum.Working, status(t, w).State)
}

// A Corosync that does not answer may run: it is not taken for one that does not.
func TestNoAnswerOfCorosync(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2", "lb-3", "lb-4")
	require.NoError(t, os.WriteFile(w.Path("bin", "timeout"), []byte(`#!/bin/sh
[ "$MACHINE $2" != "lb-4 corosync-cmapctl" ] || exit 124
shift && exec "$@"
`), 0o755)) //nolint:gosec // a program
	_, err := orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.ErrorContains(t, err, "on lb-4 Corosync does not answer")
	require.ErrorContains(t, err, "nothing was changed")
	require.Empty(t, w.Ran())
	s := status(t, w)
	require.Equal(t, quorum.Unknown, s.State)
	require.Contains(t, s.Nodes[3].Error, "does not answer")
}

// The machine with corosync-qnetd goes away when the nodes have their certificates: that is not nothing.
func TestServerGoneMeanwhile(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	plan, err := orders(w).Add(t.Context(), quorum.Wanted{Host: machinestest.Host}, false)
	require.NoError(t, err)
	last := len(plan.Parts[0])
	err = plan.Do(t.Context(), w.Shell(), func(number, _ int, _ machines.Step) {
		if number == last {
			w.Down(machinestest.Host)
		}
	})
	require.ErrorContains(t, err, "qnetd cannot be reached")
	require.ErrorContains(t, err, "the nodes have certificates now, and no device")
	require.NotContains(t, err.Error(), "nothing was changed")
}
