package inventory

import (
	"net/netip"

	"github.com/hawser-ha/hawser/haproxy"
)

// Listener is an address that HAProxy binds by its configuration.
type Listener struct {
	At    netip.AddrPort
	Place string // the file
	// Both is a socket of IPv6 at which connections of IPv4 arrive too (ipv6(7), IPV6_V6ONLY is
	// off).
	Both bool
}

// Listeners reads what the configurations of the HAProxies bind on this node. An address that only
// the agent knows, such as the anchor address, stands for any.
func (d Declared) Listeners() ([]Listener, error) {
	var all []Listener
	for _, h := range d.HAProxies {
		sources, err := h.Sources()
		if err != nil {
			return nil, err
		}
		for _, at := range haproxy.Binds(sources, func(string) string { return "" }) {
			all = append(all, Listener{At: at.Addr, Place: h.Config, Both: at.Both})
		}
	}
	return all, nil
}
