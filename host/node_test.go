package host

import (
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab/cloud"
	"github.com/stretchr/testify/require"
)

// What the API, asked without changing anything, says about a token.
func TestRightsOfAToken(t *testing.T) {
	needs.Root(t)
	const secret = "dop_v1_0123456789abcdef"
	ip := netip.MustParseAddr("203.0.113.10")
	for name, test := range map[string]struct {
		scopes []string
		ip     netip.Addr
		fault  *cloud.Fault
		right  node.Right
		says   string
	}{
		"everything": {scopes: []string{cloud.AllScopes}, right: node.Granted},
		"what is needed": {
			scopes: []string{cloud.ScopeIPRead, cloud.ScopeIPUpdate, cloud.ScopeDropletRead},
			right:  node.Granted,
		},
		// cannot be told from the one before
		"reading only": {
			scopes: []string{cloud.ScopeIPRead, cloud.ScopeDropletRead}, right: node.Granted,
		},
		"no address": {
			scopes: []string{cloud.ScopeIPUpdate, cloud.ScopeDropletRead}, right: node.Refused,
			says: "the token lacks a right",
		},
		"no droplets": {
			scopes: []string{cloud.ScopeIPRead, cloud.ScopeIPUpdate}, right: node.Refused,
			says: "give the token the scope droplet:read",
		},
		"revoked": {right: node.Refused, says: "the token is refused"},
		"of another team": {
			scopes: []string{cloud.AllScopes}, ip: netip.MustParseAddr("203.0.113.99"),
			right: node.Refused, says: "no such reserved address",
		},
		"nobody knows": {
			scopes: []string{cloud.AllScopes}, fault: &cloud.Fault{Kind: cloud.Status, Status: 503},
			right: node.NotKnown, says: "503",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := map[string][]string{"another": {cloud.AllScopes}}
			if test.scopes != nil {
				tokens[secret] = test.scopes
			}
			c := cloud.New(cloud.Options{Tokens: tokens, PerMinute: -1})
			c.AddDroplet(cloud.Droplet{ID: 1})
			c.AddReservedIP(cloud.ReservedIP{IP: ip})
			api, metadata := httptest.NewServer(c.API()), httptest.NewServer(c.Metadata(1))
			t.Cleanup(api.Close)
			t.Cleanup(metadata.Close)
			if test.fault != nil {
				c.SetFault(*test.fault)
			}
			file := filepath.Join(t.TempDir(), "token")
			require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
			if !test.ip.IsValid() {
				test.ip = ip
			}
			right, err := rights(t.Context(), inventory.Address{
				IP: test.ip.String(), TokenFile: file, APIURL: api.URL, MetadataURL: metadata.URL,
			})
			require.Equal(t, test.right, right, "%v", err)
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
				require.NotContains(t, err.Error(), secret)
			}
			require.Zero(t, c.Holder(ip), "nothing was assigned")

			// The same for a token that is in the configuration, or that cibsecret keeps.
			for _, a := range []inventory.Address{{Token: secret}, {SecretFile: file}} {
				a.IP, a.APIURL, a.MetadataURL = test.ip.String(), api.URL, metadata.URL
				right, err := rights(t.Context(), a)
				require.Equal(t, test.right, right, "%v", err)
			}
			_, err = rights(t.Context(), inventory.Address{
				IP: test.ip.String(), SecretFile: file + ".none", APIURL: api.URL,
				MetadataURL: metadata.URL,
			})
			require.ErrorContains(t, err, "the token that cibsecret keeps")
		})
	}
}

// TestHeld asks this machine about an address on a LAN.
func TestHeld(t *testing.T) {
	wrong, err := held(t.Context(), &config.Address{IP: netip.MustParseAddr("192.0.2.77"), NIC: "no-such"})
	require.NoError(t, err)
	require.Contains(t, wrong, "this node has no interface no-such (it has ")
	wrong, err = held(t.Context(), &config.Address{IP: netip.MustParseAddr("192.0.2.77"), NIC: "lo",
		Netmask: 32})
	require.NoError(t, err)
	require.Empty(t, wrong)
}
