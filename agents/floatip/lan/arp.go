package lan

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
)

// arp is an ARP packet for IPv4 over Ethernet (RFC 826).
type arp struct {
	op                   uint16
	senderMAC, targetMAC net.HardwareAddr
	senderIP, targetIP   netip.Addr
}

const (
	arpRequest = 1
	arpReply   = 2
	arpLen     = 28
)

// arpHead is what every such packet begins with: hardware type 1, protocol 0x0800, lengths 6 and 4.
var arpHead = [6]byte{0, 1, 8, 0, 6, 4}

func (a arp) marshal() []byte {
	b := append(make([]byte, 0, arpLen), arpHead[:]...)
	b = binary.BigEndian.AppendUint16(b, a.op)
	b = append(b, a.senderMAC...)
	b = append(b, a.senderIP.AsSlice()...)
	b = append(b, a.targetMAC...)
	return append(b, a.targetIP.AsSlice()...)
}

// parseARP reads a packet; the bytes with which Ethernet fills a short frame may follow it.
func parseARP(b []byte) (arp, bool) {
	if len(b) < arpLen || !bytes.Equal(b[:6], arpHead[:]) {
		return arp{}, false
	}
	return arp{
		op:        binary.BigEndian.Uint16(b[6:]),
		senderMAC: net.HardwareAddr(bytes.Clone(b[8:14])),
		senderIP:  netip.AddrFrom4([4]byte(b[14:18])),
		targetMAC: net.HardwareAddr(bytes.Clone(b[18:24])),
		targetIP:  netip.AddrFrom4([4]byte(b[24:28])),
	}, true
}

var (
	broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	noMAC     = make(net.HardwareAddr, 6)
	noIPv4    = netip.IPv4Unspecified()
)

// arpProbe asks who has the address without changing any neighbour's cache (RFC 5227 section
// 2.1.1).
func arpProbe(mac net.HardwareAddr, ip netip.Addr) []byte {
	return arp{op: arpRequest, senderMAC: mac, senderIP: noIPv4, targetMAC: noMAC,
		targetIP: ip}.marshal()
}

// gratuitousARP tells all neighbours who has the address now. Some systems update their cache on a
// request, others only on a reply, so there is one of each.
func gratuitousARP(mac net.HardwareAddr, ip netip.Addr) [][]byte {
	return [][]byte{
		arp{op: arpRequest, senderMAC: mac, senderIP: ip, targetMAC: noMAC, targetIP: ip}.marshal(),
		arp{op: arpReply, senderMAC: mac, senderIP: ip, targetMAC: broadcast,
			targetIP: ip}.marshal(),
	}
}

// claims reports whether the packet shows that its sender has the address or is about to take it
// (RFC 5227 section 2.1.1).
func (a arp) claims(ip netip.Addr) bool {
	return a.senderIP == ip || a.op == arpRequest && a.senderIP == noIPv4 && a.targetIP == ip
}
