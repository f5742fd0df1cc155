package variables

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
)

func TestEnvironment(t *testing.T) {
	n := Node{Name: "lb-1", PrivateIP: netip.MustParseAddr("10.0.0.1")}
	env, err := n.Environment(t.Context(), nil, false)
	require.NoError(t, err)
	require.Equal(t, []string{"HAWSER_NODE=lb-1", "HAWSER_SITE=", "HAWSER_PRIVATE_IP=10.0.0.1"}, env)
	mentions := []client.Source{{Text: "bind ${HAWSER_ANCHOR_IP}:80\nbind ${HAWSER_PRIVATE_IP}:80 # ${HAWSER_SITE}\n"}}
	require.Equal(t, []string{"HAWSER_ANCHOR_IP"}, Missing(mentions, env), "a site may be missing")
}

func TestSites(t *testing.T) {
	env := []string{"HAWSER_NODE=lb-1", "HAWSER_SITE=main", "HAWSER_SITES=x"}
	require.Equal(t, "main", SiteIn(env))
	moved := WithSite(env, "reserve")
	require.Equal(t, []string{"HAWSER_NODE=lb-1", "HAWSER_SITES=x", "HAWSER_SITE=reserve"}, moved)
	require.Equal(t, "main", SiteIn(env), "which is as it was")
	require.Empty(t, SiteIn(WithSite(nil, "")))

	line := SiteLine(moved, nil)
	require.Equal(t, "\tsetenv HAWSER_SITE reserve\n", line)
	none := WithSite(env, "")
	require.Empty(t, SiteLine(none, []byte("global\n")))
	gone := SiteLine(none, []byte("global\n"+line))
	require.Equal(t, "\tunsetenv HAWSER_SITE\n", gone)
	require.Equal(t, gone, SiteLine(none, []byte(gone)), "for as long as HAProxy runs")
}
