package haproxy

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
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
	require.Equal(t, []Listener{{Reach{Addr: netip.MustParseAddrPort("127.0.0.1:8080")}, 4711}}, listeners)
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
		{"both [::]:80", "10.0.0.2:80", true},
		{"both [::]:80", "0.0.0.0:80", true},
		{"both [::]:80", "0.0.0.0:81", false},
		{"both [::]:80", "[::1]:80", true},
		{"[2001:db8::1]:80", "0.0.0.0:80", false},
	} {
		reach := func(text string) Reach {
			addr, both := strings.CutPrefix(text, "both ")
			return Reach{netip.MustParseAddrPort(addr), both}
		}
		a, b := reach(c.a), reach(c.b)
		require.Equal(t, c.want, Overlap(a, b), "%s %s", a, b)
		require.Equal(t, c.want, Overlap(b, a), "%s %s", b, a)
	}
}

// TestListenersOfBothFamilies opens sockets as HAProxy does with v4v6 and v6only.
func TestListenersOfBothFamilies(t *testing.T) {
	open := func(network, addr string, v6only int) uint16 {
		config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				if network == "tcp6" {
					require.NoError(t, unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6,
						unix.IPV6_V6ONLY, v6only))
				}
			})
		}}
		l, err := config.Listen(t.Context(), network, addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().(*net.TCPAddr).AddrPort().Port()
	}
	both, only := open("tcp6", "[::]:0", 0), open("tcp6", "[::]:0", 1)
	one, four := open("tcp6", "[::1]:0", 1), open("tcp4", "0.0.0.0:0", 0)
	want := map[uint16]string{both: "[::] true", only: "[::] false", one: "[::1] false",
		four: "0.0.0.0 false"}

	listeners, err := diagListeners()
	require.NoError(t, err)
	tables, err := listenersInTables()
	require.NoError(t, err)
	got, inodes := map[uint16]string{}, map[uint16]uint64{}
	for _, l := range listeners {
		if port := l.Addr.Port(); want[port] != "" {
			host := strings.TrimSuffix(l.Addr.String(), fmt.Sprintf(":%d", port))
			got[port], inodes[port] = fmt.Sprintf("%s %t", host, l.Both), l.Inode
		}
	}
	require.Equal(t, want, got)
	for _, l := range tables {
		if inode, ok := inodes[l.Addr.Port()]; ok {
			require.Equal(t, inode, l.Inode)
			delete(inodes, l.Addr.Port())
		}
	}
	require.Empty(t, inodes, "both ways show the same sockets")
}

func FuzzDiag(f *testing.F) {
	f.Add([]byte{})
	f.Add(diagRequest(unix.AF_INET6))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		listeners, _, _ := parseDiag(datagram)
		for _, l := range listeners {
			require.True(t, l.Addr.Addr().IsValid())
		}
	})
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
