package param

import (
	"errors"
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
