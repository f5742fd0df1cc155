package lab

import (
	"fmt"
	"net"
	"net/netip"
)

// The lab's addresses. Public ones come from the ranges set aside for documentation (RFC 5737, RFC
// 3849), the anchor and private ones are DigitalOcean's. They are the same in every lab: labs do
// not see each other.
var (
	// FloatingIP and FloatingIP6 are the addresses that the cloud has to offer unless Options say
	// otherwise.
	FloatingIP  = netip.MustParseAddr("203.0.113.10")
	FloatingIP6 = netip.MustParseAddr("2001:db8:ff::10")
	// API is where nodes reach the cloud's API, as http://198.51.100.1 and as
	// https://api.digitalocean.com.
	API = netip.MustParseAddr("198.51.100.1")
	// Metadata is where each balancer finds the metadata service.
	Metadata = netip.MustParseAddr("169.254.169.254")

	publicNet  = netip.MustParsePrefix("198.51.100.0/24")
	publicNet6 = netip.MustParsePrefix("2001:db8:1::/64")
	anchorNet  = netip.MustParsePrefix("10.17.0.0/16")
	privateNet = netip.MustParsePrefix("10.132.0.0/16")
	farNet     = netip.MustParsePrefix("192.0.2.0/24")
	farNet6    = netip.MustParsePrefix("2001:db8:2::/64")
)

// APIOrigin is the origin of the cloud's API without TLS.
const APIOrigin = "http://198.51.100.1"

const (
	routerHost   = 1
	farHost      = 2
	lanHost      = 9
	balancerHost = 10  // lb-1 is .11
	appHost      = 100 // app-1 is .101
	firstDroplet = 1000
)

// host is the n-th address of the network, with the network's length.
func host(network netip.Prefix, n int) netip.Prefix {
	b := network.Addr().AsSlice()
	b[len(b)-1] = byte(n)
	if network.Addr().Is6() { // in decimal digits, so that …::11 goes with ….11
		b[len(b)-2], b[len(b)-1] = byte(n/100), byte(n/10%10<<4|n%10)
	}
	ip, _ := netip.AddrFromSlice(b)
	return netip.PrefixFrom(ip, network.Bits())
}

// layout names and numbers the nodes.
func layout(balancers, apps int) []Node {
	var nodes []Node
	for i := 1; i <= balancers; i++ {
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("lb-%d", i), Role: Balancer, Droplet: firstDroplet + i,
			Public: host(publicNet, balancerHost+i), Public6: host(publicNet6, balancerHost+i),
			Anchor: host(anchorNet, balancerHost+i), Private: host(privateNet, balancerHost+i),
		})
	}
	for i := 1; i <= apps; i++ {
		nodes = append(nodes, Node{
			Name: fmt.Sprintf("app-%d", i), Role: AppServer, Private: host(privateNet, appHost+i),
		})
	}
	return append(nodes, Node{
		Name: "client", Role: Customer, Far: host(farNet, farHost), Far6: host(farNet6, farHost),
		Public: host(publicNet, lanHost), Public6: host(publicNet6, lanHost),
	})
}

// nic is a network interface of a node: its name there, the bridge it is plugged into, its
// addresses and routes.
type nic struct {
	name, bridge string
	addrs        []netip.Prefix
	gateways     []netip.Addr   // of default routes
	direct       []netip.Prefix // destinations on the link itself
}

// The bridges of the fabric.
const (
	publicBridge  = "public"
	privateBridge = "private"
	farBridge     = "far"
)

func (n Node) nics() []nic {
	switch {
	case n.Role == Balancer:
		return []nic{
			{
				name: "eth0", bridge: n.at(publicBridge),
				addrs:    []netip.Prefix{n.Public, n.Anchor, n.Public6},
				gateways: publicGateways(),
				direct:   []netip.Prefix{netip.PrefixFrom(Metadata, 32)},
			},
			{name: "eth1", bridge: n.at(privateBridge), addrs: []netip.Prefix{n.Private}},
		}
	case n.Role == Customer && n.Site != "":
		return []nic{{
			name: "eth1", bridge: n.at(publicBridge), addrs: []netip.Prefix{n.Public, n.Public6},
			gateways: publicGateways(),
		}}
	case n.Role == Customer:
		return []nic{
			{
				name: "eth0", bridge: farBridge, addrs: []netip.Prefix{n.Far, n.Far6},
				gateways: []netip.Addr{
					host(farNet, routerHost).Addr(), host(farNet6, routerHost).Addr(),
				},
			},
			{name: "eth1", bridge: publicBridge, addrs: []netip.Prefix{n.Public, n.Public6}},
		}
	default:
		return []nic{{name: "eth1", bridge: n.at(privateBridge), addrs: []netip.Prefix{n.Private}}}
	}
}

// publicGateways are the router's addresses on the public network.
func publicGateways() []netip.Addr {
	return []netip.Addr{host(publicNet, routerHost).Addr(), host(publicNet6, routerHost).Addr()}
}

// cloudNode is the name of the router's namespace. It can be cut off like a node.
const cloudNode = "cloud"

func cloudNICs() []nic {
	return []nic{
		{name: "eth0", bridge: publicBridge, addrs: []netip.Prefix{
			host(publicNet, routerHost), host(publicNet6, routerHost), host(anchorNet, routerHost),
			netip.PrefixFrom(Metadata, 32),
		}},
		{
			name: "eth1", bridge: farBridge,
			addrs: []netip.Prefix{host(farNet, routerHost), host(farNet6, routerHost)},
		},
	}
}

// port is the name of the fabric's end of a node's interface.
func port(node string, n nic) string { return node + "." + n.name }

// mac is the same at every boot, like a real machine's: a reboot makes no neighbour cache stale.
func mac(n nic) net.HardwareAddr {
	ip := n.addrs[0].Addr().As4()
	return net.HardwareAddr{0x02, 0x48, ip[0], ip[1], ip[2], ip[3]}
}
