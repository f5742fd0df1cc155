package effect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/effect"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// now is a cluster of three nodes with HAProxy on all, and FloatIP on lb-1.
func now(t *testing.T, more ...crm.Object) crm.Snapshot {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2", "lb-3")
	require.NoError(t, c.Edit(append(crmtest.Tutorial(), more...)...))
	s, err := crm.Read(t.Context(), c)
	require.NoError(t, err)
	return s
}

func TestOf(t *testing.T) {
	web := &crm.Primitive{Name: "web", Class: "ocf", Provider: "pacemaker", Type: "Dummy"}
	for _, tc := range []struct {
		name     string
		actions  []crm.Action
		headline string
		lines    []string
	}{
		{
			"nothing", nil, "",
			[]string{"FloatIP (203.0.113.10) stays on lb-1", "haproxy keeps running on lb-1, lb-2, lb-3"},
		},
		{
			"a node is emptied", []crm.Action{
				{Task: "move", Resource: "FloatIP", From: "lb-1", Node: "lb-2"},
				{Task: "stop", Resource: "haproxy:0", Node: "lb-1", Reason: "node availability"},
				{Task: "move", Resource: "web", From: "lb-1", Node: "lb-3"},
			}, "",
			[]string{"FloatIP (203.0.113.10) moves from lb-1 to lb-2",
				"haproxy stops on lb-1, keeps running on lb-2, lb-3", "move web from lb-1 to lb-3"},
		},
		{
			"nobody is left", []crm.Action{{Task: "stop", Resource: "FloatIP", Node: "lb-1", Reason: "node availability"}},
			"NOBODY WILL SERVE FloatIP (203.0.113.10) any more.",
			[]string{"FloatIP (203.0.113.10) stops on lb-1, and no node takes it: node availability",
				"haproxy keeps running on lb-1, lb-2, lb-3"},
		},
		{
			"an address without HAProxy", []crm.Action{{Task: "stop", Resource: "haproxy:0", Node: "lb-1"}},
			"NOBODY WILL SERVE FloatIP (203.0.113.10) any more.",
			[]string{"FloatIP (203.0.113.10) stays on lb-1, where HAProxy will not be running",
				"haproxy stops on lb-1, keeps running on lb-2, lb-3"},
		},
		{
			"what is blocked does not happen", []crm.Action{{Task: "stop", Resource: "FloatIP", Node: "lb-1", Blocked: true}}, "",
			[]string{"FloatIP (203.0.113.10) stays on lb-1", "haproxy keeps running on lb-1, lb-2, lb-3"},
		},
		{
			"an address is released", []crm.Action{{Task: "restart", Resource: "FloatIP", Node: "lb-1", Reason: "resource definition change"}},
			"THIS INTERRUPTS SERVICE: FloatIP (203.0.113.10) cannot be reached while it is released and taken again.",
			[]string{"FloatIP (203.0.113.10) is released on lb-1 and taken again there: resource definition change",
				"haproxy keeps running on lb-1, lb-2, lb-3"},
		},
		{
			"HAProxy restarts everywhere", []crm.Action{
				{Task: "restart", Resource: "haproxy:0", Node: "lb-1"}, {Task: "restart", Resource: "haproxy:1", Node: "lb-2"},
				{Task: "restart", Resource: "haproxy:2", Node: "lb-3"},
			},
			"THIS INTERRUPTS SERVICE: haproxy restarts on lb-1, lb-2, lb-3 at the same time, and open connections are cut.",
			[]string{"FloatIP (203.0.113.10) stays on lb-1", "haproxy restarts on lb-1, lb-2, lb-3"},
		},
		{
			"HAProxy restarts somewhere", []crm.Action{
				{Task: "stop", Resource: "haproxy:1", Node: "lb-2"}, {Task: "start", Resource: "haproxy:1", Node: "lb-2"},
				{Task: "reload", Resource: "haproxy:2", Node: "lb-3"},
			}, "",
			[]string{"FloatIP (203.0.113.10) stays on lb-1", "haproxy restarts on lb-2, reloads on lb-3, keeps running on lb-1"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := now(t, web)
			e := effect.Of(s, s.CIB, crm.Forecast{Actions: tc.actions})
			require.Equal(t, tc.headline, e.Headline())
			require.Equal(t, tc.lines, e.Lines())
		})
	}
}

// What was not there before is no loss, and what comes with the change counts.
func TestOfWhatIsNew(t *testing.T) {
	c := crmtest.New("lb-1", "lb-2")
	before, err := crm.Read(t.Context(), c)
	require.NoError(t, err)
	p, err := crm.Diff(before.CIB, crm.Spec{Objects: crmtest.Tutorial()})
	require.NoError(t, err)
	forecast, err := c.Check(t.Context(), p)
	require.NoError(t, err)
	e := effect.Of(before, p.New, forecast)
	require.Equal(t, []string{"FloatIP (203.0.113.10) starts on lb-1", "haproxy starts on lb-1, lb-2"}, e.Lines())
	require.Empty(t, e.Headline())

	// An address that is down already cannot be lost.
	e = effect.Of(before, p.New, crm.Forecast{})
	require.Equal(t, []string{"FloatIP (203.0.113.10) is not running on any node, and stays so"}, e.Lines())
	require.Empty(t, e.Unserved())
}

// Addresses of other agents are addresses, and one that is cloned has no single place.
func TestOfOtherAddresses(t *testing.T) {
	s := now(t,
		&crm.Primitive{Name: "vip6", Class: "ocf", Provider: "heartbeat", Type: "IPv6addr", Params: crm.Attrs{{Name: "ipv6addr", Value: "2001:db8::1/64"}}},
		&crm.Primitive{Name: "shared", Class: "ocf", Provider: "heartbeat", Type: "IPaddr2", Params: crm.Attrs{{Name: "ip", Value: "192.0.2.9"}}},
		&crm.Clone{Name: "shared-clone", Resource: "shared"})
	e := effect.Of(s, s.CIB, crm.Forecast{})
	require.Equal(t, []string{"FloatIP (203.0.113.10) stays on lb-1", "vip6 (2001:db8::1) stays on lb-1",
		"haproxy keeps running on lb-1, lb-2, lb-3"}, e.Lines())
}
