package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// A set-up that was made by hand is taken over, as a plan that changes it; afterwards it is hawser's.
func TestAdopt(t *testing.T) {
	d, c := deployer()
	script, err := crm.ParseShell("t", []byte(`primitive haproxy ocf:hawser:haproxy op monitor interval=7s
clone haproxy-clone haproxy
primitive FloatIP ocf:hawser:floatip params ip=192.0.2.1 provider=lan
primitive other ocf:pacemaker:Dummy
`))
	require.NoError(t, err)
	require.NoError(t, c.Edit(script.Objects...))
	_, err = d.Plan(t.Context(), parse(t, simple), true)
	require.ErrorContains(t, err, "was made by someone else")
	require.ErrorContains(t, err, "`hawser plan --adopt` shows what taking it over changes")
	require.NotContains(t, err.Error(), "delete")

	d.Adopt = true
	p, err := d.Plan(t.Context(), parse(t, simple), true)
	require.NoError(t, err)
	for _, change := range p.Changes.Changes {
		require.NotNil(t, change.New, "nothing is deleted: %+v", change)
	}
	require.NoError(t, d.Apply(t.Context(), p))
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	made := cib.Tagged(contract.TagID)
	for _, id := range []string{"haproxy", "haproxy-clone", "FloatIP"} {
		require.Contains(t, made, id)
	}
	require.NotContains(t, made, "other")

	d.Adopt = false
	p, err = d.Plan(t.Context(), parse(t, simple), true)
	require.NoError(t, err)
	require.True(t, p.Changes.Empty(), "what was adopted is hawser's")
}

// What hawser never makes is not taken over: an address of another agent may be anybody's.
func TestNobodyElsesIsAdopted(t *testing.T) {
	d, c := deployer()
	d.Adopt = true
	require.NoError(t, c.Edit(&crm.Primitive{
		Name: "FloatIP", Class: "ocf", Provider: "heartbeat", Type: "IPaddr2",
		Params: crm.Attrs{{Name: "ip", Value: "192.0.2.1"}},
	}))
	_, err := d.Plan(t.Context(), parse(t, simple), true)
	require.ErrorContains(t, err, "which stops it where it runs")
	require.Zero(t, c.Applied())
}
