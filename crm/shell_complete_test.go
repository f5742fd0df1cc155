package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// A definition in crmsh's language is complete, as it is for crmsh: what it does not say is gone. A program's object says nothing of what
// it cannot say, and leaves that alone.
func TestALoadedDefinitionReplacesRulesToo(t *testing.T) {
	before := shell(t, `primitive p ocf:pacemaker:Dummy params rule #uname eq lb-1 state="/run/a" params state="/run/b" op monitor interval=10s op_params rule #uname eq lb-1 x=1 op_params x=2 meta rule #uname eq lb-2 resource-stickiness=5
location l p rule 5: #uname eq lb-1`)
	cib := with(t, before...)
	set := func(objects ...crm.Object) crm.Plan {
		t.Helper()
		spec, err := crm.Edit(cib, objects, nil)
		require.NoError(t, err)
		plan, err := crm.Diff(cib, spec)
		require.NoError(t, err)
		return plan
	}
	require.True(t, set(before...).Empty())
	without := shell(t, `primitive p ocf:pacemaker:Dummy params state="/run/b" op monitor interval=10s op_params x=2
location l p 5: lb-1`)
	plan := set(without...)
	require.Len(t, plan.Changes, 2)
	text := crm.FormatShell(plan.New.Objects())
	require.NotContains(t, text, "rule")
	require.Contains(t, text, "params state=\"/run/b\"")
	// one of several
	plan = set(shell(t, `primitive p ocf:pacemaker:Dummy params rule #uname eq lb-1 state="/run/a" params state="/run/b" op monitor interval=10s op_params x=2`)...)
	text = crm.FormatShell(plan.New.Objects())
	require.Contains(t, text, `params rule #uname eq lb-1 state="/run/a"`)
	require.NotContains(t, text, "op_params rule")
	require.NotContains(t, text, "meta")

	plan = set(&crm.Primitive{Name: "p", Class: "ocf", Provider: "pacemaker", Type: "Dummy", Params: crm.Attrs{{Name: "state", Value: "/run/c"}},
		Ops: []crm.Op{{Name: "monitor", Interval: "10s", Params: crm.Attrs{{Name: "x", Value: "2"}}}}})
	require.Len(t, plan.Changes, 1)
	text = crm.FormatShell(plan.New.Objects())
	require.Contains(t, text, `params rule #uname eq lb-1 state="/run/a"`)
	require.Contains(t, text, `op_params rule #uname eq lb-1 x=1`)
	require.Contains(t, text, `params state="/run/c"`)
	require.Contains(t, text, "meta rule")
}
