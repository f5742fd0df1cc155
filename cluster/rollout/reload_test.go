package rollout

import (
	"cmp"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/param"
)

const patience = time.Minute

func TestReloadIsTakenEverywhere(t *testing.T) {
	s := newSite(t)
	sources, err := haproxy.ReadSources([]string{s.conf})
	require.NoError(t, err)
	hash := haproxy.Hash(sources)

	l, err := s.roller.PlanReload(t.Context(), "", ReloadOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"lb-1", "lb-2"}, l.Waiting())
	require.Equal(t, hash, l.Demanded)
	require.Equal(t, hash, l.Report.Configuration)
	require.False(t, l.Written())
	require.Zero(t, s.Applied())

	require.NoError(t, s.roller.Reload(t.Context(), l, patience, ignore))
	require.True(t, l.Written())
	age := int64(0)
	require.Equal(t, []NodeReload{
		{Node: "lb-1", State: Taken, Before: served, After: hash, WorkerSeconds: &age},
		{Node: "lb-2", State: Taken, Before: served, After: hash, WorkerSeconds: &age},
	}, l.Report.Nodes)

	// With --differing nothing is demanded, and the next reload is another one.
	again, err := s.roller.PlanReload(t.Context(), "haproxy-clone", ReloadOptions{Differing: true})
	require.NoError(t, err)
	require.Empty(t, again.Demanded)
	require.Equal(t, hash, again.Report.Configuration)
	require.NotEqual(t, l.generation, again.generation)
}

// TestWhatANodeDoesWithAReload has each state that a node can be in, and what the whole comes to.
func TestWhatANodeDoesWithAReload(t *testing.T) {
	type node = func(s *crm.Status, n *crm.NodeStatus, generation string)
	for _, tc := range []struct {
		name  string
		lb2   node
		state NodeState
		kind  outcome.Kind // Failed stands for no error
		says  string
	}{
		{"it refuses the configuration", func(_ *crm.Status, n *crm.NodeStatus, g string) {
			loads(n, contract.Loaded{Serves: served, Asked: g, Pending: "unknown keyword 'bogus'",
				OldWorkers: 2, Conns: 7})
		}, Kept, outcome.Degraded,
			"lb-2 keeps serving the previous configuration: unknown keyword 'bogus'"},
		{"HAProxy was started with other files", func(_ *crm.Status, n *crm.NodeStatus, g string) {
			loads(n, contract.Loaded{Serves: served, Generation: g})
		}, Differs, outcome.Degraded,
			"lb-2 serves a different configuration from this node's"},
		{"its files were changed meanwhile", func(_ *crm.Status, n *crm.NodeStatus, g string) {
			loads(n, contract.Loaded{Generation: g})
		}, Differs, outcome.Degraded, "lb-2: its files were changed while HAProxy loaded them"},
		{"it has refused an earlier one", func(_ *crm.Status, n *crm.NodeStatus, _ string) {
			loads(n, contract.Loaded{Serves: served, Asked: "another", Pending: "bogus"})
		}, NoAnswer, outcome.Timeout,
			"lb-2 has not answered within 1s: the reload was asked for"},
		{"its agent says nothing",
			func(_ *crm.Status, n *crm.NodeStatus, _ string) { n.Attributes = nil },
			NoAnswer, outcome.Timeout, "lb-2 has not answered within 1s"},
		{"HAProxy is about to start again",
			func(s *crm.Status, n *crm.NodeStatus, _ string) { gone(s, n.Name) },
			NoAnswer, outcome.Timeout, "lb-2 has not answered within 1s"},
		{"HAProxy failed long ago", func(s *crm.Status, n *crm.NodeStatus, _ string) {
			gone(s, n.Name)
			s.Failures = []crm.Failure{{Resource: "haproxy", Node: "lb-2", Task: "start",
				Time: noon.Add(-time.Hour)}}
		}, NoAnswer, outcome.Timeout, "lb-2 has not answered within 1s"},
		{"HAProxy fails", func(s *crm.Status, n *crm.NodeStatus, _ string) {
			gone(s, n.Name)
			s.Failures = []crm.Failure{
				{Resource: "haproxy", Node: "lb-1", Task: "start", Meaning: "error", Time: noon},
				{Resource: "haproxy:1", Node: "lb-2", Task: "start", Meaning: "error",
					Reason: "no memory", Time: noon},
			}
		}, NodeFailed, outcome.Resource,
			"lb-2: start of haproxy:1 on lb-2 failed: error: no memory"},
		{"the resource is stopped", func(s *crm.Status, n *crm.NodeStatus, _ string) {
			gone(s, n.Name)
			for i := range s.Resources {
				s.Resources[i].Target = "Stopped"
			}
		}, Left, outcome.Failed, ""},
		{"it goes offline", func(_ *crm.Status, n *crm.NodeStatus, _ string) { n.Online = false },
			Left, outcome.Failed, ""},
		{"it is not fenced yet",
			func(_ *crm.Status, n *crm.NodeStatus, _ string) { n.Unclean = true }, Left,
			outcome.Failed, ""},
		{"it shuts down", func(_ *crm.Status, n *crm.NodeStatus, _ string) { n.Shutdown = true },
			Left, outcome.Failed, ""},
		{"it goes into standby",
			func(_ *crm.Status, n *crm.NodeStatus, _ string) { n.Standby = true }, Left,
			outcome.Failed, ""},
		{"it is removed from the cluster",
			func(s *crm.Status, _ *crm.NodeStatus, _ string) { s.Nodes = s.Nodes[:1] },
			Left, outcome.Failed, ""},
		{"it is put into maintenance", func(s *crm.Status, n *crm.NodeStatus, _ string) {
			for i := range s.Resources {
				s.Resources[i].Managed = s.Resources[i].Node != n.Name
			}
		}, Unmanaged, outcome.Degraded, "lb-2: it is not managed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.reloading["lb-2"] = tc.lb2
			l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
			require.NoError(t, err)
			limit := patience
			if tc.state == NoAnswer {
				limit = time.Second
			}
			err = s.roller.Reload(t.Context(), l, limit, ignore)
			require.Equal(t, Taken, l.Report.Nodes[0].State)
			require.Equal(t, tc.state, l.Report.Nodes[1].State)
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

func TestReloadThatNobodyAnswers(t *testing.T) {
	silent := func(s *site) {
		for _, n := range []string{"lb-1", "lb-2"} {
			s.reloading[n] = func(*crm.Status, *crm.NodeStatus, string) {}
		}
	}
	for _, tc := range []struct {
		name    string
		happens func(s *site, giveUp func())
		kind    outcome.Kind
		says    string
	}{
		{"somebody interrupts it", func(s *site, giveUp func()) {
			s.reloading["lb-1"] = func(*crm.Status, *crm.NodeStatus, string) { giveUp() }
		}, outcome.Interrupted,
			"interrupted before lb-1, lb-2 had answered: the reload was asked for"},
		{"Pacemaker does not answer any more", func(s *site, _ func()) {
			s.OnApply(func() { s.Fail("Status", crm.ErrNotRunning) })
		}, outcome.Unavailable, "the reload was asked for, but it is not known what became of it"},
		{"one refuses it, and another is silent", func(s *site, giveUp func()) {
			s.reloading["lb-1"] = func(_ *crm.Status, n *crm.NodeStatus, g string) {
				loads(n, contract.Loaded{Serves: served, Asked: g, Pending: "bogus"})
				giveUp()
			}
		}, outcome.Interrupted, "before lb-2 had answered: the reload was asked for, `hawser " +
			"status` shows what becomes of it\n" +
			"lb-1 keeps serving the previous configuration: bogus"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t)
			silent(s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			l, err := s.roller.PlanReload(ctx, "haproxy", ReloadOptions{})
			require.NoError(t, err)
			tc.happens(s, cancel)
			err = s.roller.Reload(ctx, l, patience, ignore)
			require.True(t, l.Written())
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
		})
	}
}

// What is said while waiting are the nodes that have yet to answer.
func TestReloadSaysForWhomItWaits(t *testing.T) {
	s := newSite(t)
	looks := 0
	s.reloading["lb-2"] = func(_ *crm.Status, n *crm.NodeStatus, g string) {
		if looks++; looks > 1 {
			loads(n, contract.Loaded{Serves: cmp.Or(contract.Demanded(g), "0123456789ab"), Generation: g})
		}
	}
	l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	var said []string
	require.NoError(t, s.roller.Reload(t.Context(), l, patience,
		func(what string) { said = append(said, what) }))
	require.Equal(t, []string{"waiting for lb-1, lb-2", "waiting for lb-2"}, said)
}

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		name   string
		states []NodeState
		kind   outcome.Kind
		says   string
	}{
		{"all have taken it", []NodeState{Taken, Taken}, 0, ""},
		{"one has left", []NodeState{Taken, Left}, 0, ""},
		{"one has no HAProxy", []NodeState{Taken, Absent}, 0, ""},
		{"one goes on with the former", []NodeState{Taken, Kept}, outcome.Degraded,
			"lb-2 keeps serving"},
		{"one serves another", []NodeState{Differs, Taken}, outcome.Degraded,
			"lb-1 serves a different"},
		{"one is not managed", []NodeState{Unmanaged, Taken}, outcome.Degraded, "lb-1: why"},
		{"one failed", []NodeState{NodeFailed, Taken}, outcome.Resource, "lb-1: why"},
		{"one failed, one goes on", []NodeState{Kept, NodeFailed}, outcome.Resource,
			"lb-2: why\nlb-1 keeps serving"},
		{"all have left", []NodeState{Left, Left}, outcome.Resource, "no node is left"},
		{"nobody has answered yet", []NodeState{NoAnswer, Left}, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &Reload{}
			for i, state := range tc.states {
				l.Report.Nodes = append(l.Report.Nodes,
					NodeReload{Node: []string{"lb-1", "lb-2"}[i], State: state, Reason: "why",
						After: "0123456789ab"})
			}
			err := l.verdict()
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, tc.kind, outcome.Of(err))
			require.ErrorContains(t, err, tc.says)
		})
	}
}

// What will not reload is named before anything is asked for, with its reason.
func TestNodesThatWillNotReload(t *testing.T) {
	s := newSite(t)
	change := func(*crm.Status) {}
	s.OnStatus(func(_ *crm.CIB, status *crm.Status) { change(status) })
	state := func(node int) (NodeState, string) {
		l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.NoError(t, err)
		return l.Report.Nodes[node].State, l.Report.Nodes[node].Reason
	}
	change = func(st *crm.Status) { st.Nodes[1].Online = false }
	is, why := state(1)
	require.Equal(t, []any{Absent, "the node is offline"}, []any{is, why})
	change = func(st *crm.Status) { gone(st, "lb-2") }
	is, why = state(1)
	require.Equal(t, []any{Absent, "haproxy does not run there"}, []any{is, why})
	change = func(st *crm.Status) {
		for i := range st.Resources {
			st.Resources[i].Managed = st.Resources[i].Node != "lb-2"
		}
	}
	is, why = state(1)
	require.Equal(t, []any{Unmanaged, notManaged}, []any{is, why})
	change = func(st *crm.Status) {
		st.Nodes = append(st.Nodes, crm.NodeStatus{Name: "far", Type: "remote", Online: true})
	}
	l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	require.Len(t, l.Report.Nodes, 2, "a remote node without HAProxy is none of its nodes")

	change = func(st *crm.Status) { gone(st, "lb-1"); st.Nodes[1].Standby = true }
	_, err = s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err,
		"haproxy is not running on any node where Pacemaker would reload it; nothing was changed\n"+
			"lb-1: haproxy does not run there\nlb-2: the node is in standby")
}

func TestForesee(t *testing.T) {
	const restart = "Pacemaker would restart haproxy on lb-2 instead of reloading it"
	t.Run("nothing restarts", func(t *testing.T) {
		s := newSite(t)
		s.Fail("ForgetProbe", errors.New("nobody should ask"))
		l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.NoError(t, err)
		require.Empty(t, l.Warnings)
	})
	t.Run("the agents are of another version", func(t *testing.T) {
		s := newSite(t)
		s.roller.OtherVersions = func(context.Context) string { return "this hawser is old" }
		l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.NoError(t, err)
		require.Equal(t, []string{"this hawser is old"}, l.Warnings)
	})
	t.Run("a probe is forgotten", func(t *testing.T) {
		s := newSite(t)
		s.Probed("haproxy", "lb-2")
		l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.NoError(t, err)
		require.Empty(t, l.Warnings)
		require.Equal(t, s.before, s.shows(t))
		require.NoError(t, s.roller.Reload(t.Context(), l, patience, ignore))
	})
	t.Run("a probe cannot be forgotten", func(t *testing.T) {
		s := newSite(t)
		s.Probed("haproxy", "lb-2")
		s.Fail("ForgetProbe", crm.ErrPermission)
		_, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{Force: true})
		require.Equal(t, outcome.Denied, outcome.Of(err))
	})
	t.Run("a restart is refused", func(t *testing.T) {
		s := newSite(t)
		s.Probed("haproxy", "lb-2")
		s.roller.Cluster = insisting{s.Fake}
		_, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.Equal(t, outcome.Failed, outcome.Of(err))
		require.ErrorContains(t, err, restart)
		require.ErrorContains(t, err, "nothing was changed: accept that with --force")
		require.Zero(t, s.Applied())
	})
	t.Run("a restart is accepted", func(t *testing.T) {
		s := newSite(t)
		s.Probed("haproxy", "lb-2")
		s.roller.Cluster = insisting{s.Fake}
		l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{Force: true})
		require.NoError(t, err)
		require.Len(t, l.Warnings, 1)
		require.Contains(t, l.Warnings[0], restart)
	})
	t.Run("the scheduler cannot be asked", func(t *testing.T) {
		s := newSite(t)
		s.Fail("Check", crm.ErrNotRunning)
		_, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
		require.Equal(t, outcome.Unavailable, outcome.Of(err))
	})
}

func TestCheckForReload(t *testing.T) {
	for _, tc := range []struct {
		name    string
		extra   string
		prepare func(t *testing.T, s *site)
		says    string
	}{
		{"HAProxy refuses it", "", func(_ *testing.T, s *site) {
			s.roller.HAProxy = func(context.Context, preflight.HAProxy) error {
				return errors.New("unknown keyword 'bogus'")
			}
		}, "unknown keyword 'bogus'; nothing was changed"},
		{"it is edited meanwhile", "", func(_ *testing.T, s *site) {
			s.roller.HAProxy = func(_ context.Context, h preflight.HAProxy) error {
				return os.WriteFile(h.Config, []byte("global\n"), 0o600)
			}
		}, "was edited while it was checked; nothing was changed: run the command again"},
		{"it is removed meanwhile", "", func(_ *testing.T, s *site) {
			s.roller.HAProxy = func(_ context.Context, h preflight.HAProxy) error {
				return os.Remove(h.Config)
			}
		}, "was edited while it was checked"},
		{"it is not there", "",
			func(t *testing.T, s *site) { require.NoError(t, os.Remove(s.conf)) },
			"no such file or directory; nothing was changed"},
		{"words that end in the middle", "-f 'x", nil, "extraconf of haproxy"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, crm.Attr{Name: contract.ParamExtraconf, Value: tc.extra})
			if tc.prepare != nil {
				tc.prepare(t, s)
			}
			_, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
			require.Equal(t, outcome.Usage, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Zero(t, s.Applied())
		})
	}
}

// HAProxy checks what the agent would run: with its words, its addresses, and what the resource's
// HAProxy was started with.
func TestCheckForReloadIsTheAgents(t *testing.T) {
	s := newSite(t, crm.Attr{Name: contract.ParamBinpath, Value: "/opt/haproxy"},
		crm.Attr{Name: contract.ParamExtraconf, Value: "-dr"},
		crm.Attr{Name: contract.ParamAnchorIP, Value: "10.0.0.1"},
		crm.Attr{Name: contract.ParamSites, Value: "main=lb-1"})
	var checked preflight.HAProxy
	s.roller.HAProxy = func(_ context.Context, h preflight.HAProxy) error { checked = h; return nil }
	s.roller.Environment = func(resource string) []string { return []string{"OF=" + resource} }
	_, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	require.Equal(t, preflight.HAProxy{
		Config: s.conf, Binary: "/opt/haproxy", Extra: "-dr", AnchorIP: "10.0.0.1",
		Node: "lb-1", Sites: []param.Site{{Name: "main", Nodes: []string{"lb-1"}}},
		Env: []string{"OF=haproxy"},
	}, checked)
}

func TestReloadOfAnotherMachinesCluster(t *testing.T) {
	s := newSite(t)
	s.roller.Remote = true
	require.NoError(t, os.Remove(s.conf))
	l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	require.Empty(t, l.Demanded)
	require.Len(t, l.Warnings, 1)
	require.NoError(t, s.roller.Reload(t.Context(), l, patience, ignore))
}

// What a push that was killed has left goes with the next reload.
func TestReloadRemovesWhatAKilledPushLeft(t *testing.T) {
	s := newSite(t)
	p := &Push{Resource: "haproxy"}
	p.packed, p.Sum = contract.PackConfig([]byte("global\n"))
	require.NoError(t, s.roller.order(t.Context(), p, p.order(contract.PushCheck)))
	require.Contains(t, s.shows(t), p.Sum)
	l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	require.NoError(t, s.roller.Reload(t.Context(), l, patience, ignore))
	require.NotContains(t, s.shows(t), "push")
	require.NotContains(t, s.shows(t), p.packed)
}

func TestReloadOfWhatIsRemovedMeanwhile(t *testing.T) {
	s := newSite(t)
	l, err := s.roller.PlanReload(t.Context(), "haproxy", ReloadOptions{})
	require.NoError(t, err)
	s.OnApply(func() {
		s.OnApply(nil)
		require.NoError(t, s.Delete("FloatIP-haproxy", "haproxy-clone", "haproxy"))
	})
	err = s.roller.Reload(t.Context(), l, patience, ignore)
	require.Equal(t, outcome.Conflict, outcome.Of(err))
	require.ErrorContains(t, err, "haproxy was removed from the configuration")
	require.False(t, l.Written())
}
