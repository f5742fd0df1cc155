package host

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/doctor/node"
)

// interfaces returns the network interfaces of this machine that are up, for preflight.
func interfaces() ([]preflight.Interface, error) {
	all, err := nics()
	out := make([]preflight.Interface, len(all))
	for i, n := range all {
		out[i] = preflight.Interface{Name: n.Name, Loopback: n.Loopback, Addresses: n.Addresses}
	}
	return out, err
}

// nics returns the network interfaces of this machine that are up.
func nics() ([]node.NIC, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []node.NIC
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := node.NIC{Name: i.Name, Index: i.Index, Loopback: i.Flags&net.FlagLoopback != 0}
		addresses, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", i.Name, err)
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.Addresses = append(n.Addresses, p.Addr().Unmap().WithZone(""))
			}
		}
		out = append(out, n)
	}
	return out, nil
}
