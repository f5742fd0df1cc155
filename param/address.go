package param

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// ParseAddr reads an IPv4 or IPv6 address without prefix length or zone.
func ParseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, errors.New("is not an IPv4 or IPv6 address")
	}
	if addr.Zone() != "" {
		return netip.Addr{}, errors.New("has a zone: give the address alone, and the interface " +
			"in its own parameter")
	}
	return addr.Unmap(), nil
}

// ParseHostAddr reads an address as ParseAddr does, and refuses one that no host can have, or that
// others cannot reach it by.
func ParseHostAddr(text string) (netip.Addr, error) {
	ip, err := ParseAddr(text)
	switch {
	case err != nil:
		return ip, err
	case ip.IsUnspecified(), ip.Is4() && ip.As4()[0] == 0:
		return ip, errors.New("is no host's address: it stands for any")
	case ip.IsMulticast():
		return ip, errors.New("is no host's address: it is that of a multicast group")
	case ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return ip, errors.New("is no host's address: it is the broadcast address of every network")
	case ip.IsLoopback():
		return ip, errors.New("is an address by which a machine reaches only itself")
	}
	return ip, nil
}

// CheckInNetwork reports an address that is the broadcast address of its network, or the network's
// own. Where the prefix leaves no room for the two (31 and 32), any address is a host's, as in IPv6.
func CheckInNetwork(ip netip.Addr, prefix int) error {
	const longest = 30
	if !ip.Is4() || prefix <= 0 || prefix > longest {
		return nil
	}
	four := ip.As4()
	host := (uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3])) <<
		prefix >> prefix
	network := netip.PrefixFrom(ip, prefix).Masked()
	switch host {
	case 0:
		return fmt.Errorf("is no host's address: it is that of the network %s", network)
	case 1<<(32-prefix) - 1:
		return fmt.Errorf("is no host's address: it is the broadcast address of the network %s",
			network)
	}
	return nil
}

// HostAddr binds an address, as ParseHostAddr reads it.
func HostAddr(p *netip.Addr) Value { return bind("string", "", p, ParseHostAddr) }

// Addr binds an address, as ParseAddr reads it.
func Addr(p *netip.Addr) Value { return bind("string", "", p, ParseAddr) }

// ParseNIC reads the name of a network interface. Whether it exists is a question about a node.
func ParseNIC(text string) (string, error) {
	// dev_valid_name() of Linux, and IFNAMSIZ
	if text == "" || len(text) > 15 || text == "." || text == ".." ||
		strings.ContainsAny(text, "/: \t\n\v\f\r") {
		return "", errors.New("is not the name of a network interface")
	}
	return text, nil
}

// NIC binds the name of a network interface, as ParseNIC reads it.
func NIC(p *string) Value { return bind("string", "", p, ParseNIC) }

// ParsePrefixLength reads a prefix length, also as an IPv4 netmask.
func ParsePrefixLength(text string) (int, error) {
	wrong := errors.New("is not a prefix length: write a number from 1 to 128, such as 24, or a " +
		"netmask such as 255.255.255.0")
	if mask, err := netip.ParseAddr(text); err == nil && mask.Is4() {
		b := mask.As4()
		bits := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		n := 0
		for ; bits&0x80000000 != 0; bits <<= 1 {
			n++
		}
		if bits != 0 || n == 0 {
			return 0, wrong
		}
		return n, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > 128 || strconv.Itoa(n) != text {
		return 0, wrong
	}
	return n, nil
}

// PrefixLength binds a prefix length, as ParsePrefixLength reads it.
func PrefixLength(p *int) Value { return bind("string", "", p, ParsePrefixLength) }
