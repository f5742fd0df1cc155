package preflight

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/param"
)

// A configuration is checked as this node would run it: with its name, and with its site, also where a
// HAProxy runs that was started with another one.
func TestCheckInThisNodesSite(t *testing.T) {
	needs.Command(t, "haproxy")
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(file, []byte(`.if !streq("$HAWSER_SITE",main)
.alert "not in main but in ($HAWSER_SITE), $HAWSER_NODE"
.endif
global
`), 0o600))
	text := "main=lb-1 reserve=lb-2"
	sites, err := param.ParseSites(text)
	require.NoError(t, err)
	fromFile := func(node string) error {
		return CheckHAProxy(t.Context(), FromFile(&config.HAProxy{Config: file, Sites: text}, node))
	}
	fromCluster := func(node string, env ...string) error {
		return CheckHAProxy(t.Context(), FromCluster(inventory.HAProxy{Config: file, Sites: sites}, env, node))
	}
	require.NoError(t, fromFile("lb-1"))
	require.ErrorContains(t, fromFile("lb-2"), "in (reserve), lb-2")
	require.ErrorContains(t, fromFile(""), "in (), localhost")
	require.NoError(t, fromCluster("lb-1"))
	require.NoError(t, fromCluster("lb-1", "HAWSER_NODE=lb-1", "HAWSER_SITE=reserve"))
	require.NoError(t, fromCluster("lb-1", "HAWSER_NODE=lb-1"), "started by an earlier version")
	require.ErrorContains(t, fromCluster("lb-3", "HAWSER_NODE=lb-3", "HAWSER_SITE=main"), "in (), lb-3")
}
