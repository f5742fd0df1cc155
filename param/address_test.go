package param

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrefixLength(t *testing.T) {
	for text, want := range map[string]int{"24": 24, "255.255.255.0": 24, "255.255.255.255": 32,
		"128.0.0.0": 1, "64": 64, "128": 128, "1": 1} {
		n, err := ParsePrefixLength(text)
		require.NoError(t, err, text)
		require.Equal(t, want, n, text)
	}
	for _, text := range []string{"", "0", "129", "255.0.255.0", "0.0.0.0", "024", "+24", "24 ",
		"ffff::", "9999999999999999999999"} {
		_, err := ParsePrefixLength(text)
		require.Error(t, err, text)
	}
}

func TestHostAddr(t *testing.T) {
	for _, text := range []string{"203.0.113.10", "192.0.2.255", "10.0.0.0", "2001:db8::", "fe80::1",
		"169.254.1.1", "240.0.0.1"} {
		_, err := ParseHostAddr(text)
		require.NoError(t, err, text)
	}
	for _, text := range []string{"0.0.0.0", "0.1.2.3", "::", "224.0.0.5", "239.1.1.1", "ff02::1",
		"255.255.255.255", "127.0.0.3", "::1", "::ffff:127.0.0.1", "x", "fe80::1%eth0"} {
		_, err := ParseHostAddr(text)
		require.Error(t, err, text)
	}
}

func TestCheckInNetwork(t *testing.T) {
	for _, tc := range []struct {
		ip     string
		prefix int
		says   string
	}{
		{"192.0.2.1", 24, ""}, {"192.0.2.255", 24, "broadcast address of the network 192.0.2.0/24"},
		{"192.0.2.0", 24, "that of the network 192.0.2.0/24"}, {"192.0.2.255", 16, ""},
		{"192.0.2.255", 0, ""}, {"192.0.2.0", 31, ""}, {"192.0.2.1", 31, ""}, {"192.0.2.255", 32, ""},
		{"192.0.2.3", 30, "broadcast"}, {"192.0.2.4", 30, "that of the network"},
		{"128.0.0.0", 1, "that of the network"}, {"255.255.255.255", 1, "broadcast"},
		{"2001:db8::", 64, ""}, {"192.0.2.1", 99, ""},
	} {
		err := CheckInNetwork(netip.MustParseAddr(tc.ip), tc.prefix)
		if tc.says == "" {
			require.NoError(t, err, tc.ip)
		} else {
			require.ErrorContains(t, err, tc.says, tc.ip)
		}
	}
}

func FuzzPrefixLength(f *testing.F) {
	f.Add("24")
	f.Add("255.255.254.0")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParsePrefixLength(text); err == nil {
			require.GreaterOrEqual(t, n, 1)
			require.LessOrEqual(t, n, 128)
		}
	})
}
