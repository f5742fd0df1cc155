package crmtest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// Tutorial is a cloned HAProxy and a floating IP placed with it, on a cluster without fencing.
func Tutorial() []crm.Object {
	return []crm.Object{
		&crm.Property{Name: "stonith-enabled", Value: "false"},
		&crm.Primitive{
			Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy",
			Params: crm.Attrs{{Name: "conffile", Value: "/etc/haproxy/haproxy.cfg"}},
			Ops: []crm.Op{{
				Name: "monitor", Interval: "15s", Attrs: crm.Attrs{{Name: "timeout", Value: "20s"}},
				Params: crm.Attrs{{Name: "OCF_CHECK_LEVEL", Value: "10"}},
			}},
		},
		&crm.Clone{Name: "haproxy-clone", Resource: "haproxy",
			Meta: crm.Attrs{{Name: "interleave", Value: "true"}}},
		&crm.Primitive{
			Name: "FloatIP", Class: "ocf", Provider: "hawser", Type: "floatip",
			Params: crm.Attrs{{Name: "ip", Value: "203.0.113.10"},
				{Name: "token_file", Value: "/etc/hawser/token"}},
			Ops: []crm.Op{{Name: "monitor", Interval: "15s"}},
		},
		&crm.Colocation{Name: "FloatIP-haproxy", Score: "INFINITY", Resource: "FloatIP",
			With: "haproxy-clone"},
	}
}

// Conform is what every crm.Cluster must do. fresh returns one whose CIB is Seed("lb-1", "lb-2",
// "lb-3").
func Conform(t *testing.T, fresh func(t *testing.T) crm.Cluster) {
	t.Run("a plan is checked, written whole, and the second is empty",
		func(t *testing.T) { conformApply(t, fresh(t)) })
	t.Run("a plan for another configuration is refused",
		func(t *testing.T) { conformStale(t, fresh(t)) })
	t.Run("destroy leaves what was there before",
		func(t *testing.T) { conformDestroy(t, fresh(t)) })
	t.Run("an option that is taken over comes back",
		func(t *testing.T) { conformTakeOver(t, fresh(t)) })
	t.Run("without fencing nothing would start", func(t *testing.T) { conformFencing(t, fresh(t)) })
	t.Run("a cancelled context changes nothing", func(t *testing.T) { conformCancel(t, fresh(t)) })
	t.Run("status", func(t *testing.T) { conformStatus(t, fresh(t)) })
	t.Run("a ban keeps a resource off a node, and is reported",
		func(t *testing.T) { conformBan(t, fresh(t)) })
	t.Run("a node in standby runs nothing", func(t *testing.T) { conformStandby(t, fresh(t)) })
	t.Run("verify says what check says, and forecasts nothing",
		func(t *testing.T) { conformVerify(t, fresh(t)) })
	t.Run("a rehearsal leads to a configuration that the next one starts from",
		func(t *testing.T) { conformRehearse(t, fresh(t)) })
	t.Run("the loss of a node", func(t *testing.T) { conformLose(t, fresh(t)) })
	t.Run("the record of a probe that is not there", func(t *testing.T) {
		require.NoError(t, fresh(t).ForgetProbe(context.Background(), "haproxy", "lb-1"))
	})
	t.Run("an agent that is not there advertises nothing", func(t *testing.T) {
		_, err := fresh(t).Advertised(context.Background(), "ocf:hawser:no-such-agent")
		require.ErrorContains(t, err, "ocf:hawser:no-such-agent")
	})
}

// ConformLive is what a crm.Cluster must do if a cluster is behind it rather than a file. It
// sets a private attribute and leaves it there.
func ConformLive(t *testing.T, c crm.Cluster, here string) {
	ctx := context.Background()
	t.Run("a private attribute", func(t *testing.T) {
		values, err := c.Private(ctx, "hawser-conformance")
		require.NoError(t, err)
		require.Empty(t, values)
		require.NoError(t, c.SetPrivate(ctx, "hawser-conformance", "one"))
		require.NoError(t, c.SetPrivate(ctx, "hawser-conformance", "two"))
		require.Eventually(t, func() bool {
			values, err = c.Private(ctx, "hawser-conformance")
			return err == nil && values[here] == "two"
		}, 20*time.Second, 50*time.Millisecond, "%v, %v", values, err)
		cib, err := c.Query(ctx)
		require.NoError(t, err)
		require.NotContains(t, string(cib.XML()), "hawser-conformance")
	})
	t.Run("a cluster that has settled", func(t *testing.T) { require.NoError(t, c.Wait(ctx, nil)) })
}

// plan compares the cluster's configuration with the spec.
func plan(t *testing.T, c crm.Cluster, spec crm.Spec) crm.Plan {
	t.Helper()
	cib, err := c.Query(context.Background())
	require.NoError(t, err)
	p, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	return p
}

// write makes the cluster's configuration what the spec wants.
func write(t *testing.T, c crm.Cluster, spec crm.Spec) {
	t.Helper()
	p := plan(t, c, spec)
	require.False(t, p.Empty(), "there is nothing to write")
	_, err := c.Check(context.Background(), p)
	require.NoError(t, err)
	require.NoError(t, c.Apply(context.Background(), p))
}

// shows is the cluster's configuration in crmsh's grammar.
func shows(t *testing.T, c crm.Cluster) string {
	t.Helper()
	cib, err := c.Query(context.Background())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

func conformApply(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	spec := crm.Spec{Objects: Tutorial(), Tag: "hawser"}
	before, err := c.Query(ctx)
	require.NoError(t, err)

	p := plan(t, c, spec)
	forecast, err := c.Check(ctx, p)
	require.NoError(t, err)
	var said []string
	for _, a := range forecast.Actions {
		said = append(said, a.String())
	}
	require.ElementsMatch(t, []string{"start haproxy:0 on lb-1", "start haproxy:1 on lb-2",
		"start haproxy:2 on lb-3", "start FloatIP on lb-1"}, said)
	unchanged, err := c.Query(ctx)
	require.NoError(t, err)
	require.Equal(t, before.Version, unchanged.Version, "a check must write nothing")

	require.NoError(t, c.Apply(ctx, p))
	after, err := c.Query(ctx)
	require.NoError(t, err)
	require.Greater(t, after.Version.Epoch, before.Version.Epoch)
	require.Equal(t, crm.FormatShell(p.New.Objects()), crm.FormatShell(after.Objects()))
	require.ElementsMatch(t, []string{"haproxy", "haproxy-clone", "FloatIP", "FloatIP-haproxy",
		"cib-bootstrap-options-stonith-enabled"}, after.Tagged("hawser"))

	again := plan(t, c, spec)
	require.Empty(t, again.Changes)
	require.NoError(t, c.Apply(ctx, again))
	still, err := c.Query(ctx)
	require.NoError(t, err)
	require.Equal(t, after.Version, still.Version, "an empty plan must not move the epoch")
	require.NoError(t, c.Wait(ctx, nil))
}

func conformStale(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	approved := plan(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	cib, err := c.Query(ctx)
	require.NoError(t, err)
	other, err := crm.Edit(cib,
		[]crm.Object{&crm.Property{Section: crm.RscDefaults, Name: "resource-stickiness",
			Value: "100"}}, nil)
	require.NoError(t, err)
	edit, err := crm.Diff(cib, other)
	require.NoError(t, err)
	require.NoError(t, c.Apply(ctx, edit))

	require.ErrorIs(t, c.Apply(ctx, approved), crm.ErrStale)
	require.NotContains(t, shows(t, c), "haproxy")
	renewed := plan(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	require.True(t, approved.Same(renewed), "the edit has nothing to do with the plan")
	require.NoError(t, c.Apply(ctx, renewed))
	require.Contains(t, shows(t, c), "resource-stickiness=100")
	require.Contains(t, shows(t, c), "clone haproxy-clone haproxy")
}

func conformDestroy(t *testing.T, c crm.Cluster) {
	before := shows(t, c)
	write(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	write(t, c, crm.Spec{Tag: "hawser"})
	require.Equal(t, before, shows(t, c))
	require.True(t, plan(t, c, crm.Spec{Tag: "hawser"}).Empty())
}

func conformTakeOver(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	cib, err := c.Query(ctx)
	require.NoError(t, err)
	set, err := crm.Edit(cib, []crm.Object{&crm.Property{Name: "stonith-enabled", Value: "true"},
		&crm.Property{Name: "cluster-recheck-interval", Value: "5min"}}, nil)
	require.NoError(t, err)
	p, err := crm.Diff(cib, set)
	require.NoError(t, err)
	require.NoError(t, c.Apply(ctx, p))
	before := shows(t, c)

	write(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	require.Contains(t, shows(t, c), "stonith-enabled=false")
	require.True(t, plan(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"}).Empty())
	write(t, c, crm.Spec{Tag: "hawser"})
	require.Equal(t, before, shows(t, c))
}

func conformFencing(t *testing.T, c crm.Cluster) {
	p := plan(t, c, crm.Spec{Objects: Tutorial()[1:], Tag: "hawser"})
	_, err := c.Check(context.Background(), p)
	require.ErrorIs(t, err, crm.ErrNoFencing)
	require.NotErrorIs(t, err, crm.ErrRefused)
	require.NoError(t, c.Apply(context.Background(), p), "it is valid all the same")
}

func conformCancel(t *testing.T, c crm.Cluster) {
	p := plan(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	before := shows(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.Query(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Check(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	err = c.Apply(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, crm.ErrUnwritten)
	_, err = c.Status(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.Wait(ctx, nil), context.Canceled)
	_, err = c.Verify(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = c.Rehearse(ctx, p)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.ForgetProbe(ctx, "haproxy", "lb-1"), context.Canceled)
	_, err = c.Advertised(ctx, "ocf:heartbeat:Dummy")
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.Private(ctx, "hawser-conformance")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, c.SetPrivate(ctx, "hawser-conformance", "x"), context.Canceled)
	require.Equal(t, before, shows(t, c))
}

func conformVerify(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	before := shows(t, c)
	warnings, err := c.Verify(ctx, plan(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"}))
	require.NoError(t, err)
	require.Empty(t, warnings)
	_, err = c.Verify(ctx, plan(t, c, crm.Spec{Objects: Tutorial()[1:], Tag: "hawser"}))
	require.ErrorIs(t, err, crm.ErrNoFencing)
	require.Equal(t, before, shows(t, c), "a check must write nothing")
}

// conformLose asks who would take an address over.
func conformLose(t *testing.T, c crm.Cluster) {
	write(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	before := shows(t, c)
	forecast, err := c.Lose(context.Background(), "lb-1")
	require.NoError(t, err)
	taken := slices.DeleteFunc(forecast.Actions, func(a crm.Action) bool {
		return a.Resource != "FloatIP" || a.Task != "start"
	})
	require.Len(t, taken, 1)
	require.Contains(t, []string{"lb-2", "lb-3"}, taken[0].Node)
	_, err = c.Lose(context.Background(), "lb-9")
	require.ErrorContains(t, err, "no node lb-9")
	require.Equal(t, before, shows(t, c), "it must write nothing")
}

// conformRehearse simulates a set-up, a move and the removal of the move's constraint, one after
// the other.
func conformRehearse(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	before := shows(t, c)
	rehearse := func(p crm.Plan) ([]string, *crm.CIB) {
		t.Helper()
		forecast, after, err := c.Rehearse(ctx, p)
		require.NoError(t, err)
		said := []string{}
		for _, a := range forecast.Actions {
			require.NotEqual(t, "monitor", a.Task)
			if !strings.HasPrefix(a.Resource, "haproxy") {
				said = append(said, a.String())
			}
		}
		return said, after
	}
	edit := func(cib *crm.CIB, statement string, del ...string) crm.Plan {
		t.Helper()
		var set []crm.Object
		if statement != "" {
			script, err := crm.ParseShell("test", []byte(statement))
			require.NoError(t, err)
			set = script.Objects
		}
		spec, err := crm.Edit(cib, set, del)
		require.NoError(t, err)
		p, err := crm.Diff(cib, spec)
		require.NoError(t, err)
		return p
	}
	objects := Tutorial()
	objects[3].(*crm.Primitive).Meta = crm.Attrs{{Name: "resource-stickiness", Value: "100"}}
	said, runs := rehearse(plan(t, c, crm.Spec{Objects: objects, Tag: "hawser"}))
	require.Equal(t, []string{"start FloatIP on lb-1"}, said)
	said, moved := rehearse(edit(runs, "location there FloatIP rule inf: #uname eq lb-2"))
	require.Equal(t, []string{"move FloatIP from lb-1 to lb-2"}, said)
	said, _ = rehearse(edit(moved, "", "there"))
	require.Empty(t, said, "it stays where it is")
	said, away := rehearse(edit(moved, "location there FloatIP rule -inf: #uname eq lb-2"))
	require.Len(t, said, 1)
	require.Contains(t, said[0], "move FloatIP from lb-2 to ")
	said, _ = rehearse(edit(away, "location back FloatIP 50: lb-3", "there"))
	require.Empty(t, said, "a preference below the stickiness moves nothing")
	require.Equal(t, before, shows(t, c), "a rehearsal must write nothing")
}

func conformStatus(t *testing.T, c crm.Cluster) {
	write(t, c, crm.Spec{Objects: Tutorial(), Tag: "hawser"})
	s, err := c.Status(context.Background())
	require.NoError(t, err)
	require.True(t, s.Quorum)
	require.False(t, s.Fencing)
	require.Equal(t, "lb-1", s.DC)
	var nodes []string
	for _, n := range s.Nodes {
		require.True(t, n.Online)
		nodes = append(nodes, n.Name)
	}
	require.Equal(t, []string{"lb-1", "lb-2", "lb-3"}, nodes)
	count := map[string]int{}
	for _, r := range s.Resources {
		count[r.Parent+"/"+r.ID]++
	}
	require.Equal(t, map[string]int{"haproxy-clone/haproxy": 3, "/FloatIP": 1}, count)
}

// conformStandby has a node in standby, as its entry in the configuration says.
func conformStandby(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	cib, err := c.Query(ctx)
	require.NoError(t, err)
	wanted, err := crm.Edit(cib, append(Tutorial(), &crm.Node{NodeID: "1", Uname: "lb-1",
		Attributes: crm.Attrs{{Name: "standby", Value: "on"}}}), nil)
	require.NoError(t, err)
	p, err := crm.Diff(cib, wanted)
	require.NoError(t, err)
	forecast, err := c.Check(ctx, p)
	require.NoError(t, err)
	require.Len(t, forecast.Actions, 3)
	for _, a := range forecast.Actions {
		require.Equal(t, "start", a.Task)
		require.NotEqual(t, "lb-1", a.Node)
	}
	require.NoError(t, c.Apply(ctx, p))
	s, err := c.Status(ctx)
	require.NoError(t, err)
	at, _ := s.Node("lb-1")
	require.True(t, at.Standby)
	// The same cluster without failures is the same.
	cib, err = c.Query(ctx)
	require.NoError(t, err)
	forgiven, n := cib.Forgiven(nil, "")
	require.Zero(t, n)
	require.Same(t, cib, forgiven)
}

// conformBan checks that no preference outweighs a ban.
func conformBan(t *testing.T, c crm.Cluster) {
	ctx := context.Background()
	write(t, c, crm.Spec{Objects: append(Tutorial(),
		&crm.Location{Name: "never", Resource: "FloatIP", Score: "-INFINITY", Node: "lb-1"},
		&crm.Location{Name: "seldom", Resource: "FloatIP", Score: "-5", Node: "lb-3"}),
		Tag: "hawser"})
	s, err := c.Status(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, []crm.Ban{
		{ID: "never", Resource: "FloatIP", Node: "lb-1", Score: -crm.Infinity},
		{ID: "seldom", Resource: "FloatIP", Node: "lb-3", Score: -5},
	}, s.Bans)
	cib, err := c.Query(ctx)
	require.NoError(t, err)
	wanted, err := crm.Edit(cib, []crm.Object{
		&crm.Location{Name: "rather", Resource: "FloatIP", Score: "INFINITY", Node: "lb-1"},
	}, nil)
	require.NoError(t, err)
	p, err := crm.Diff(cib, wanted)
	require.NoError(t, err)
	_, after, err := c.Rehearse(ctx, p)
	require.NoError(t, err)
	lift, err := crm.Edit(after, nil, []string{"never"})
	require.NoError(t, err)
	p, err = crm.Diff(after, lift)
	require.NoError(t, err)
	forecast, _, err := c.Rehearse(ctx, p)
	require.NoError(t, err)
	var said []string
	for _, a := range forecast.Actions {
		said = append(said, a.String())
	}
	require.Equal(t, []string{"move FloatIP from lb-2 to lb-1"}, said)
}
