package deploy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// What visitors will notice is said of HAProxy and of addresses, once for all nodes.
func TestInterruptions(t *testing.T) {
	d, _, _ := deployed(t)
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	ip := "192.0.2.7"
	for _, p := range r.Changes.Base.Objects() {
		if p, ok := p.(*crm.Primitive); ok && p.Name == "FloatIP" {
			ip, _ = p.Params.Get("ip")
		}
	}
	on := func(task, resource string, nodes ...string) (all []crm.Action) {
		for _, n := range nodes {
			all = append(all, crm.Action{Task: task, Resource: resource, Node: n})
		}
		return all
	}
	says := func(actions ...crm.Action) []string {
		return Interruptions(r.Changes, crm.Forecast{Actions: actions})
	}
	require.Empty(t, says(on("start", "haproxy:0", "lb-1")...))
	require.Empty(t, says(on("reload", "haproxy:0", "lb-1")...))
	require.Empty(t, says(on("restart", "unknown", "lb-1")...))
	require.Empty(t, says(crm.Action{Task: "restart", Resource: "haproxy:0", Node: "lb-1", Blocked: true}))
	require.Equal(t, []string{"HAProxy (haproxy) restarts on lb-1, lb-2, at the same time: open " +
		"connections are cut"}, says(on("restart", "haproxy:0", "lb-1", "lb-2")...))
	require.Equal(t, []string{"HAProxy (haproxy) restarts on lb-1: open connections are cut"},
		says(on("restart", "haproxy:0", "lb-1")...))
	require.Equal(t, []string{
		"HAProxy (haproxy) stops on lb-1: nobody is served there",
		"FloatIP (" + ip + ") stops on lb-1: nobody reaches it after that",
	}, says(append(on("stop", "haproxy:0", "lb-1"), on("stop", "FloatIP", "lb-1")...)...))
	require.Equal(t, []string{"HAProxy (haproxy) restarts on lb-1: open connections are cut"},
		says(append(on("stop", "haproxy:0", "lb-1"), on("start", "haproxy:1", "lb-1")...)...), "another agent's")
	require.Equal(t, []string{"FloatIP (" + ip + ") moves from lb-1 to lb-2: its open connections are cut"},
		says(crm.Action{Task: "move", Resource: "FloatIP", Node: "lb-2", From: "lb-1"}))
	require.Equal(t, []string{"FloatIP (" + ip + ") restarts on lb-1: nobody reaches it meanwhile"},
		says(on("restart", "FloatIP", "lb-1")...))
}

// A plan that changes what runs is simulated although nobody asked for a forecast.
func TestForecastOfWhatMayInterrupt(t *testing.T) {
	d, _, _ := deployed(t)
	file := parse(t, simple)
	for i := range file.Addresses {
		file.Addresses[i].Monitor = "31s"
	}
	p, err := d.Plan(context.Background(), file, false)
	require.NoError(t, err)
	require.False(t, p.Changes.Empty())
	require.True(t, p.Forecasted)
}
