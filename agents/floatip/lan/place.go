package lan

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/param"
)

// place is where an address goes.
type place struct {
	link   netlink.Link
	prefix int
	// derived says what was found out because it was not given; "" if nothing.
	derived string
	// ownRoute is whether the prefix was given, so that the address brings the route to its network
	// with it. A derived prefix belongs to a route that is already there and is not ours to remove.
	ownRoute bool
}

// asInterface returns the interface as package net has it.
func asInterface(link netlink.Link) *net.Interface {
	at := link.Attrs()
	return &net.Interface{Index: at.Index, MTU: at.MTU, Name: at.Name,
		HardwareAddr: at.HardwareAddr, Flags: at.Flags}
}

// place finds out where the address goes.
func (p *Provider) place(k kernel, ip netip.Addr) (place, error) {
	var at place
	if p.NIC != "" {
		link, err := k.LinkByName(p.NIC)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			return place{}, fault.Errorf(fault.NotInstalled,
				"this node has no interface %s (it has %s): correct nic", p.NIC, nic.Names())
		}
		if err != nil {
			return place{}, fault.Errorf(fault.Unknown, "cannot look at the interface %s: %w", p.NIC,
				err)
		}
		at.link = link
	}
	at.prefix, at.ownRoute = p.Prefix, p.Prefix != 0
	if at.link != nil && at.ownRoute {
		return at, nil
	}
	network, err := network(k, ip, at.link)
	if err != nil {
		return place{}, err
	}
	var derived []string
	if at.link == nil {
		if network == nil {
			return place{}, fault.Errorf(fault.NotInstalled,
				"no interface of this node is on a network that holds %s: correct ip, or give nic and "+
					"cidr_netmask", ip)
		}
		if at.link, err = k.LinkByIndex(network.LinkIndex); err != nil {
			return place{}, fault.Errorf(fault.Unknown,
				"cannot look at the interface that routes to %s: %w", ip, err)
		}
		derived = append(derived, "interface")
	}
	if !at.ownRoute {
		at.prefix = ip.BitLen()
		if network != nil {
			at.prefix, _ = network.Dst.Mask.Size()
		}
		if err := param.CheckInNetwork(ip, at.prefix); err != nil {
			return place{}, fault.Errorf(fault.NotInstalled, "%s %w: correct ip", ip, err)
		}
		derived = append(derived, "prefix length")
	}
	at.derived = strings.Join(derived, " and ")
	return at, nil
}

// network returns the route to the smallest directly connected network that holds the address, nil
// if there is none. link, if it is not nil, is the only interface that counts.
func network(k kernel, ip netip.Addr, link netlink.Link) (*netlink.Route, error) {
	routes, err := dump(func() ([]netlink.Route, error) { return k.RouteList(nil, family(ip)) })
	if err != nil {
		return nil, fault.Errorf(fault.Unknown, "cannot read the routing table: %w", err)
	}
	var best *netlink.Route
	longest := 0 // the default route is no network
	for i, route := range routes {
		if route.Dst == nil || route.Gw != nil || route.Via != nil || len(route.MultiPath) > 0 ||
			route.Type != unix.RTN_UNICAST ||
			link != nil && route.LinkIndex != link.Attrs().Index ||
			!route.Dst.Contains(ip.AsSlice()) {
			continue
		}
		ones, bits := route.Dst.Mask.Size()
		if ones < bits && (ones > longest || best != nil && ones == longest &&
			route.Priority < best.Priority) {
			best, longest = &routes[i], ones
		}
	}
	return best, nil
}

// forever is how long an address is valid that has no end, as the kernel counts.
var forever uint32 = math.MaxUint32

// add puts the address on the interface.
func (at place) add(k kernel, ip netip.Addr) error {
	name := at.link.Attrs().Name
	addr := &netlink.Addr{IPNet: &net.IPNet{IP: ip.AsSlice(),
		Mask: net.CIDRMask(at.prefix, ip.BitLen())}}
	if !at.ownRoute {
		addr.Flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if ip.Is6() {
		// that has just been done, and the kernel would take a second for it
		addr.Flags |= unix.IFA_F_NODAD
		// Preferred for no time (RFC 4862 section 5.5.4), it answers and can be bound, and the
		// kernel does not take it as the source of this node's own connections: those to the
		// servers would break when it moves, and come from an address that the servers may not
		// admit. An IPv4 address needs nothing of the kind: its network's first address is taken.
		addr.ValidLft, addr.PreferedLft = int(forever), 0
	}
	err := k.AddrAdd(at.link, addr)
	switch {
	case err == nil, errors.Is(err, syscall.EEXIST):
		return nil
	case errors.Is(err, syscall.EPERM):
		return fault.Errorf(fault.Denied, "may not add %s to %s: %w: the agent must run as root",
			ip, name, err)
	case errors.Is(err, syscall.EACCES) && ip.Is6():
		return fault.Errorf(fault.NotInstalled,
			"cannot add %s to %s: %w: IPv6 is switched off there (net.ipv6.conf.%s.disable_ipv6)",
			ip, name, err, name)
	}
	return fault.Errorf(fault.Unknown, "cannot add %s/%d to %s: %w", ip, at.prefix, name, err)
}

// remove takes an address off the interface that it was found on.
func (p *Provider) remove(k kernel, found spot) error {
	restore, err := p.spare(k, found)
	if err != nil {
		return err
	}
	addr, name := found.addr, found.link.Attrs().Name
	err = k.AddrDel(found.link, &netlink.Addr{IPNet: addr.IPNet, Label: addr.Label,
		Peer: addr.Peer})
	switch {
	case err == nil, errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENODEV):
		restore()
		return nil
	case errors.Is(err, syscall.EPERM):
		return fault.Errorf(fault.Denied,
			"may not remove %s from %s: %w: the agent must run as root", addr.IPNet, name, err)
	}
	return fault.Errorf(fault.Unknown, "cannot remove %s from %s: %w", addr.IPNet, name, err)
}

// spot is where an address was found.
type spot struct {
	addr netlink.Addr
	link netlink.Link
}

// find looks for the address on all interfaces, and prefers the one asked for. The loopback
// interface counts only if it is asked for: real servers behind a direct-routing balancer have the
// address there. It returns nil if the address is not here.
func (p *Provider) find(k kernel, ip netip.Addr) (*spot, error) {
	addrs, err := dump(func() ([]netlink.Addr, error) { return k.AddrList(nil, family(ip)) })
	if err != nil {
		return nil, fault.Errorf(fault.Unknown, "cannot read this node's addresses: %w", err)
	}
	var found *spot
	for _, addr := range addrs {
		if have, ok := netip.AddrFromSlice(addr.IP); !ok || have.Unmap() != ip {
			continue
		}
		link, err := k.LinkByIndex(addr.LinkIndex)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			continue // gone in the meantime, and the address with it
		}
		if err != nil {
			return nil, fault.Errorf(fault.Unknown, "cannot look at the interface of %s: %w",
				addr.IPNet, err)
		}
		switch name := link.Attrs().Name; {
		case name == p.NIC:
			return &spot{addr, link}, nil
		case link.Attrs().Flags&net.FlagLoopback == 0 && found == nil:
			found = &spot{addr, link}
		}
	}
	return found, nil
}

// sound returns nil if the address can serve where it was found.
func (p *Provider) sound(found *spot) error {
	name := found.link.Attrs().Name
	switch {
	case p.NIC != "" && name != p.NIC:
		return fault.Errorf(fault.Broken, "%s is on %s, and nic says %s", found.addr.IP, name,
			p.NIC)
	case found.addr.Flags&unix.IFA_F_DADFAILED != 0:
		return fault.Errorf(fault.Broken,
			"%s on %s is disabled: the kernel found another machine that uses it (dadfailed)",
			found.addr.IP, name)
	}
	if err := carrier(found.link); err != nil {
		return fault.Errorf(fault.Broken, "%s cannot serve: %w", found.addr.IP, err)
	}
	return nil
}

// carrier returns nil if packets can leave by the interface.
func carrier(link netlink.Link) error {
	return nic.Judge(link.Attrs().Name, link.Attrs().RawFlags)
}

// kernel is a netlink socket: one for everything that a call asks and orders, since package netlink
// by itself opens and closes one for each request.
type kernel struct{ *netlink.Handle }

func openKernel() (kernel, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return kernel{}, fault.Errorf(fault.Unknown,
			"cannot ask the kernel about this node's network: %w", err)
	}
	return kernel{handle}, nil
}

// dump repeats a listing that the kernel says was interrupted by a change, so that what is missing
// from it is not taken for "not there".
func dump[T any](list func() ([]T, error)) ([]T, error) {
	for range 5 {
		all, err := list()
		if !errors.Is(err, netlink.ErrDumpInterrupted) && !errors.Is(err, syscall.EINTR) {
			return all, err
		}
	}
	return nil, errors.New("it keeps changing while it is read")
}

func family(ip netip.Addr) int {
	if ip.Is6() {
		return unix.AF_INET6
	}
	return unix.AF_INET
}
