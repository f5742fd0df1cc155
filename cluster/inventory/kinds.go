package inventory

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// IsHAProxy says whether a resource is HAProxy, whoever runs it.
func IsHAProxy(p *crm.Primitive) bool {
	return p.Class == "ocf" && p.Type == "haproxy" || (p.Class == "systemd" || p.Class == "lsb" || p.Class == "service") && strings.TrimSuffix(p.Type, ".service") == "haproxy"
}

// IsAddress says whether a resource is an address: one of ours, or one of the agents that people use beside HAProxy.
func IsAddress(p *crm.Primitive) bool {
	return IsFloatIP(p) || p.Class == "ocf" && p.Provider == "heartbeat" && slices.Contains([]string{"IPaddr", "IPaddr2", "IPv6addr", "awseip", "awsvip"}, p.Type)
}

// IsFloatIP says whether it is an address that hawser's agent holds.
func IsFloatIP(p *crm.Primitive) bool { return p.Class == "ocf" && p.Type == "floatip" }

// HeldTwice says whether two nodes can hold the address at the same time: nobody but the cluster keeps it at one node.
func HeldTwice(p *crm.Primitive) bool {
	if IsFloatIP(p) {
		provider, _ := p.Params.Get("provider")
		return provider == "lan"
	}
	return p.Type != "awseip" && p.Type != "awsvip"
}

// Primitives lists the resources among the objects.
func Primitives(objects []crm.Object) []*crm.Primitive {
	var all []*crm.Primitive
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok {
			all = append(all, p)
		}
	}
	return all
}
