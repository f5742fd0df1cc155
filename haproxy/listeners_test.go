package haproxy

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
`

func TestListeners(t *testing.T) {
	if !littleEndian {
		t.Fatal("this test's table was taken from a little endian machine")
	}
	listeners, err := parseListeners(tcpTable)
	require.NoError(t, err)
	require.Equal(t, []Listener{{netip.MustParseAddrPort("127.0.0.1:8080"), 4711}}, listeners)
	addr, err := parseKernelAddr("B80D0120000000000000000001000000:0050")
	require.NoError(t, err)
	require.Equal(t, "[2001:db8::1]:80", addr.String())
	for _, wrong := range []string{"", "0100007F", "0100007:0050", "0100007F:1FFFF", "01:0050"} {
		_, err := parseKernelAddr(wrong)
		require.Error(t, err, wrong)
	}
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"10.0.0.1:80", "10.0.0.1:80", true},
		{"10.0.0.1:80", "10.0.0.2:80", false},
		{"10.0.0.1:80", "10.0.0.1:81", false},
		{"0.0.0.0:80", "10.0.0.2:80", true},
		{"[::]:80", "[::1]:80", true},
		{"[::]:80", "10.0.0.2:80", false},
	} {
		a, b := netip.MustParseAddrPort(c.a), netip.MustParseAddrPort(c.b)
		require.Equal(t, c.want, Overlap(a, b), "%s %s", a, b)
		require.Equal(t, c.want, Overlap(b, a), "%s %s", b, a)
	}
}

func FuzzListeners(f *testing.F) {
	f.Add(tcpTable)
	f.Fuzz(func(t *testing.T, table string) {
		listeners, err := parseListeners(table)
		if err == nil {
			for _, l := range listeners {
				require.True(t, l.Addr.Addr().IsValid())
			}
		}
	})
}
