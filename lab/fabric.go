package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// netnsPath is where a network namespace is bound: one for each node, "cloud" for the router and
// "fabric" for the bridges.
func (l *Lab) netnsPath(name string) string { return l.path("net", name) }

const fabricNetns = "fabric"

// open returns a netlink handle in the named namespace and the namespace itself.
func (l *Lab) open(name string) (*netlink.Handle, netns.NsHandle, error) {
	ns, err := netns.GetFromPath(l.netnsPath(name))
	if err != nil {
		return nil, ns, fmt.Errorf("lab: open the network of %s: %w", name, err)
	}
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		_ = ns.Close()
		return nil, ns, fmt.Errorf("lab: netlink in the network of %s: %w", name, err)
	}
	return h, ns, nil
}

// makeFabric makes the bridges, each an Ethernet switch that learns at once.
func (l *Lab) makeFabric() error {
	if err := makeNetns(l.netnsPath(fabricNetns)); err != nil {
		return err
	}
	err := inNetns(l.netnsPath(fabricNetns), func() error {
		for _, name := range []string{"arptables", "iptables", "ip6tables"} {
			// The switches only switch: IP rules and connection tracking do not see this traffic.
			err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-"+name, []byte("0"), 0o644)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				// no such file: no br_netfilter, so nothing to switch off
				return fmt.Errorf("lab: keep IP rules off the bridges: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	h, ns, err := l.open(fabricNetns)
	if err != nil {
		return err
	}
	defer func() { h.Close(); _ = ns.Close() }()
	for _, name := range []string{publicBridge, privateBridge, farBridge} {
		if err := addBridge(h, name); err != nil {
			return err
		}
	}
	for _, s := range l.spec.Sites {
		for network := range stretched {
			if err := addSite(h, s.Name, network); err != nil {
				return err
			}
		}
	}
	return nil
}

func addBridge(h *netlink.Handle, name string) error {
	// without a querier, snooping would eventually drop the multicast that finds IPv6 neighbours
	snooping := false
	b := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: name}, MulticastSnooping: &snooping}
	if err := h.LinkAdd(b); err != nil {
		return fmt.Errorf("lab: add the bridge %s: %w", name, err)
	}
	if err := h.LinkSetUp(b); err != nil {
		return fmt.Errorf("lab: set the bridge %s up: %w", name, err)
	}
	return nil
}

// addSite adds the site's switch for the network, and its link to the one in the middle.
func addSite(h *netlink.Handle, site, network string) error {
	if err := addBridge(h, siteBridge(site, network)); err != nil {
		return err
	}
	middle, edge := trunk(site, network)
	cable := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: middle}, PeerName: edge}
	if err := h.LinkAdd(cable); err != nil {
		return fmt.Errorf("lab: add the link of site %s: %w", site, err)
	}
	for name, bridge := range map[string]string{middle: network, edge: siteBridge(site, network)} {
		link, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("lab: find the interface %s: %w", name, err)
		}
		to, err := h.LinkByName(bridge)
		if err == nil {
			err = h.LinkSetMaster(link, to)
		}
		if err == nil {
			err = h.LinkSetUp(link)
		}
		if err != nil {
			return fmt.Errorf("lab: plug %s into %s: %w", name, bridge, err)
		}
	}
	return nil
}

// plug makes the node's network namespace and its cables to the bridges.
func (l *Lab) plug(node string, nics []nic) error {
	if err := makeNetns(l.netnsPath(node)); err != nil {
		return err
	}
	fabric, fns, err := l.open(fabricNetns)
	if err != nil {
		return err
	}
	defer func() { fabric.Close(); _ = fns.Close() }()
	inside, ns, err := l.open(node)
	if err != nil {
		return err
	}
	defer func() { inside.Close(); _ = ns.Close() }()
	if err := setUp(inside, "lo"); err != nil {
		return err
	}
	for _, n := range nics {
		if err := l.cable(fabric, node, n, ns); err != nil {
			return err
		}
		if err := configure(inside, n); err != nil {
			return fmt.Errorf("lab: %s: %w", node, err)
		}
	}
	return nil
}

func (l *Lab) cable(fabric *netlink.Handle, node string, n nic, ns netns.NsHandle) error {
	name := port(node, n)
	bridge, err := fabric.LinkByName(n.bridge)
	if err != nil {
		return fmt.Errorf("lab: plug %s into %s: %w", name, n.bridge, err)
	}
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: name, MasterIndex: bridge.Attrs().Index},
		PeerName:  n.name, PeerNamespace: netlink.NsFd(ns), PeerHardwareAddr: mac(n),
	}
	if err := fabric.LinkAdd(veth); err != nil {
		return fmt.Errorf("lab: plug %s into %s: %w", name, n.bridge, err)
	}
	if err := fabric.LinkSetUp(veth); err != nil {
		return fmt.Errorf("lab: set %s up: %w", name, err)
	}
	return nil
}

func setUp(h *netlink.Handle, name string) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("lab: find the interface %s: %w", name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("lab: set the interface %s up: %w", name, err)
	}
	return nil
}

// configure gives the interface its addresses and routes.
func configure(h *netlink.Handle, n nic) error {
	link, err := h.LinkByName(n.name)
	if err != nil {
		return fmt.Errorf("find the interface %s: %w", n.name, err)
	}
	for _, p := range n.addrs {
		a := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			// the lab numbers its nodes itself, and a tentative address cannot be bound
			a.Flags = unix.IFA_F_NODAD
		}
		if err := h.AddrAdd(link, a); err != nil {
			return fmt.Errorf("add %s to %s: %w", p, n.name, err)
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", n.name, err)
	}
	index := link.Attrs().Index
	for _, p := range n.direct {
		r := &netlink.Route{
			LinkIndex: index, Dst: ipNet(p), Scope: netlink.SCOPE_LINK,
			Src: n.addrs[0].Addr().AsSlice(),
		}
		if err := h.RouteAdd(r); err != nil {
			return fmt.Errorf("route %s over %s: %w", p, n.name, err)
		}
	}
	for _, gw := range n.gateways {
		if err := h.RouteAdd(&netlink.Route{LinkIndex: index, Gw: gw.AsSlice()}); err != nil {
			return fmt.Errorf("route by %s over %s: %w", gw, n.name, err)
		}
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// unplug takes the node's cables down, all of them before any of its processes notices. Missing
// cables are not an error.
func (l *Lab) unplug(node string, nics []nic) error {
	h, ns, err := l.open(fabricNetns)
	if err != nil {
		return err
	}
	defer func() { h.Close(); _ = ns.Close() }()
	var links []netlink.Link
	for _, n := range nics {
		link, err := h.LinkByName(port(node, n))
		var missing netlink.LinkNotFoundError
		if errors.As(err, &missing) {
			continue
		}
		if err != nil {
			return fmt.Errorf("lab: find the cable %s: %w", port(node, n), err)
		}
		links = append(links, link)
	}
	for _, link := range links {
		if err := h.LinkSetDown(link); err != nil {
			return fmt.Errorf("lab: unplug %s: %w", link.Attrs().Name, err)
		}
	}
	return nil
}

// removeCables deletes the node's cables, so that new ones can be made while the node's old
// namespace is still ending.
func (l *Lab) removeCables(node string, nics []nic) error {
	h, ns, err := l.open(fabricNetns)
	if err != nil {
		return err
	}
	defer func() { h.Close(); _ = ns.Close() }()
	for _, n := range nics {
		link, err := h.LinkByName(port(node, n))
		var missing netlink.LinkNotFoundError
		if errors.As(err, &missing) {
			continue
		}
		if err == nil {
			err = h.LinkDel(link)
		}
		if err != nil {
			return fmt.Errorf("lab: remove the cable %s: %w", port(node, n), err)
		}
	}
	return nil
}
