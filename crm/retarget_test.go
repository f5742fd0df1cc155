package crm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestRetarget(t *testing.T) {
	given := shell(t, `
primitive haproxy ocf:hawser:haproxy
colocation with inf: FloatIP haproxy
colocation in-a-set inf: [ FloatIP haproxy ]
colocation others inf: FloatIP web
order before Mandatory: haproxy FloatIP
location prefers haproxy 100: lb-1`)
	before := shell(t, texts(given))
	got := crm.Retarget(given, "haproxy", "haproxy-clone")
	require.Equal(t, texts(shell(t, `
colocation with inf: FloatIP haproxy-clone
colocation in-a-set inf: [ FloatIP haproxy-clone ]
order before Mandatory: haproxy-clone FloatIP
location prefers haproxy-clone 100: lb-1`)), texts(got))
	require.Equal(t, texts(before), texts(given), "what was given stays")
	require.Empty(t, crm.Retarget(given, "FloatIP-2", "haproxy"))
}

func texts(objects []crm.Object) string {
	var text string
	for _, o := range objects {
		text += o.String() + "\n"
	}
	return text
}
