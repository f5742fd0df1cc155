package corosync

import (
	"context"
	"net"
	"net/netip"
	"slices"
)

// Label is a node's name, or its first address if the nodelist gives no name.
func (m Member) Label() string {
	if m.Name == "" && len(m.Addresses) > 0 {
		return m.Addresses[0]
	}
	return m.Name
}

// Links resolves a node's addresses as Corosync does, in the order of its links. A link whose
// address cannot be resolved has none; one that is written as a name may have several.
func (m Member) Links(ctx context.Context) [][]netip.Addr {
	links := make([][]netip.Addr, len(m.Addresses))
	for i, written := range m.Addresses {
		links[i] = resolve(ctx, written)
	}
	return links
}

// resolve looks an address up, if it is written as a name. Loopback addresses do not count: Debian
// has 127.0.1.1 for a machine's own name.
func resolve(ctx context.Context, written string) []netip.Addr {
	if ip, err := netip.ParseAddr(written); err == nil {
		return []netip.Addr{ip.Unmap()}
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", written)
	if err != nil {
		return nil // the other links may resolve
	}
	var all []netip.Addr
	for _, ip := range found {
		if ip = ip.Unmap(); !ip.IsLoopback() && !slices.Contains(all, ip) {
			all = append(all, ip)
		}
	}
	return all
}
