package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// far has a remote node, and the resource of the same id that connects it.
const far = `node 1: lb-1
node far-1:remote attributes zone=b
primitive far-1 ocf:pacemaker:remote params server=192.0.2.9`

// A name is one node's, whatever its case: a second entry is a machine that is never seen, and the
// one that has the name is fenced for it.
func TestANameIsOneNodes(t *testing.T) {
	cib := with(t, shell(t, "node 1: lb-1\nnode 2: lb-2")...)
	for _, text := range []string{"node lb-1: lb-1", "node 7: LB-1", "node 1: lb-2"} {
		_, err := load(cib, text)
		require.ErrorContains(t, err, "there would be two nodes of this name", text)
	}
	plan, err := load(cib, "node LB-1 attributes standby=on")
	require.NoError(t, err)
	require.Equal(t, "node 1: lb-1 \\\n\tattributes standby=on", plan.Changes[0].New.String())
	plan, err = load(plan.New, "node lb-1")
	require.NoError(t, err)
	require.True(t, plan.Empty(), "it says nothing about the node")
	plan, err = load(cib, "node 1: lb-one")
	require.NoError(t, err)
	require.Equal(t, "node 1: lb-one", plan.Changes[0].New.String())
	plan, err = load(cib, "node lb-9")
	require.NoError(t, err)
	require.Equal(t, "node lb-9", plan.Changes[0].New.String())
}

// A configuration that has a name twice can still be changed, and be made right.
func TestTwoNodesOfOneNameThatAreThere(t *testing.T) {
	cib, err := crm.ParseCIB([]byte(`<cib><configuration><nodes><node id="1" uname="lb-1"/>` +
		`<node id="lb-1" uname="lb-1"/></nodes></configuration></cib>`))
	require.NoError(t, err)
	_, err = load(cib, "property stonith-enabled=false")
	require.NoError(t, err)
	plan, err := load(cib, "delete lb-1")
	require.NoError(t, err)
	require.Equal(t, []string{"lb-1"}, plan.New.Nodes())
	o, ok := plan.New.Object("1")
	require.True(t, ok)
	require.Equal(t, "node 1: lb-1", o.String())
}

func TestANodeAndAResourceShareAnID(t *testing.T) {
	cib := with(t, shell(t, far)...)
	plan, err := load(cib, crm.FormatShell(cib.Objects()))
	require.NoError(t, err)
	require.True(t, plan.Empty())
	o, _ := cib.Object("far-1")
	require.IsType(t, &crm.Primitive{}, o)

	plan, err = load(cib, "delete far-1")
	require.NoError(t, err)
	require.Equal(t, "node 1: lb-1\nnode 2: lb-2\nnode far-1:remote \\\n\tattributes zone=b\n",
		crm.FormatShell(plan.New.Objects()))
	plan, err = load(plan.New, "delete far-1")
	require.NoError(t, err)
	require.Equal(t, "node 1: lb-1\nnode 2: lb-2\n", crm.FormatShell(plan.New.Objects()))

	// what a tag names is the resource
	tagged := with(t, shell(t, far+"\ntag made far-1")...)
	gone, err := crm.Diff(tagged, crm.Spec{Tag: "made"})
	require.NoError(t, err)
	require.Equal(t, "node 1: lb-1\nnode 2: lb-2\nnode far-1:remote \\\n\tattributes zone=b\n",
		crm.FormatShell(gone.New.Objects()))
}

func TestMerged(t *testing.T) {
	cib := with(t, shell(t, "node 1: lb-1 description=x attributes rack=a standby=on utilization cpu=2")...)
	node := shell(t, "node lb-1 attributes standby=off zone=b")[0].(*crm.Node)
	require.Equal(t, "node 1: lb-1 \\\n\tdescription=x \\\n\tattributes rack=a standby=off zone=b \\\n\tutilization cpu=2",
		func() string {
			spec, err := crm.Edit(cib, []crm.Object{cib.Merged(node)}, nil)
			require.NoError(t, err)
			plan, err := crm.Diff(cib, spec)
			require.NoError(t, err)
			return plan.Changes[0].New.String()
		}())
	other := shell(t, "node lb-9")[0].(*crm.Node)
	require.Same(t, other, cib.Merged(other))
}
