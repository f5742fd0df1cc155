package inventory

import (
	"net/netip"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// IPOf returns the address that the resource holds. ok is false if it is no address, or says none
// that can be read.
func IPOf(p *crm.Primitive) (ip netip.Addr, ok bool) {
	if !IsAddress(p.Agent()) {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(IPText(p))
	return ip.Unmap().WithZone(""), err == nil
}

// IPText is the address that a resource of any agent for addresses is given, as it is written there and
// without the length of its network; "" if it is given none.
func IPText(p *crm.Primitive) string {
	names := []string{contract.ParamIP, contract.ParamOldIP}
	switch p.Type {
	case "IPv6addr":
		names = []string{"ipv6addr"}
	case "awseip":
		names = []string{"elastic_ip"}
	case "awsvip":
		names = []string{"secondary_private_ip"}
	}
	text, _, _ := strings.Cut(first(p.Params, names...), "/")
	return strings.TrimSpace(text)
}

// Holders lists the resources that hold addresses, by address.
func Holders(objects []crm.Object) map[netip.Addr][]*crm.Primitive {
	all := map[netip.Addr][]*crm.Primitive{}
	for _, p := range Primitives(objects, IsAddress) {
		if ip, ok := IPOf(p); ok {
			all[ip] = append(all[ip], p)
		}
	}
	return all
}
