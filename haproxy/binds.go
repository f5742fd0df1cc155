package haproxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Binds returns where HAProxy may be reached by the configuration's `bind` lines, as far as that can
// be determined without HAProxy: host names and addresses in other name spaces are left out, lines
// between .if and .endif are not. An unspecified address stands for all of its family, and for a
// variable that is not set. Bindings returns what is sure.
func Binds(sources []Source, getenv func(string) string) []Reach {
	return binds(sources, getenv, v6onlyByDefault())
}

func binds(sources []Source, getenv func(string) string, v6only bool) []Reach {
	var all []Reach
	for l := range linesOf(sources, getenv) {
		if len(l.words) < 2 || l.words[0] != "bind" {
			continue
		}
		for text := range strings.SplitSeq(strings.ReplaceAll(l.words[1], vague, ""), ",") {
			for _, addr := range parseBind(text) {
				all = append(all, reachOf(addr, slices.Contains(l.words[2:], "v6only"),
					slices.Contains(l.words[2:], "v4v6"), v6only))
			}
		}
	}
	return all
}

// Binding is an address on which a HAProxy with the configuration is sure to listen, and the line
// that says so.
type Binding struct {
	Addr netip.AddrPort
	// V6Only and V4V6 are the options of that name.
	V6Only, V4V6 bool
	// Place is FILE:LINE.
	Place string
}

// Reaches returns where HAProxy is reached by the bindings.
func Reaches(bindings []Binding) []Reach {
	v6only, all := v6onlyByDefault(), make([]Reach, len(bindings))
	for i, b := range bindings {
		all[i] = reachOf(b.Addr, b.V6Only, b.V4V6, v6only)
	}
	return all
}

// Bindings returns the addresses that HAProxy will bind in the usual way. What another line may
// undo or change is left out: lines between .if and .endif, in a disabled section, with a variable
// whose value is not known here, or with options that suspend the kernel's ordinary rules. If that
// is so for the whole configuration (noreuseport), there are none.
func Bindings(sources []Source, getenv func(string) string) []Binding {
	var all []Binding
	section := 0 // where the section's bindings begin; -1 in defaults
	for l := range linesOf(sources, getenv) {
		switch words := l.words; words[0] {
		case "noreuseport":
			return nil
		case "defaults":
			section = -1
		case "global", "frontend", "listen", "backend", "peers", "ring", "log-forward":
			section = len(all)
		case "disabled":
			if section < 0 {
				return nil // every section may be
			}
			all = all[:section]
		case "bind":
			if l.conditional || len(words) < 2 || slices.ContainsFunc(words[2:], unusual) {
				continue
			}
			for text := range strings.SplitSeq(words[1], ",") {
				for _, addr := range parseBind(text) {
					all = append(all, Binding{
						Addr: addr, V6Only: slices.Contains(words[2:], "v6only"),
						V4V6:  slices.Contains(words[2:], "v4v6"),
						Place: l.file + ":" + strconv.Itoa(l.number),
					})
				}
			}
		}
	}
	return all
}

// unusual reports whether an option of a bind line is one with which an address can be bound that
// otherwise cannot, or the other way round, or may be.
func unusual(option string) bool {
	return !sure(option) || option == "transparent" || option == "interface" || option == "namespace"
}

// parseBind reads [prefix@]<address>:<port>[-<port>]: "10.0.0.1:80", ":80", "*:80", ":::80",
// "[::1]:80", "ipv6@:80". A part that is vague is none of these.
func parseBind(text string) []netip.AddrPort {
	any4 := netip.IPv4Unspecified()
	if prefix, rest, ok := strings.Cut(text, "@"); ok {
		switch prefix {
		case "ipv4", "tcp", "tcp4":
		case "ipv6", "tcp6":
			any4 = netip.IPv6Unspecified()
		default:
			return nil // unix, abns, fd, sockpair, quic4, rhttp …
		}
		text = rest
	}
	if strings.HasPrefix(text, "/") {
		return nil
	}
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return nil
	}
	host, ports := text[:colon], text[colon+1:]
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	addr := any4
	if host != "" && host != "*" {
		parsed, err := netip.ParseAddr(host)
		if err != nil {
			return nil
		}
		addr = parsed.Unmap().WithZone("")
	}
	low, high, ok := strings.Cut(ports, "-")
	if !ok {
		high = low
	}
	first, err1 := strconv.ParseUint(low, 10, 16)
	last, err2 := strconv.ParseUint(high, 10, 16)
	if err1 != nil || err2 != nil || first == 0 {
		return nil
	}
	var all []netip.AddrPort
	for port := first; port <= last; port++ {
		all = append(all, netip.AddrPortFrom(addr, uint16(port)))
	}
	return all
}

// Try binds the address as HAProxy does, without listening on it, and releases it again. Its error
// wraps EADDRNOTAVAIL if no interface has the address, and EADDRINUSE if another program holds it
// and does not share it.
func (b Binding) Try() error {
	family, addr := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(b.Addr.Port())})
	if b.Addr.Addr().Is4() {
		addr.(*unix.SockaddrInet4).Addr = b.Addr.Addr().As4()
	} else {
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(b.Addr.Port()),
			Addr: b.Addr.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
			return err
		}
	}
	if family == unix.AF_INET6 && (b.V6Only || b.V4V6) {
		only := 0
		if b.V6Only {
			only = 1
		}
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only); err != nil {
			return err
		}
	}
	return unix.Bind(fd, addr)
}
