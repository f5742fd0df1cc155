package crm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestComplaintsOfPacemaker3 reads what crm_verify 3.0.0 (Debian 13) prints, which names neither
// function nor line.
func TestComplaintsOfPacemaker3(t *testing.T) {
	const xml = `<cib>
<constraints>
<rsc_ticket id="ticket" rsc="d" ticket="T" loss-policy="shrug"/>
<rsc_location id="l" rsc="nope" score="3" node="x"/>
</constraints>
</cib>`
	require.Equal(t, []complaint{
		{text: `rsc_ticket ticket: loss-policy="shrug" is not accepted here`},
		{text: `rsc_location l: rsc names "nope", which does not exist`},
	}, complaints("Invalid attribute loss-policy for element rsc_ticket\n\n"+
		"Element constraints has extra content: rsc_ticket\n\n"+
		"IDREF attribute rsc references an unknown ID \"nope\"\n\n"+
		"error: CIB did not pass schema validation\n"+
		"Configuration invalid (with errors)\n", []byte(xml)))
	fencing := output{code: exitConfig, stderr: []byte(
		"error: Resource start-up disabled since no STONITH resources have been defined\n" +
			"error: Either configure some or disable STONITH with the stonith-enabled option\n" +
			"error: CIB did not pass schema validation\n" +
			"Configuration invalid (with errors)\n")}
	require.Equal(t, []complaint{
		{text: "Resource start-up disabled since no STONITH resources have been defined"},
		{text: "Either configure some or disable STONITH with the stonith-enabled option"},
	}, complaints(string(fencing.stderr), nil))
	require.False(t, onlyWarnings(fencing))
	require.True(t, onlyWarnings(output{stderr: []byte("Configuration invalid (with warnings)\n")}))
	require.Equal(t, []complaint{{text: "a thing is deprecated", warning: true}},
		complaints("warning: a thing is deprecated\nConfiguration invalid (with warnings)\n", nil))
	// Two could be meant: none is named.
	require.Equal(t, []complaint{{text: "a: x is not accepted here"}}, complaints(
		"Invalid attribute x for element a\nConfiguration invalid (with errors)\n",
		[]byte("<a id=\"1\" x=\"\"/>\n<a id=\"2\" x=\"\"/>\n")))
}
