package crm_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// What is printed as XML can be loaded into another cluster too: elements that have no id by the schema get none.
func TestWhatIsPrintedAsXMLLoadsElsewhere(t *testing.T) {
	ctx := context.Background()
	cib := with(t, shell(t, `property stonith-enabled=false
primitive p ocf:pacemaker:Dummy
primitive fence stonith:external/ssh params hostlist=lb-1
xml <fencing-topology><fencing-level id="f1" target="lb-1" index="1" devices="fence"/></fencing-topology>
xml <bundle id="b"><docker image="pcmk:http" replicas="3"/><network ip-range-start="10.10.10.123"><port-mapping id="b-port" port="80"/></network><storage><storage-mapping id="b-map" source-dir="/dev/log" target-dir="/dev/log"/></storage></bundle>
xml <alert id="al" path="/usr/bin/alert.sh"><select><select_attributes><attribute id="al-a" name="standby"/></select_attributes><select_nodes/></select><recipient id="al-r" value="a@b.c"/></alert>
xml <acl_role id="mon"><acl_permission id="mon-read" kind="read" xpath="/cib"/></acl_role>
xml <acl_target id="bob"><role id="mon"/></acl_target>
`)...)
	elsewhere, _ := onFile(t, crmtest.Seed("lb-1", "lb-2"))
	empty, err := elsewhere.Query(ctx)
	require.NoError(t, err)
	text := crm.FormatShell(cib.Objects())
	plan, err := crm.Diff(empty, crm.Spec{Objects: shell(t, text)})
	require.NoError(t, err)
	_, err = elsewhere.Check(ctx, plan)
	require.NoError(t, err, "%s", plan.New.XML())
	require.NoError(t, elsewhere.Apply(ctx, plan))
	loaded, err := elsewhere.Query(ctx)
	require.NoError(t, err)
	require.Equal(t, text, crm.FormatShell(loaded.Objects()))
}
