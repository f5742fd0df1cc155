package crm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// withHistory is a status with what Pacemaker 2.1.5 keeps of two failures on lb-1 and one on lb-2.
func withHistory(t *testing.T) *crm.CIB {
	t.Helper()
	history := func(resource, ops, attributes string) string {
		return `join="member" expected="member">
<transient_attributes id="n"><instance_attributes id="s">` + attributes +
			`</instance_attributes></transient_attributes>
<lrm id="n"><lrm_resources><lrm_resource id="` + resource +
			`" class="ocf" provider="hawser" type="haproxy">` + ops +
			`</lrm_resource></lrm_resources></lrm></node_state>`
	}
	states := strings.Split(string(crmtest.Seed("lb-1", "lb-2")), `join="member" expected="member"/>`)
	require.Len(t, states, 3)
	cib, err := crm.ParseCIB([]byte(states[0] +
		history("haproxy",
			`<lrm_rsc_op id="haproxy_last_0" operation="stop" rc-code="0" interval="0"/>`+
				`<lrm_rsc_op id="haproxy_last_failure_0" operation="start" rc-code="1" interval="0"/>`,
			`<nvpair id="a" name="fail-count-haproxy#start_0" value="INFINITY"/>`+
				`<nvpair id="b" name="last-failure-haproxy#start_0" value="1"/>`+
				`<nvpair id="c" name="hawser-haproxy" value="1/0/0"/>`) +
		states[1] +
		history("FloatIP",
			`<lrm_rsc_op id="FloatIP_last_0" operation="start" rc-code="4" interval="0"/>`,
			`<nvpair id="d" name="fail-count-FloatIP#start_0" value="1"/>`) + states[2]))
	require.NoError(t, err)
	return cib
}

func TestForgiven(t *testing.T) {
	cib := withHistory(t)
	all, n := cib.Forgiven(nil, "")
	require.Equal(t, 5, n)
	require.NotContains(t, string(all.XML()), "fail-count")
	require.NotContains(t, string(all.XML()), "last_failure")
	require.NotContains(t, string(all.XML()), `rc-code="4"`)
	require.Contains(t, string(all.XML()), "haproxy_last_0")
	require.Contains(t, string(all.XML()), "hawser-haproxy")
	require.Contains(t, string(cib.XML()), "fail-count", "what was read stays as it is")

	one, n := cib.Forgiven([]string{"haproxy"}, "")
	require.Equal(t, 3, n)
	require.Contains(t, string(one.XML()), "fail-count-FloatIP")
	_, n = cib.Forgiven([]string{"FloatIP"}, "lb-1")
	require.Zero(t, n)
	_, n = cib.Forgiven(nil, "lb-2")
	require.Equal(t, 2, n)

	// With nothing to forget it is the same.
	again, n := all.Forgiven(nil, "")
	require.Zero(t, n)
	require.Same(t, all, again)
}
