package crm_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

// crmsh runs the real crmsh on a CIB in a file. Its complaints about agents that are not installed do not matter.
func crmsh(t *testing.T, path string, args ...string) string {
	t.Helper()
	cmd := exec.Command(needs.Command(t, "crm"), append([]string{"-F", "-n"}, args...)...)
	cmd.Env = append(os.Environ(), "CIB_file="+path, "HOME="+t.TempDir(), "TERM=dumb")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Logf("crm %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// everything is one of each thing that crmsh can say and the package models, and some that it does not.
const everything = `node 1: lb-1 \
	attributes standby=off rack="a b"
node 2: lb-2
node 3: lb-3
primitive p1 ocf:hawser:haproxy \
	params conffile="/etc/haproxy/ha proxy.cfg" extraconf="-d \"x\" it's" \
	op monitor interval=15s timeout=20s \
	op_params OCF_CHECK_LEVEL=10 \
	op monitor interval=20s role=Started on-fail=restart \
	op start interval=0s timeout=60s \
	meta migration-threshold=3 target-role=Started \
	utilization memory=200
primitive p2 IPaddr2 \
	params ip=192.0.2.1 cidr_netmask=24
primitive p3 ocf:pacemaker:Dummy \
	params rule #uname eq lb-1 state="/run/a" \
	params state="/run/b"
primitive p4 systemd:nginx
primitive p5 ocf:pacemaker:Dummy \
	description="a description"
primitive p6 ocf:pacemaker:Dummy
primitive p7 ocf:pacemaker:Stateful
primitive p8 ocf:pacemaker:Dummy
primitive fence stonith:fence_virsh \
	params ip=127.0.0.1
group g1 p2 p4 \
	meta target-role=Started
clone c1 p1 \
	meta interleave=true
clone c2 p7 \
	meta promotable=true
tag t1 p1 c1
colocation col1 inf: p5 c1
colocation col2 -100: p5 p6
colocation col3 inf: p5 c2:Promoted
colocation col4 inf: ( p5 p6 ) g1
colocation col5 inf: p5 p6 p8
colocation col6 inf: p5 p6 node-attribute=rack
location l1 p5 100: lb-1
location l2 p5 \
	rule 100: #uname eq lb-1 and defined rack
location l3 p5 role=Started inf: lb-2
location l4 { p5 p6 } 50: lb-1
location l5 /p.*/ -inf: lb-3
location l6 p6 resource-discovery=never -inf: lb-3
location l7 p6 \
	rule rack eq string:a or not_defined rack
location l8 p6 \
	rule -inf: date gt 2030-01-01 and date spec hours=9-16 weekdays=1-5
order o1 Mandatory: c1 p5
order o2 Optional: p5:start p6:start symmetrical=false
order o3 Serialize: p5 p6 p8
order o4 Mandatory: ( p5 p6 ) p8
order o5 p5 c2:promote
property stonith-enabled=false cluster-recheck-interval=5min
property other: \
	site=a
rsc_defaults resource-stickiness=100
op_defaults timeout=60s
`

func TestCrmshReadsWhatWePrintAndWeReadWhatItPrints(t *testing.T) {
	ctx := context.Background()
	tools, path := onFile(t, crmtest.Seed("lb-1", "lb-2", "lb-3"))

	// what crmsh loads and shows reads back unchanged
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte(everything), 0o600))
	crmsh(t, path, "configure", "load", "update", script)
	cib, err := tools.Query(ctx)
	require.NoError(t, err)
	_, made := cib.Object("o5")
	require.True(t, made, "crmsh did not load the script:\n%s", cib.XML())
	shown := crmsh(t, path, "configure", "show")
	read, err := crm.ParseShell("shown", []byte(shown))
	require.NoError(t, err, shown)
	spec, err := crm.Edit(cib, read.Objects, read.Delete)
	require.NoError(t, err)
	plan, err := crm.Diff(cib, spec)
	require.NoError(t, err)
	for _, c := range plan.Changes {
		t.Errorf("%s %s changes: %+v", c.Object().Keyword(), c.Object().ID(), c.Fields())
	}
	require.Len(t, read.Objects, len(cib.Objects()), shown)

	if testing.Verbose() {
		t.Log(shown, "\n-----\n", crm.FormatShell(cib.Objects()))
	}
	// what we print is loaded by crmsh into an empty configuration, and means the same
	ours := crm.FormatShell(cib.Objects())
	tools2, path2 := onFile(t, crmtest.Seed("lb-1", "lb-2", "lb-3"))
	require.NoError(t, os.WriteFile(script, []byte(ours), 0o600))
	crmsh(t, path2, "configure", "load", "update", script)
	cib2, err := tools2.Query(ctx)
	require.NoError(t, err)
	require.Equal(t, ours, crm.FormatShell(cib2.Objects()))
}

// odd is a configuration with what crmsh prints as XML, and with what the package does not model but crmsh has statements for.
const odd = `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options"><nvpair name="stonith-enabled" value="false" id="cib-bootstrap-options-stonith-enabled"/></cluster_property_set>
      <cluster_property_set id="ruled" score="3"><rule id="rr" score="INFINITY"><expression id="rre" attribute="a" operation="defined"/></rule><nvpair name="a" value="b" id="ruled-a"/></cluster_property_set>
    </crm_config>
    <nodes><node id="1" uname="lb-1"/><node id="2" uname="lb-2"/></nodes>
    <resources>
      <template id="tpl" class="ocf" provider="pacemaker" type="Dummy"><operations><op id="tpl-monitor-9s" name="monitor" interval="9s"/></operations></template>
      <primitive id="fromtpl" template="tpl"/>
      <primitive id="d" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="d-ia"><nvpair id="shared" name="state" value="/x"/></instance_attributes></primitive>
      <primitive id="e" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id-ref="d-ia"/></primitive>
      <primitive id="f" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="f-ia"><nvpair id-ref="shared"/></instance_attributes></primitive>
    </resources>
    <constraints>
      <rsc_ticket id="ti" rsc="d" ticket="T" loss-policy="stop"/>
      <rsc_colocation id="inf" rsc="d" with-rsc="e" score="INFINITY" influence="false"/>
      <rsc_order id="ro" first="d" then="e" require-all="false" kind="Mandatory"/>
      <rsc_order id="ro2" score="INFINITY" first="d" then="f"/>
      <rsc_location id="nested" rsc="d"><rule id="n1" score="5" boolean-op="or"><rule id="n2" boolean-op="and"><expression id="n3" attribute="a" operation="defined"/></rule><expression id="n4" attribute="b" operation="defined"/></rule></rsc_location>
      <rsc_location id="typed" rsc="d"><rule id="t1" score-attribute="rack"><expression id="t3" attribute="a" operation="lt" type="number" value="3" value-source="param"/><date_expression id="de" operation="in_range" start="2030-01-01"><duration id="du" hours="3"/></date_expression></rule></rsc_location>
    </constraints>
    <alerts><alert id="al" path="/bin/true"><recipient id="al-r" value="x"/></alert></alerts>
    <rsc_defaults><meta_attributes id="rd"><rule id="rdr" score="INFINITY"><date_expression id="rde" operation="gt" start="2030-01-01"/></rule><nvpair id="rdn" name="resource-stickiness" value="3"/></meta_attributes></rsc_defaults>
  </configuration>
  <status/>
</cib>`

func TestWhatCrmshPrintsAsXMLIsKept(t *testing.T) {
	tools, path := onFile(t, []byte(odd))
	cib, err := tools.Query(context.Background())
	require.NoError(t, err)
	for who, shown := range map[string]string{"crmsh": crmsh(t, path, "configure", "show"), "we": crm.FormatShell(cib.Objects())} {
		require.Contains(t, shown, "xml <")
		read, err := crm.ParseShell(who, []byte(shown))
		require.NoError(t, err, shown)
		spec, err := crm.Edit(cib, read.Objects, nil)
		require.NoError(t, err)
		plan, err := crm.Diff(cib, spec)
		require.NoError(t, err)
		for _, c := range plan.Changes {
			t.Errorf("printed by %s, %s %s changes: %+v", who, c.Object().Keyword(), c.Object().ID(), c.Fields())
		}
		require.Len(t, read.Objects, len(cib.Objects()), shown)
	}

	// crmsh loads what we print, except that neither its own output nor ours says which ids others refer to
	ours := strings.NewReplacer(" \\\n\tparams $id-ref=d-ia", "", " \\\n\tparams @shared", "").Replace(crm.FormatShell(cib.Objects()))
	tools2, path2 := onFile(t, crmtest.Seed("lb-1", "lb-2"))
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte(ours), 0o600))
	crmsh(t, path2, "configure", "load", "update", script)
	loaded, err := tools2.Query(context.Background())
	require.NoError(t, err)
	_, ok := loaded.Object("ti")
	require.True(t, ok, "crmsh loads nothing of\n%s", ours)
}
