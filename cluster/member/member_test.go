package member_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/machines/machinestest"
	"github.com/hawser-ha/hawser/cluster/member"
	"github.com/hawser-ha/hawser/cluster/quorum"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestMain(m *testing.M) {
	os.Exit(machinestest.Main(m, os.Stdin, os.Stdout, os.Stderr))
}

func silent(int, int, machines.Step) {}

func do(t *testing.T, w *machinestest.World, p machines.Plan, err error) {
	t.Helper()
	require.NoError(t, err)
	require.NoError(t, p.Do(t.Context(), w.Shell(), silent))
	require.Empty(t, w.LostQuorum())
}

func orders(w *machinestest.World, nodes ...string) member.Orders {
	return member.Orders{Reach: w.Reach("lb-1"), Pacemaker: crmtest.New(nodes...)}
}

var third = corosync.Member{Name: "lb-3", Addresses: []string{machinestest.Address(3)}}

// addThird plans lb-3's entry.
func addThird(ctx context.Context, w *machinestest.World) (machines.Plan, error) {
	return orders(w).Add(ctx, third, false)
}

// removeThird plans its leave.
func removeThird(ctx context.Context, w *machinestest.World) (machines.Plan, error) {
	return orders(w, "lb-1", "lb-2", "lb-3").Remove(ctx, "lb-3", false)
}

func TestAddAndRemove(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	w.Machine("lb-3", machinestest.Address(3))
	plan, err := addThird(t.Context(), w)
	do(t, w, plan, err)
	require.Contains(t, plan.Notes[0], "two_node goes")
	conf := w.Read("lb-3", corosync.ConfFile)
	require.NotContains(t, conf, "two_node")
	for _, n := range []string{"lb-1", "lb-2"} {
		require.Equal(t, conf, w.Read(n, corosync.ConfFile), "the same bytes")
	}
	require.Equal(t, w.Read("lb-1", machines.KeyFile), w.Read("lb-3", machines.KeyFile))
	st, err := os.Stat(w.Path("lb-3", machines.KeyFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o400), st.Mode().Perm())
	for _, line := range w.Ran() {
		require.NotContains(t, line, "nobody may see", "no secret in a command line")
	}
	plan, err = addThird(t.Context(), w)
	require.NoError(t, err)
	require.Empty(t, plan.Steps(), "a second time there is nothing to do")

	plan, err = removeThird(t.Context(), w)
	do(t, w, plan, err)
	require.Contains(t, w.Read("lb-2", corosync.ConfFile), "two_node: 1")
	require.NotContains(t, w.Read("lb-2", corosync.ConfFile), "lb-3")
	require.Equal(t, "lb-3", w.Read("lb-1", "/forgotten"))
	require.Empty(t, w.Read("lb-3", "/loaded"), "it is stopped")
	plan, err = orders(w, "lb-1", "lb-2").Remove(t.Context(), "lb-3", false)
	require.NoError(t, err)
	require.Empty(t, plan.Steps())

	plan, err = addThird(t.Context(), w)
	do(t, w, plan, err)
	require.Contains(t, w.Read("lb-1", corosync.ConfFile), "config_version: 3\n")
}

// A balancer of a pair that is gone for good is replaced by another one.
func TestReplace(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	w.Machine("lb-3", machinestest.Address(3))
	w.Down("lb-2")
	_, err := addThird(t.Context(), w)
	require.ErrorContains(t, err, "lb-2 cannot be reached")
	require.ErrorContains(t, err, "`hawser corosync remove NODE`")
	plan, err := orders(w, "lb-1", "lb-2").Remove(t.Context(), "lb-2", false)
	do(t, w, plan, err)
	require.Contains(t, plan.Notes[0], "lb-1 is alone then")
	plan, err = addThird(t.Context(), w)
	do(t, w, plan, err)
	conf := w.Read("lb-3", corosync.ConfFile)
	require.Contains(t, conf, "two_node: 1")
	require.NotContains(t, conf, "lb-2")
}

// With a quorum device a new node gets its certificates, and its vote counts.
func TestWithADevice(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	w.Machine("lb-3", machinestest.Address(3))
	devices := quorum.Orders{Reach: w.Reach("lb-1")}
	plan, err := devices.Add(t.Context(), quorum.Wanted{Host: machinestest.Host, Algorithm: corosync.LMS},
		false)
	do(t, w, plan, err)
	plan, err = addThird(t.Context(), w)
	do(t, w, plan, err)
	s, err := devices.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, quorum.Working, s.State, s.Problems)
	require.Equal(t, []int{5, 5, 3, 2}, []int{s.Expected, s.Total, s.Needed, s.DeviceVotes})
	require.Len(t, s.Nodes, 3)

	w.Down("lb-2") // the device makes up for it
	plan, err = orders(w, "lb-1", "lb-2", "lb-3").Remove(t.Context(), "lb-2", false)
	do(t, w, plan, err)
	require.NotContains(t, w.Read("lb-1", corosync.ConfFile), "two_node")
}

// Killed at any step, the same command finishes, and nobody has lost the quorum.
func TestKilledAtEachStep(t *testing.T) {
	without := machinestest.New(t, "lb-1", "lb-2")
	without.Machine("lb-3", machinestest.Address(3))
	with := without.Copy(t)
	plan, err := addThird(t.Context(), with)
	do(t, with, plan, err)
	for _, tc := range []struct {
		name  string
		from  *machinestest.World
		plan  func(ctx context.Context, w *machinestest.World) (machines.Plan, error)
		nodes int
	}{{"add", without, addThird, 3}, {"remove", with, removeThird, 2}} {
		whole, err := tc.plan(t.Context(), tc.from)
		require.NoError(t, err)
		number := 0
		for _, step := range whole.Steps() {
			if step.Until {
				continue // which changes nothing
			}
			number++
			t.Run(fmt.Sprintf("%s/%d", tc.name, number), func(t *testing.T) {
				w := tc.from.Copy(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				p, err := tc.plan(ctx, w)
				require.NoError(t, err)
				how := machinestest.After
				if step.Input != nil {
					how = machinestest.Within
				}
				w.Kill(number, how, cancel)
				require.ErrorIs(t, p.Do(ctx, w.Shell(), silent), context.Canceled)
				w.Kill(0, how, nil)
				require.Empty(t, w.LostQuorum())
				p, err = tc.plan(t.Context(), w)
				do(t, w, p, err)
				keys, err := corosync.ConfKeys(w.Read("lb-2", "/loaded"))
				require.NoError(t, err)
				require.Len(t, keys.Members(), tc.nodes)
			})
		}
	}
}

func TestAddRefused(t *testing.T) {
	pair := machinestest.New(t, "lb-1", "lb-2")
	pair.Machine("lb-3", machinestest.Address(3))
	for _, tc := range []struct {
		name    string
		member  corosync.Member
		prepare func(w *machinestest.World)
		says    string
	}{
		{name: "no address", member: corosync.Member{Name: "lb-3", Addresses: []string{"lb-3"}},
			says: "is not an IP address"},
		{name: "an address of " +
			"another", member: corosync.Member{Name: "lb-3", Addresses: []string{"10.132.0.12"}},
			says: "10.132.0.12 is the address of lb-2"},
		{name: "a node with another address",
			member: corosync.Member{Name: "lb-2", Addresses: []string{"10.132.0.13"}},
			says:   "lb-2 is a node already, with the address 10.132.0.12"},
		{name: "two links of one", member: corosync.Member{Name: "lb-3",
			Addresses: []string{"10.132.0.13", "10.133.0.13"}}, says: "and lb-3 has 2"},
		{name: "another name", prepare: func(w *machinestest.World) { w.Write("lb-3", "/hostname", "other") },
			says: "calls itself other"},
		{name: "another " +
			"machine", prepare: func(w *machinestest.World) { w.Write("lb-3", "/address", "10.1.1.1") },
			says: "it is another machine"},
		{name: "nothing installed", prepare: func(w *machinestest.World) {
			w.Write("lb-3", "/missing/pacemakerd", "")
		}, says: "pacemaker is not installed on lb-3"},
		{name: "of another cluster", prepare: func(w *machinestest.World) {
			other := corosync.Cluster{Name: "other", Timing: corosync.LAN, Nodes: []corosync.Member{third,
				{Name: "a", Addresses: []string{"10.1.0.1"}}, {Name: "b", Addresses: []string{"10.1.0.2"}}}}
			w.Write("lb-3", corosync.ConfFile, other.Conf())
		}, says: "is a node of another cluster, other"},
		{name: "of another cluster of the same name", prepare: func(w *machinestest.World) {
			other := corosync.Cluster{Name: "edge", Timing: corosync.LAN, Nodes: []corosync.Member{third,
				{Name: "lb-1", Addresses: []string{"10.1.0.1"}}}}
			w.Write("lb-3", corosync.ConfFile, other.Conf())
		}, says: "is a node of another cluster, edge"},
		{name: "of another pair, and alone", prepare: func(w *machinestest.World) {
			other := corosync.Cluster{Name: "other", Timing: corosync.LAN, Nodes: []corosync.Member{third,
				{Name: "a", Addresses: []string{"10.1.0.1"}}}}
			w.Write("lb-3", corosync.ConfFile, other.Conf())
			w.Write("lb-3", "/loaded", other.Conf())
		}, says: "is a node of another cluster, other"},
		{name: "not there", prepare: func(w *machinestest.World) { w.Down("lb-3") }, says: "lb-3 " +
			"cannot be reached"},
		{name: "one of two is stopped", prepare: func(w *machinestest.World) { w.Remove("lb-2", "/loaded") },
			says: "adding lb-3 would lose the quorum: it takes 2 of 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := pair.Copy(t)
			if tc.prepare != nil {
				tc.prepare(w)
			}
			if tc.member.Name == "" {
				tc.member = third
			}
			_, err := orders(w).Add(t.Context(), tc.member, false)
			require.ErrorContains(t, err, tc.says)
			require.ErrorContains(t, err, "nothing was changed")
			require.Empty(t, w.Ran())
		})
	}
}

func TestRemoveRefused(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2", "lb-3")
	_, err := orders(w).Remove(t.Context(), "lb-1", false)
	require.ErrorContains(t, err, "lb-1 is this node")

	running := crmtest.New("lb-1", "lb-2", "lb-3")
	require.NoError(t, running.Edit(crmtest.Tutorial()...))
	busy := orders(w)
	busy.Pacemaker = running
	_, err = busy.Remove(t.Context(), "lb-3", false)
	require.ErrorContains(t, err, "lb-3 runs haproxy: `hawser standby lb-3`")

	w.Write("lb-2", "/processes/sbd", "")
	_, err = removeThird(t.Context(), w)
	require.ErrorContains(t, err, "SBD on lb-2 has no disk")
	w.Remove("lb-2", "/processes/sbd")

	w.Remove("lb-2", "/loaded")
	_, err = removeThird(t.Context(), w)
	require.ErrorContains(t, err, "stopping lb-3 would lose the quorum: it takes 2 of 3 votes then, and "+
		"there are 1 without lb-2")
	require.Empty(t, w.Ran())
}

func TestByHand(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	plan, err := orders(w).Add(t.Context(), third, true)
	require.NoError(t, err)
	text := machines.Print(plan.Steps())
	require.Contains(t, text, "install -D -m 0400 authkey /etc/corosync/authkey")
	require.NotContains(t, text, "nobody may see")
	plan, err = orders(w).Remove(t.Context(), "lb-2", true)
	require.NoError(t, err)
	require.Contains(t, machines.Print(plan.Steps()), "crm_node --force --remove lb-2")
	require.Empty(t, w.Ran())
}

// A new machine gets the name and the address of one that is gone: nobody else's file changes.
func TestTheSameNameAgain(t *testing.T) {
	w := machinestest.New(t, "lb-1", "lb-2")
	before := w.Read("lb-1", corosync.ConfFile)
	w.Remove("lb-2", "/")
	w.Machine("lb-2", machinestest.Address(2))
	same := corosync.Member{Name: "lb-2", Addresses: []string{machinestest.Address(2)}}
	plan, err := orders(w).Add(t.Context(), same, false)
	do(t, w, plan, err)
	require.Equal(t, before, w.Read("lb-1", corosync.ConfFile))
	require.Equal(t, before, w.Read("lb-2", "/loaded"))
	for _, line := range w.Ran() {
		require.NotContains(t, line, "corosync-cfgtool")
	}
}
