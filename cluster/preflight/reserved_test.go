package preflight

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
)

func TestReserved(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("dop_v1_x\n"), 0o600))
	file, err := config.Parse("f", []byte("haproxy:\nfloating_ips:\n"+
		"  - {name: a, ip: 203.0.113.10, token_file: "+token+"}\n"+
		"  - {name: b, ip: 203.0.113.77, token_file: "+token+"}\n"+
		"  - {name: c, ip: 203.0.113.78, token_file: "+token+"}\n"+
		"  - {name: d, ip: 192.0.2.10, provider: lan}\n"))
	require.NoError(t, err)
	n := Node{
		Live: true, Root: true, HAProxy: func(context.Context, HAProxy) error { return nil },
		Reserved: func(ctx context.Context, a *config.Address) (string, error) {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			switch a.Name {
			case "a":
				return "", nil
			case "b":
				return "203.0.113.77 is no reserved IP", nil
			case "c":
				return "", errors.New("the API says 503")
			}
			t.Errorf("asked about %s", a.Name)
			return "", nil
		},
	}
	_, err = n.Check(t.Context(), file)
	require.EqualError(t, err, "f:4:19: 203.0.113.77 is no reserved IP")

	file.Addresses = append(file.Addresses[:1:1], file.Addresses[2:]...)
	warnings, err := n.Check(t.Context(), file)
	require.NoError(t, err, "what is not known refuses nothing")
	require.Equal(t, []string{"f:5: whether 203.0.113.78 is an address of the token's account was " +
		"not checked: the API says 503"}, warnings)

	n.Held = func(_ context.Context, a *config.Address) (string, error) {
		require.Equal(t, "d", a.Name)
		return "no interface of this node is on a network that holds 192.0.2.10", nil
	}
	warnings, err = n.Check(t.Context(), file)
	require.NoError(t, err, "other nodes may have one")
	require.Contains(t, warnings, "f:6: this node cannot take 192.0.2.10: no interface of this node is "+
		"on a network that holds 192.0.2.10")
	n.Held = func(context.Context, *config.Address) (string, error) { return "", errors.New("no kernel") }
	warnings, err = n.Check(t.Context(), file)
	require.NoError(t, err)
	require.Contains(t, warnings, "f:6: whether a network of this node holds 192.0.2.10 was not "+
		"checked: no kernel")

	n.Live = false
	warnings, err = n.Check(t.Context(), file)
	require.NoError(t, err)
	require.Empty(t, warnings, "the cluster is not this machine's")
}

// TestMainAddress tells an interface's own address from one that was added to it.
func TestMainAddress(t *testing.T) {
	nic := func(addresses ...string) Interface {
		i := Interface{}
		for _, a := range addresses {
			i.Addresses = append(i.Addresses, netip.MustParseAddr(a))
		}
		return i
	}
	for _, test := range []struct {
		nic  Interface
		ip   string
		want bool
	}{
		{nic("192.0.2.1", "192.0.2.10", "2001:db8::1"), "192.0.2.1", true},
		{nic("192.0.2.1", "192.0.2.10", "2001:db8::1"), "192.0.2.10", false},
		{nic("192.0.2.1", "2001:db8::1", "fe80::1"), "2001:db8::1", true},
		{nic("2001:db8::10", "2001:db8::1", "fe80::1"), "2001:db8::10", false},
		{nic("192.0.2.1"), "2001:db8::10", false},
		{nic(), "192.0.2.1", false},
	} {
		require.Equal(t, test.want, test.nic.Main(netip.MustParseAddr(test.ip)), "%+v", test)
	}
}
