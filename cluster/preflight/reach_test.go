package preflight

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
)

// What plan and apply say of an address at which HAProxy would not listen.
func TestAddressNotServed(t *testing.T) {
	cfg := filepath.Join(t.TempDir(), "haproxy.cfg")
	warnings := func(bind string) []string {
		require.NoError(t, os.WriteFile(cfg, []byte("frontend f\n bind "+bind+"\n"), 0o600))
		file, err := config.Parse("f", []byte("haproxy: {config: "+cfg+"}\nfloating_ips:\n"+
			"  - {name: VIP6, ip: '2001:db8:1::200', provider: lan}\n"))
		require.NoError(t, err)
		n := Node{Live: true, Root: true,
			HAProxy: func(context.Context, HAProxy) error { return nil }}
		all, err := n.Check(t.Context(), file)
		require.NoError(t, err)
		return all
	}
	require.Equal(t, []string{"nobody is served at 2001:db8:1::200 (VIP6): no `bind` of " + cfg +
		" listens there: `bind :80` is IPv4 only; `bind :::80 v4v6` listens at every address"},
		warnings(":80"))
	require.Empty(t, warnings(":::80 v4v6"))
}
