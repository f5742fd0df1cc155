package lan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/fault"
)

// place is where an address goes.
type place struct {
	nic    *net.Interface
	prefix int
	// derived says what was found out because it was not given; "" if nothing.
	derived string
	// ownRoute is whether the prefix was given, so that the address brings the route to its network
	// with it. A derived prefix belongs to a route that is already there and is not ours to remove.
	ownRoute bool
}

// place finds out where the address goes.
func (p *Provider) place(ip netip.Addr) (place, error) {
	var at place
	if p.NIC != "" {
		nic, err := net.InterfaceByName(p.NIC)
		if err != nil {
			return place{}, fault.Errorf(fault.NotInstalled,
				"this node has no interface %s (it has %s): correct nic", p.NIC, interfaceNames())
		}
		at.nic = nic
	}
	at.prefix, at.ownRoute = p.Prefix, p.Prefix != 0
	if at.nic != nil && at.ownRoute {
		return at, nil
	}
	network, err := network(ip, at.nic)
	if err != nil {
		return place{}, err
	}
	var derived []string
	if at.nic == nil {
		if network == nil {
			return place{}, fault.Errorf(fault.NotInstalled,
				"no interface of this node is on a network that holds %s: give nic and "+
					"cidr_netmask", ip)
		}
		if at.nic, err = net.InterfaceByIndex(network.LinkIndex); err != nil {
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
		derived = append(derived, "prefix length")
	}
	at.derived = strings.Join(derived, " and ")
	return at, nil
}

// network returns the route to the smallest directly connected network that holds the address, nil
// if there is none. nic, if it is not nil, is the only interface that counts.
func network(ip netip.Addr, nic *net.Interface) (*netlink.Route, error) {
	routes, err := dump(func() ([]netlink.Route, error) {
		return netlink.RouteList(nil, family(ip))
	})
	if err != nil {
		return nil, fault.Errorf(fault.Unknown, "cannot read the routing table: %w", err)
	}
	var best *netlink.Route
	longest := 0 // the default route is no network
	for i, route := range routes {
		if route.Dst == nil || route.Gw != nil || route.Via != nil || len(route.MultiPath) > 0 ||
			route.Type != unix.RTN_UNICAST ||
			nic != nil && route.LinkIndex != nic.Index || !route.Dst.Contains(ip.AsSlice()) {
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

// add puts the address on the interface.
func (at place) add(ip netip.Addr) error {
	addr := &netlink.Addr{LinkIndex: at.nic.Index, IPNet: &net.IPNet{IP: ip.AsSlice(),
		Mask: net.CIDRMask(at.prefix, ip.BitLen())}}
	if !at.ownRoute {
		addr.Flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if ip.Is6() {
		// that has just been done, and the kernel would take a second for it
		addr.Flags |= unix.IFA_F_NODAD
	}
	err := netlink.AddrAdd(nil, addr)
	switch {
	case err == nil, errors.Is(err, syscall.EEXIST):
		return nil
	case errors.Is(err, syscall.EPERM):
		return fault.Errorf(fault.Denied, "may not add %s to %s: %w: the agent must run as root",
			ip, at.nic.Name, err)
	case errors.Is(err, syscall.EACCES) && ip.Is6():
		return fault.Errorf(fault.NotInstalled,
			"cannot add %s to %s: %w: IPv6 is switched off there (net.ipv6.conf.%s.disable_ipv6)",
			ip, at.nic.Name, err, at.nic.Name)
	}
	return fault.Errorf(fault.Unknown, "cannot add %s/%d to %s: %w", ip, at.prefix, at.nic.Name,
		err)
}

// remove takes an address off the interface that it was found on.
func (p *Provider) remove(found *netlink.Addr) error {
	link, err := netlink.LinkByIndex(found.LinkIndex)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil // gone in the meantime, and the address with it
	}
	if err != nil {
		return fault.Errorf(fault.Unknown, "cannot remove %s: cannot look at its interface: %w",
			found.IPNet, err)
	}
	restore, err := p.spare(found, link)
	if err != nil {
		return err
	}
	err = netlink.AddrDel(link, &netlink.Addr{IPNet: found.IPNet, Label: found.Label,
		Peer: found.Peer})
	switch {
	case err == nil, errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.ENODEV):
		restore()
		return nil
	case errors.Is(err, syscall.EPERM):
		return fault.Errorf(fault.Denied,
			"may not remove %s from %s: %w: the agent must run as root", found.IPNet,
			link.Attrs().Name, err)
	}
	return fault.Errorf(fault.Unknown, "cannot remove %s from %s: %w", found.IPNet,
		link.Attrs().Name, err)
}

// find looks for the address on all interfaces, and prefers the one asked for. The loopback
// interface counts only if it is asked for: real servers behind a direct-routing balancer have the
// address there.
func (p *Provider) find(ip netip.Addr) (*netlink.Addr, error) {
	addrs, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, family(ip)) })
	if err != nil {
		return nil, fault.Errorf(fault.Unknown, "cannot read this node's addresses: %w", err)
	}
	var found *netlink.Addr
	for i := range addrs {
		if have, ok := netip.AddrFromSlice(addrs[i].IP); !ok || have.Unmap() != ip {
			continue
		}
		name := interfaceName(addrs[i].LinkIndex)
		switch {
		case name != "" && name == p.NIC:
			return &addrs[i], nil
		case name != "lo" && found == nil:
			found = &addrs[i]
		}
	}
	return found, nil
}

// sound returns nil if the address can serve where it was found.
func (p *Provider) sound(found *netlink.Addr) error {
	name := interfaceName(found.LinkIndex)
	switch {
	case p.NIC != "" && name != p.NIC:
		return fault.Errorf(fault.Broken, "%s is on %s, and nic says %s", found.IP, name, p.NIC)
	case found.Flags&unix.IFA_F_DADFAILED != 0:
		return fault.Errorf(fault.Broken,
			"%s on %s is disabled: the kernel found another machine that uses it (dadfailed)",
			found.IP, name)
	}
	if err := carrier(found.LinkIndex); err != nil {
		return fault.Errorf(fault.Broken, "%s cannot serve: %w", found.IP, err)
	}
	return nil
}

// carrier returns nil if packets can leave by the interface.
func carrier(index int) error {
	link, err := netlink.LinkByIndex(index)
	if err != nil {
		return fmt.Errorf("cannot look at its interface: %w", err)
	}
	at := link.Attrs()
	switch {
	case at.RawFlags&unix.IFF_UP == 0:
		return fmt.Errorf("%s is down: ip link set %s up", at.Name, at.Name)
	case at.RawFlags&unix.IFF_LOWER_UP == 0 || at.RawFlags&unix.IFF_RUNNING == 0:
		return fmt.Errorf("%s has no carrier (it is %s): check its cable, switch port or lower "+
			"interface", at.Name, at.OperState)
	}
	return nil
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

func interfaceName(index int) string {
	nic, err := net.InterfaceByIndex(index)
	if err != nil {
		return ""
	}
	return nic.Name
}

func interfaceNames() string {
	all, err := net.Interfaces()
	if err != nil || len(all) == 0 {
		return "none that can be listed"
	}
	names := make([]string, len(all))
	for i, nic := range all {
		names[i] = nic.Name
	}
	return strings.Join(names, ", ")
}
