package rollout

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// pushed is the configuration that the tests push.
var pushed = []byte("global\n\tmaxconn 100\n")

func planPush(t *testing.T, s *site) *Push {
	t.Helper()
	p, err := s.roller.PlanPush(t.Context(), "haproxy", "new.cfg", pushed, PushOptions{})
	require.NoError(t, err)
	require.Zero(t, s.Applied())
	return p
}

func TestPushIsTakenEverywhere(t *testing.T) {
	s := newSite(t)
	p := planPush(t, s)
	require.Equal(t, s.conf, p.ConfFile)
	require.Equal(t, contract.Sum(pushed), p.Sum)
	require.Equal(t, []string{"lb-1", "lb-2"}, p.Targets)
	require.Empty(t, p.Skipped)
	require.Empty(t, p.Warnings)
	var said []string
	report, err := s.roller.Push(t.Context(), p, patience,
		func(what string) { said = append(said, what) })
	require.NoError(t, err)
	require.Equal(t, PushReport{
		Resource: "haproxy", Configuration: p.Sum, File: s.conf, Taken: true,
		Nodes: []NodePush{{Node: "lb-1", Serves: true, Answer: "ok"},
			{Node: "lb-2", Serves: true, Answer: "ok"}},
	}, report)
	require.Equal(t, []string{"check:" + p.Sum, "take:" + p.Sum}, s.orders)
	require.Equal(t, []string{
		"having every node check the configuration", "having every node take the configuration",
		"removing the configuration from the cluster's",
	}, said)
	require.Equal(t, s.before, s.shows(t))
}

// A node without HAProxy misses the push, and is named with those that took part.
func TestPushPastANodeWithoutHAProxy(t *testing.T) {
	s := newSite(t)
	answer := s.answer
	s.OnStatus(func(cib *crm.CIB, status *crm.Status) {
		answer(cib, status)
		gone(status, "lb-2")
	})
	p := planPush(t, s)
	require.Equal(t, []string{"lb-1"}, p.Targets)
	report, err := s.roller.Push(t.Context(), p, patience, ignore)
	require.NoError(t, err)
	require.True(t, report.Taken)
	require.Equal(t, NodePush{
		Node: "lb-2", Answer: "not running",
		Reason: "haproxy does not run there; HAProxy will start there with the file that is there",
	}, report.Nodes[1])
}

// TestPushThatFails: whatever happens, nothing of the push stays in the cluster's configuration,
// and no node takes what another has refused.
func TestPushThatFails(t *testing.T) {
	type answer = func(s *crm.Status, n *crm.NodeStatus, order contract.PushOrder)
	// at answers one of the two orders as it does, and the other well.
	at := func(step string, special answer) answer {
		return func(s *crm.Status, n *crm.NodeStatus, order contract.PushOrder) {
			if order.Step == step {
				special(s, n, order)
				return
			}
			says(n, contract.PushAnswer{Order: order})
		}
	}
	refuses := func(_ *crm.Status, n *crm.NodeStatus, order contract.PushOrder) {
		says(n, contract.PushAnswer{Order: order, Refused: "unknown keyword"})
	}
	silent := func(*crm.Status, *crm.NodeStatus, contract.PushOrder) {}
	// write does something before one of the push's writes: the check, the take, the removal.
	write := func(s *site, number int, do func()) {
		calls := 0
		s.OnApply(func() {
			if calls++; calls == number {
				do()
			}
		})
	}
	check, take := contract.PushCheck, contract.PushTake
	for _, tc := range []struct {
		name    string
		happens func(t *testing.T, s *site, giveUp func())
		timeout time.Duration
		kind    outcome.Kind
		says    string
		steps   int      // the orders that were given
		lb2     NodePush // if anything is known of it
	}{
		{
			"a node refuses it",
			func(_ *testing.T, s *site, _ func()) { s.pushing["lb-2"] = at(check, refuses) },
			patience, outcome.Degraded,
			"lb-2: unknown keyword; no node has taken it and no file was changed",
			1, NodePush{Node: "lb-2", Answer: "refused", Reason: "unknown keyword"},
		},
		{
			"a node cannot take it",
			func(_ *testing.T, s *site, _ func()) { s.pushing["lb-2"] = at(take, refuses) },
			patience, outcome.Degraded,
			"lb-2: unknown keyword; the other nodes have applied it: fix that node and push " +
				"again",
			2, NodePush{Node: "lb-2", Answer: "refused", Reason: "unknown keyword"},
		},
		{
			"a node does not answer the check",
			func(_ *testing.T, s *site, _ func()) { s.pushing["lb-2"] = at(check, silent) },
			time.Second, outcome.Timeout,
			"not every node has answered in time: lb-2 did not answer in time",
			1, NodePush{Node: "lb-2", Answer: "none"},
		},
		{
			"somebody interrupts the write of the check",
			func(_ *testing.T, s *site, giveUp func()) { write(s, 1, giveUp) },
			patience, outcome.Interrupted,
			"interrupted before any node was asked: nothing was changed", 0, NodePush{},
		},
		{
			"somebody interrupts the check", func(_ *testing.T, s *site, giveUp func()) {
				s.pushing["lb-2"] = at(check,
					func(*crm.Status, *crm.NodeStatus, contract.PushOrder) { giveUp() })
			}, patience, outcome.Interrupted, "interrupted before every node had answered", 1,
			NodePush{Node: "lb-2", Answer: "none"},
		},
		{
			"somebody interrupts the write of the take",
			func(_ *testing.T, s *site, giveUp func()) { write(s, 2, giveUp) },
			patience, outcome.Interrupted, "no node has taken it and no file was changed", 1,
			NodePush{Node: "lb-2", Answer: "ok"},
		},
		{
			"somebody interrupts the take", func(_ *testing.T, s *site, giveUp func()) {
				s.pushing["lb-2"] = at(take,
					func(*crm.Status, *crm.NodeStatus, contract.PushOrder) { giveUp() })
			}, patience, outcome.Interrupted, "interrupted before every node had answered", 2,
			NodePush{Node: "lb-2", Answer: "none"},
		},
		{
			"the check is written, but that is not known", func(_ *testing.T, s *site, _ func()) {
				s.LoseAnswer(errors.New("the connection broke"))
			}, patience, outcome.Failed, "the connection broke", 0, NodePush{},
		},
		{
			"Pacemaker does not answer any more", func(_ *testing.T, s *site, _ func()) {
				write(s, 1, func() { s.Fail("Status", crm.ErrNotRunning) })
			}, patience, outcome.Unavailable, "does not answer", 0, NodePush{},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t)
			p := planPush(t, s)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tc.happens(t, s, cancel)
			report, err := s.roller.Push(ctx, p, tc.timeout, ignore)
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.False(t, report.Taken)
			require.Len(t, s.orders, tc.steps, "%v", s.orders)
			if tc.lb2 != (NodePush{}) {
				require.Len(t, report.Nodes, 2)
				require.Equal(t, tc.lb2, report.Nodes[1])
			}
			require.Equal(t, s.before, s.shows(t))
		})
	}
}

// A node that leaves while a push is under way does not stop it: it serves nobody.
func TestPushWhileANodeLeaves(t *testing.T) {
	for _, step := range []string{contract.PushCheck, contract.PushTake} {
		t.Run(step, func(t *testing.T) {
			s := newSite(t)
			p := planPush(t, s)
			looks := 0
			s.pushing["lb-2"] = func(status *crm.Status, n *crm.NodeStatus, order contract.PushOrder) {
				looks++
				switch {
				case order.Step != step && step == contract.PushTake:
					says(n, contract.PushAnswer{Order: order})
				case looks > 1: // it has been seen with HAProxy before
					n.Online = false
					gone(status, n.Name)
				}
			}
			report, err := s.roller.Push(t.Context(), p, patience, ignore)
			require.NoError(t, err)
			require.True(t, report.Taken)
			require.Equal(t, NodePush{Node: "lb-1", Serves: true, Answer: "ok"}, report.Nodes[0])
			require.Equal(t, NodePush{Node: "lb-2", Answer: "left", Reason: "it stopped meanwhile"},
				report.Nodes[1])
			require.Equal(t, s.before, s.shows(t))
		})
	}
}

// Somebody else pushes between the check and the take: no node takes ours, and theirs is left
// alone.
func TestPushWhileSomebodyElsePushes(t *testing.T) {
	s := newSite(t)
	p := planPush(t, s)
	theirs := &Push{Resource: "haproxy"}
	theirs.packed, theirs.Sum = contract.PackConfig([]byte("defaults\n"))
	calls := 0
	s.OnApply(func() {
		if calls++; calls == 2 {
			s.OnApply(nil)
			cib, err := s.Query(context.Background())
			require.NoError(t, err)
			plan, err := pushPlan(cib, theirs, func(string) (string, bool, error) {
				return theirs.order(contract.PushCheck), true, nil
			})
			require.NoError(t, err)
			require.NoError(t, s.Apply(context.Background(), plan))
		}
	})
	report, err := s.roller.Push(t.Context(), p, patience, ignore)
	require.Equal(t, outcome.Conflict, outcome.Of(err))
	require.ErrorContains(t, err, "somebody else pushed another configuration meanwhile")
	require.ErrorContains(t, err, "no node has taken this one")
	require.False(t, report.Taken)
	require.NotContains(t, s.orders, "take:"+p.Sum)
	after := s.shows(t)
	require.Contains(t, after, "check:"+theirs.Sum)
	require.Contains(t, after, theirs.packed)
	require.NotContains(t, after, p.packed)
}

func TestPushToWhatIsRemovedMeanwhile(t *testing.T) {
	s := newSite(t)
	p := planPush(t, s)
	calls := 0
	s.OnApply(func() {
		if calls++; calls == 2 {
			require.NoError(t, s.Delete("FloatIP-haproxy", "haproxy-clone", "haproxy"))
		}
	})
	_, err := s.roller.Push(t.Context(), p, patience, ignore)
	require.Equal(t, outcome.Conflict, outcome.Of(err))
	require.ErrorContains(t, err, "haproxy was removed from the configuration meanwhile")
}

func TestRemovalOfAPushThatFails(t *testing.T) {
	s := newSite(t)
	p := planPush(t, s)
	calls := 0
	s.OnApply(func() {
		if calls++; calls == 2 {
			s.Fail("Query", crm.ErrNotRunning) // the next one: of the removal
		}
	})
	report, err := s.roller.Push(t.Context(), p, patience, ignore)
	require.Equal(t, outcome.Unavailable, outcome.Of(err))
	require.ErrorContains(t, err,
		"could not be removed from the cluster's again (the next hawser reload does it)")
	require.True(t, report.Nodes[1].Serves)
	require.Contains(t, s.shows(t), p.packed)
}

func TestPlanPushIsRefused(t *testing.T) {
	random := make([]byte, 2*contract.PushLimit)
	for i := range random {
		random[i] = byte(rand.IntN(256)) //nolint:gosec // what cannot be compressed
	}
	program, err := os.Executable()
	require.NoError(t, err)
	for _, tc := range []struct {
		name     string
		resource string
		text     []byte
		prepare  func(s *site)
		kind     outcome.Kind
		says     string
	}{
		{"an unknown resource", "web", pushed, nil, outcome.Usage, "there is no HAProxy web"},
		{"credentials", "haproxy", []byte("listen s\n\tstats auth admin:hunter2\n"), nil,
			outcome.Usage,
			"new.cfg holds the password of the statistics page"},
		{"too large", "haproxy", random, nil, outcome.Usage, "new.cfg is too large for the CIB"},
		{"not managed", "haproxy", pushed, func(s *site) {
			s.OnStatus(func(_ *crm.CIB, status *crm.Status) {
				for i := range status.Resources {
					status.Resources[i].Managed = status.Resources[i].Node != "lb-1"
				}
			})
		}, outcome.Resource, "haproxy is not managed on lb-1"},
		{"not running", "haproxy", pushed, func(s *site) {
			s.OnStatus(func(_ *crm.CIB, status *crm.Status) { gone(status, "lb-1"); gone(status, "lb-2") })
		}, outcome.Resource, "nothing can be pushed"},
		{"this node's HAProxy refuses it", "haproxy", pushed, func(s *site) {
			s.roller.HAProxy = func(_ context.Context, h preflight.HAProxy) error {
				text, err := os.ReadFile(h.Config)
				return errors.Join(err, errors.New(h.Config+":2: refused: "+string(text)))
			}
		}, outcome.Usage, "new.cfg:2: refused: " + string(pushed)},
		{"a restart", "haproxy", pushed, func(s *site) {
			s.Probed("haproxy", "lb-2")
			s.roller.Cluster = insisting{s.Fake}
		}, outcome.Failed, "Pacemaker would restart haproxy on lb-2"},
		{"Pacemaker does not answer", "haproxy", pushed,
			func(s *site) { s.Fail("Query", crm.ErrNotRunning) },
			outcome.Unavailable, "does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, crm.Attr{Name: contract.ParamBinpath, Value: program})
			if tc.prepare != nil {
				tc.prepare(s)
			}
			_, err := s.roller.PlanPush(t.Context(), tc.resource, "new.cfg", tc.text, PushOptions{})
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Zero(t, s.Applied())
			require.Equal(t, s.before, s.shows(t))
		})
	}
}

func TestPlanPushThatIsAllowed(t *testing.T) {
	s := newSite(t)
	_, err := s.roller.PlanPush(t.Context(), "", "new.cfg",
		[]byte("listen s\n\tstats auth admin:hunter2\n"),
		PushOptions{WithCredentials: true})
	require.NoError(t, err)

	s.Probed("haproxy", "lb-2")
	s.roller.Cluster = insisting{s.Fake}
	p, err := s.roller.PlanPush(t.Context(), "haproxy", "new.cfg", pushed, PushOptions{Force: true})
	require.NoError(t, err)
	require.Len(t, p.Warnings, 1)
	require.Contains(t, p.Warnings[0], "Pacemaker would restart haproxy on lb-2")
}

// Where the cluster is another machine's, or this one has no HAProxy, the nodes check it.
func TestPushIsCheckedWhereHAProxyIs(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for _, tc := range []struct {
		name, binary string
		remote       bool
		checked      int
	}{
		{"here", program, false, 1},
		{"on another machine", program, true, 0},
		{"no HAProxy here", filepath.Join(t.TempDir(), "haproxy"), false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, crm.Attr{Name: contract.ParamBinpath, Value: tc.binary})
			checked := 0
			s.roller.Remote = tc.remote
			s.roller.HAProxy = func(context.Context, preflight.HAProxy) error { checked++; return nil }
			planPush(t, s)
			require.Equal(t, tc.checked, checked)
		})
	}
}

// The previous configuration is kept beside the file itself, and not beside a link to it.
func TestPrevious(t *testing.T) {
	dir := t.TempDir()
	of := func(conf string) string {
		return Previous(&crm.Primitive{Name: "haproxy",
			Params: crm.Attrs{{Name: contract.ParamConffile, Value: conf}}})
	}
	real, link := filepath.Join(dir, "real.cfg"), filepath.Join(dir, "link.cfg")
	require.Equal(t, real+contract.PreviousSuffix, of(real), "a file that is not there")
	require.NoError(t, os.WriteFile(real, nil, 0o600))
	require.NoError(t, os.Symlink(real, link))
	require.Equal(t, real+contract.PreviousSuffix, of(link))
	require.Equal(t, contract.DefaultConffile+contract.PreviousSuffix,
		Previous(&crm.Primitive{Name: "haproxy"}))
}
