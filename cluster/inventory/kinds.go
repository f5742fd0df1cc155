package inventory

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// The kind of a resource follows from its agent's name in Pacemaker, "ocf:hawser:haproxy" or
// "systemd:haproxy": as crm.Primitive.Agent and crm.ResourceStatus.Agent have it.

// IsHAProxy says whether hawser's agent runs the resource: under its own name, or under that of the
// shell agent it replaces. Whether that name leads to hawser's agent on a node, only the node
// knows.
func IsHAProxy(agent string) bool {
	return agent == contract.HAProxyAgent ||
		agent == "ocf:"+contract.OldHAProxyProvider+":"+contract.HAProxyType
}

// RunsHAProxy says whether the resource is HAProxy, whatever runs it: any resource agent of that
// name, or an init system's service.
func RunsHAProxy(agent string) bool {
	class, service, _ := strings.Cut(agent, ":")
	switch class {
	case "ocf":
		return strings.HasSuffix(service, ":"+contract.HAProxyType)
	case "systemd", "lsb", "service":
		return strings.TrimSuffix(service, ".service") == "haproxy"
	}
	return false
}

// IsFloatIP says whether hawser's agent holds the address: under its own name, or under the one of
// the shell agent that it replaces.
func IsFloatIP(agent string) bool {
	return agent == contract.FloatIPAgent ||
		agent == "ocf:"+contract.OldFloatIPProvider+":"+contract.FloatIPType
}

// IsAddress says whether the resource is an address: one of hawser's, or one of the agents that
// people use beside HAProxy.
func IsAddress(agent string) bool {
	others := []string{"IPaddr", "IPaddr2", "IPv6addr", "awseip", "awsvip"}
	name, ok := strings.CutPrefix(agent, "ocf:heartbeat:")
	return IsFloatIP(agent) || ok && slices.Contains(others, name)
}

// HeldTwice says whether two nodes can hold the address at the same time: unless a provider gives
// it to one machine only, nothing but the cluster prevents that.
func HeldTwice(p *crm.Primitive) bool {
	if IsFloatIP(p.Agent()) {
		return AddressOf(p).Provider == contract.LAN
	}
	return p.Type != "awseip" && p.Type != "awsvip"
}

// AddressesHeldTwice lists the addresses among the objects that two nodes can hold at the same
// time.
func AddressesHeldTwice(objects []crm.Object) []*crm.Primitive {
	return slices.DeleteFunc(
		Primitives(objects, IsAddress),
		func(p *crm.Primitive) bool { return !HeldTwice(p) },
	)
}

// Primitives lists the objects that are resources with an agent of that kind.
func Primitives(objects []crm.Object, kind func(agent string) bool) []*crm.Primitive {
	var all []*crm.Primitive
	for _, o := range objects {
		if p, ok := o.(*crm.Primitive); ok && kind(p.Agent()) {
			all = append(all, p)
		}
	}
	return all
}

// Names returns the ids of the resources.
func Names(all []*crm.Primitive) []string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	return names
}
