package crm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCutStatus(t *testing.T) {
	const configuration = `<configuration a="</status> > <status>"><!-- <status> --><primitive id='>'/><status/><x><![CDATA[<status>]]></x></configuration>`
	for name, status := range map[string]string{
		"full":             `<status><node_state id="1" uname="<>"><!-- </status> --><status><lrm/></status></node_state></status>`,
		"empty":            "<status/>",
		"with attributes":  "<status\n a='/'></status >",
		"a comment inside": "<status><!-- <cib> --></status>",
	} {
		t.Run(name, func(t *testing.T) {
			text := "<?xml version='1.0'?>\n<!-- <cib> --><cib epoch=\"1\">" + configuration + status + "</cib>\n"
			rest, cut := cutStatus([]byte(text))
			require.Equal(t, status, string(cut))
			require.Equal(t, strings.Replace(text, status+"</cib>", "</cib>", 1), string(rest))
			require.Contains(t, string(withStatus(rest, cut)), status)
		})
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"no status":           "<cib><configuration/></cib>",
		"status elsewhere":    "<cib><configuration><status/></configuration></cib>",
		"another root":        "<crm><status/></crm>",
		"after the end":       "<cib/><cib><status/></cib>",
		"a name that differs": "<cib><statuses/></cib>",
		"broken off":          "<cib><status><node_state id='1",
		"never closed":        "<cib><status><node_state>",
		"a comment to no end": "<cib><!-- <status/></cib>",
		"a DOCTYPE":           "<!DOCTYPE cib [<!ENTITY a '<'>]><cib><status/></cib>",
		"no tag":              "<cib>< status/></cib>",
	} {
		t.Run(name, func(t *testing.T) {
			rest, cut := cutStatus([]byte(text))
			require.Nil(t, cut)
			require.Equal(t, text, string(rest))
		})
	}
}
