package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestPreferNodes(t *testing.T) {
	l := crm.PreferNodes("VIP-prefers", "VIP", []crm.NodeScore{
		{Nodes: []string{"lb-1", "lb-2"}, Score: "40"},
		{Nodes: []string{"lb-3"}, Score: "20"},
		{Nodes: []string{"lb-1", "lb-2"}, Score: "9000", Attribute: "hawser-haproxy"},
		{Nodes: []string{"lb-3"}, Score: "4000", Attribute: "hawser-haproxy-well-300", Value: "yes"},
	})
	text := "location VIP-prefers VIP \\\n\trule 40: #uname eq lb-1 or #uname eq lb-2 \\\n\trule 20: #uname eq lb-3 \\\n" +
		"\trule 9000: #uname eq lb-1 and defined hawser-haproxy \\\n" +
		"\trule 9000: #uname eq lb-2 and defined hawser-haproxy \\\n" +
		"\trule 4000: #uname eq lb-3 and hawser-haproxy-well-300 eq yes"
	require.Equal(t, text, l.String())
	script, err := crm.ParseShell("f", []byte(text))
	require.NoError(t, err)
	require.Equal(t, text, script.Objects[0].String())
}
