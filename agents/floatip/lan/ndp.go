package lan

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// Neighbour discovery (RFC 4861): the two messages that claim an address, as whole IPv6 packets.
const (
	neighbourSolicitation  = 135
	neighbourAdvertisement = 136

	optSourceMAC = 1
	optTargetMAC = 2

	flagRouter   = 0x80 // in the first byte of an advertisement's flags
	flagOverride = 0x20

	ipv6HeaderLen = 40
	icmpLen       = 24 // type, code, checksum, flags, target
	protoICMPv6   = 58
)

// neighbour is a neighbour solicitation or advertisement.
type neighbour struct {
	typ      byte
	src, dst netip.Addr
	flags    byte
	target   netip.Addr
	option   byte             // optSourceMAC, optTargetMAC or 0
	mac      net.HardwareAddr // the option's
}

func (n neighbour) marshal() []byte {
	icmp := make([]byte, icmpLen, icmpLen+8)
	icmp[0], icmp[4] = n.typ, n.flags
	copy(icmp[8:], n.target.AsSlice())
	if n.option != 0 {
		icmp = append(append(icmp, n.option, 1), n.mac...)
	}
	packet := make([]byte, ipv6HeaderLen, ipv6HeaderLen+len(icmp))
	packet[0] = 6 << 4
	binary.BigEndian.PutUint16(packet[4:], uint16(len(icmp)))
	packet[6], packet[7] = protoICMPv6, 255
	copy(packet[8:], n.src.AsSlice())
	copy(packet[24:], n.dst.AsSlice())
	packet = append(packet, icmp...)
	binary.BigEndian.PutUint16(packet[ipv6HeaderLen+2:], icmpChecksum(packet))
	return packet
}

// parseNeighbour reads a packet and checks it as RFC 4861 sections 7.1.1 and 7.1.2 demand: a hop
// limit of 255 proves that it comes from this network.
func parseNeighbour(b []byte) (neighbour, bool) {
	if len(b) < ipv6HeaderLen+icmpLen || b[0]>>4 != 6 || b[6] != protoICMPv6 || b[7] != 255 {
		return neighbour{}, false
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length < icmpLen || len(b) < ipv6HeaderLen+length {
		return neighbour{}, false
	}
	b = b[:ipv6HeaderLen+length]
	icmp := b[ipv6HeaderLen:]
	if icmp[0] != neighbourSolicitation && icmp[0] != neighbourAdvertisement || icmp[1] != 0 ||
		icmpChecksum(b) != 0 {
		return neighbour{}, false
	}
	n := neighbour{
		typ: icmp[0], flags: icmp[4],
		src: netip.AddrFrom16([16]byte(b[8:24])), dst: netip.AddrFrom16([16]byte(b[24:40])),
		target: netip.AddrFrom16([16]byte(icmp[8:24])),
	}
	for options := icmp[icmpLen:]; len(options) > 0; {
		if len(options) < 2 || options[1] == 0 || len(options) < int(options[1])*8 {
			return neighbour{}, false
		}
		if (options[0] == optSourceMAC || options[0] == optTargetMAC) && options[1] == 1 {
			n.option, n.mac = options[0], net.HardwareAddr(append([]byte(nil), options[2:8]...))
		}
		options = options[int(options[1])*8:]
	}
	return n, true
}

// icmpChecksum returns the checksum over the pseudo-header and the message (RFC 4443 section 2.3);
// 0 for a packet that carries the right one.
func icmpChecksum(packet []byte) uint16 {
	icmp := packet[ipv6HeaderLen:]
	sum := uint32(len(icmp)) + protoICMPv6
	for _, part := range [][]byte{packet[8:ipv6HeaderLen], icmp} {
		for i := 0; i+1 < len(part); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(part[i:]))
		}
		if len(part)%2 == 1 {
			sum += uint32(part[len(part)-1]) << 8
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

var allNodes = netip.MustParseAddr("ff02::1")

// solicitedNode returns the group on which the owner of an address listens for solicitations (RFC
// 4291 section 2.7.1).
func solicitedNode(ip netip.Addr) netip.Addr {
	group := netip.MustParseAddr("ff02::1:ff00:0").As16()
	last := ip.As16()
	copy(group[13:], last[13:])
	return netip.AddrFrom16(group)
}

// multicastMAC returns the Ethernet address of a group (RFC 2464 section 7).
func multicastMAC(group netip.Addr) net.HardwareAddr {
	b := group.As16()
	return net.HardwareAddr{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// dadSolicitation asks who has the address without changing any neighbour's cache (RFC 4862 section
// 5.4.2).
func dadSolicitation(ip netip.Addr) []byte {
	return neighbour{typ: neighbourSolicitation, src: netip.IPv6Unspecified(),
		dst: solicitedNode(ip), target: ip}.marshal()
}

// unsolicitedAdvertisement tells all neighbours who has the address now (RFC 4861 section 7.2.6).
func unsolicitedAdvertisement(mac net.HardwareAddr, ip netip.Addr, router bool) []byte {
	n := neighbour{typ: neighbourAdvertisement, src: ip, dst: allNodes, flags: flagOverride,
		target: ip, option: optTargetMAC, mac: mac}
	if router {
		n.flags |= flagRouter
	}
	return n.marshal()
}

// claims reports whether the message shows that its sender has the address or is about to take it
// (RFC 4862 sections 5.4.3, 5.4.4).
func (n neighbour) claims(ip netip.Addr) bool {
	return n.target == ip && (n.typ == neighbourAdvertisement || n.src.IsUnspecified())
}
