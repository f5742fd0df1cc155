package haproxy

import (
	"net/netip"
	"os"
	"strings"
)

// Reach is where a socket that listens on TCP is reached.
type Reach struct {
	Addr netip.AddrPort
	// Both is a socket of [::] at which connections of IPv4 arrive too (ipv6(7), IPV6_V6ONLY is
	// off).
	Both bool
}

// Overlap reports whether traffic for one socket could reach the other: the same port, and the same
// address or one that stands for all of its family, or of both.
func Overlap(a, b Reach) bool {
	if a.Addr.Port() != b.Addr.Port() {
		return false
	}
	one, other := a.Addr.Addr(), b.Addr.Addr()
	if one.Is4() != other.Is4() {
		return a.Both || b.Both
	}
	return one == other || one.IsUnspecified() || other.IsUnspecified()
}

// v6onlyByDefault reports whether a socket of [::] takes no IPv4 unless it is told to
// (net.ipv6.bindv6only in the kernel's networking/ip-sysctl.rst).
func v6onlyByDefault() bool {
	text, _ := os.ReadFile("/proc/sys/net/ipv6/bindv6only")
	return strings.TrimSpace(string(text)) == "1"
}

// reachOf returns where HAProxy is reached at an address that it binds with the options of a line.
// Of v6only and v4v6 the former is stronger (src/proto_tcp.c, tcp_bind_listener).
func reachOf(addr netip.AddrPort, v6only, v4v6, byDefault bool) Reach {
	return Reach{addr, addr.Addr() == netip.IPv6Unspecified() && !v6only && (v4v6 || !byDefault)}
}
