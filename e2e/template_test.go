package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab"
)

// TestTemplates has resources that somebody made from templates with crmsh: hawser shows, moves and reloads them, and its doctor looks at them.
func TestTemplates(t *testing.T) {
	c := fresh(t)
	crm := func(args ...string) { c.run(t, "lb-1", append([]string{"crm", "configure"}, args...)...) }
	crm("property", "stonith-enabled=false")
	crm("rsc_template", "balancer", "ocf:hawser:haproxy", "params", "conffile=/etc/haproxy/haproxy.cfg",
		"op", "monitor", "interval=15s", "op", "start", "timeout=30s", "op", "stop", "timeout=30s")
	crm("rsc_template", "address", "ocf:hawser:floatip", "params", "token_file=/etc/hawser/token",
		"op", "start", "timeout=90s", "op", "stop", "timeout=60s")
	crm("primitive", "haproxy", "@balancer")
	crm("clone", "haproxy-clone", "haproxy", "meta", "interleave=true")
	crm("primitive", "FloatIP", "@address", "params", "ip="+floatingIP)
	crm("colocation", "FloatIP-haproxy", "inf:", "FloatIP", "haproxy-clone")
	c.settled(t)
	c.serves(t)

	require.Regexp(t, `FloatIP +`+floatingIP+` +on `+c.holder(t), c.run(t, "lb-1", "hawser", "status"))
	from := c.holder(t)
	c.run(t, "lb-1", "hawser", "move", "--yes", "FloatIP")
	require.NotEqual(t, from, c.holder(t))
	seen, complaint, code := c.reload(t, "lb-1")
	require.Zero(t, code, complaint)
	for _, n := range c.Nodes(lab.Balancer) {
		state, _, _, reason := seen.of(t, n.Name)
		require.Equal(t, "taken", state, reason)
	}

	found, err := c.diagnosed(t)
	require.NoError(t, err)
	var what []string
	for _, f := range found {
		what = append(what, f.What)
	}
	require.Contains(t, what, "FloatIP has no recurring monitor")
	require.NotContains(t, what, "haproxy has no recurring monitor")
}
