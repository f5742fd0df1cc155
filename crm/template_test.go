package crm

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

const madeFromTemplate = `<cib validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration><crm_config>
<cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="lb-1"/><node id="2" uname="lb-2"/></nodes><resources>
<template id="t" class="ocf" provider="pacemaker" type="Dummy"><instance_attributes id="ti"><nvpair id="ti1" name="state" value="/run/t"/><nvpair id="ti2" name="fake" value="t"/></instance_attributes>
<meta_attributes id="tm"><nvpair id="tm1" name="resource-stickiness" value="7"/></meta_attributes>
<operations><op id="t1" name="monitor" interval="20s"/><op id="t2" name="monitor" interval="30s" role="Stopped"/><op id="t3" name="monitor" interval="40s" role="Started"/><op id="t4" name="start" interval="0s" timeout="99s"/></operations></template>
<primitive id="p" template="t"><instance_attributes id="pi"><nvpair id="pi1" name="fake" value="p"/></instance_attributes><operations><op id="p1" name="monitor" interval="10s"/></operations></primitive>
</resources><constraints/></configuration><status>
<node_state id="1" uname="lb-1" in_ccm="true" crmd="online" join="member" expected="member"/><node_state id="2" uname="lb-2" in_ccm="true" crmd="online" join="member" expected="member"/>
</status></cib>`

func TestEffective(t *testing.T) {
	cib, err := ParseCIB([]byte(madeFromTemplate))
	require.NoError(t, err)
	_, ok := cib.Primitive("t")
	require.False(t, ok)
	p, ok := cib.Primitive("p")
	require.True(t, ok)
	require.Equal(t, "ocf:pacemaker:Dummy", p.Agent())
	require.Equal(t, Attrs{{"fake", "p"}, {"state", "/run/t"}}, p.Params)
	require.Equal(t, Attrs{{"resource-stickiness", "7"}}, p.Meta)
	var ops []string
	for _, op := range p.Ops {
		ops = append(ops, op.Name+"="+op.Interval)
	}
	require.Equal(t, []string{"monitor=10s", "monitor=30s", "start=0s"}, ops)

	written, _ := cib.Object("p")
	require.Equal(t, "@t", written.(*Primitive).Agent(), "what is written stays as it is")
}

// TestEffectiveIsWhatPacemakerDoes has its scheduler say which monitors it would run.
func TestEffectiveIsWhatPacemakerDoes(t *testing.T) {
	simulate := needs.Command(t, "crm_simulate")
	file := filepath.Join(t.TempDir(), "cib.xml")
	require.NoError(t, os.WriteFile(file, []byte(madeFromTemplate), 0o600))
	out, err := exec.CommandContext(t.Context(), simulate, "--simulate", "--xml-file", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`p +monitor=(\d+) on`).FindAllStringSubmatch(string(out), -1) {
		seen[m[1]] = true
	}
	require.Equal(t, map[string]bool{"10000": true, "30000": true}, seen, "%s", out)
}
