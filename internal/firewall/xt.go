package firewall

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// iptables-nft writes what nf_tables cannot express as matches and targets of iptables
// (nft_compat): structures of the kernel's headers, in the machine's byte order.

func (m *machine) xtMatch(a attributes) stepped {
	name, info := a.text(unix.NFTA_MATCH_NAME), a[unix.NFTA_MATCH_INFO]
	result, read := maybe, false
	switch name {
	case "comment":
		return matches
	case "tcp", "udp":
		return m.xtPorts(name, info)
	case "multiport":
		result, read = m.xtMultiport(info, a.number(unix.NFTA_MATCH_REV))
	case "conntrack":
		result, read = m.xtConntrack(info, a.number(unix.NFTA_MATCH_REV))
	case "state":
		if len(info) >= 4 && m.walk.tracked {
			result, read = bit(binary.NativeEndian.Uint32(info)&m.walk.state() != 0), true
		}
	case "addrtype":
		result, read = m.xtAddrtype(info, a.number(unix.NFTA_MATCH_REV))
	case "limit", "hashlimit", "connlimit", "recent", "quota", "statistic":
		return m.perhaps("how many such packets come (" + name + ")")
	}
	if !read {
		return m.unread("a match of iptables of the kind " + name)
	}
	if result == maybe {
		return m.perhaps("other parts of the packet (" + name + ")")
	}
	return stepped{match: result}
}

func bit(b bool) ternary {
	if b {
		return yes
	}
	return no
}

// inPorts says whether a port is in a range; 0 is an unknown port.
func inPorts(port, low, high uint16) ternary {
	switch {
	case low == 0 && high == 0xffff:
		return yes
	case port == 0:
		return maybe
	}
	return bit(low <= port && port <= high)
}

// xtPorts reads struct xt_tcp and struct xt_udp (linux/netfilter/xt_tcpudp.h).
func (m *machine) xtPorts(name string, info []byte) stepped {
	length := 10
	if name == "tcp" {
		length = 12
	}
	if len(info) < length {
		return m.unread("a match of iptables of the kind " + name)
	}
	n := binary.NativeEndian
	from := inPorts(m.walk.packet.FromPort, n.Uint16(info), n.Uint16(info[2:]))
	to := inPorts(m.walk.packet.Port, n.Uint16(info[4:]), n.Uint16(info[6:]))
	invert := info[8]
	flags := yes
	if name == "tcp" {
		option, mask, want := info[8], info[9], info[10]
		invert = info[11]
		if option != 0 {
			flags = maybe
		}
		if mask != 0 {
			got, known := m.walk.transport[13], m.walk.transportKnown[13]
			flags = both(flags, same([]byte{got & mask}, []byte{known | ^mask}, []byte{want}))
			if invert&0x4 != 0 {
				flags = not(flags)
			}
		}
	}
	if invert&0x1 != 0 {
		from = not(from)
	}
	if invert&0x2 != 0 {
		to = not(to)
	}
	wanted := uint8(UDP)
	if name == "tcp" {
		wanted = TCP
	}
	result := both(both(from, to), both(flags, bit(m.walk.packet.Protocol == wanted)))
	if result == maybe {
		return m.perhaps("the sender's port or other parts of the packet")
	}
	return stepped{match: result}
}

// xtMultiport reads struct xt_multiport_v1 (linux/netfilter/xt_multiport.h).
func (m *machine) xtMultiport(info []byte, revision uint32) (ternary, bool) {
	if revision != 1 || len(info) < 48 {
		return maybe, false
	}
	kind, count, inverted := info[0], int(info[1]), info[47] != 0
	const source, destination = 0, 1
	port := m.walk.packet.Port
	switch kind {
	case source:
		port = m.walk.packet.FromPort
	case destination:
	default:
		return maybe, true // either of them
	}
	if port == 0 {
		return maybe, true
	}
	ports := func(i int) uint16 { return binary.NativeEndian.Uint16(info[2+2*i:]) }
	found := false
	for i := 0; i < min(count, 15); i++ {
		low, high := ports(i), ports(i)
		if info[32+i] != 0 && i+1 < 15 { // the next one is the other end
			i++
			high = ports(i)
		}
		found = found || low <= port && port <= high
	}
	return bit(found != inverted), true
}

// xtConntrack reads struct xt_conntrack_mtinfo1 to 3 (linux/netfilter/xt_conntrack.h), if it tests
// only the state.
func (m *machine) xtConntrack(info []byte, revision uint32) (ternary, bool) {
	if revision < 1 || revision > 3 || len(info) < 154 || !m.walk.tracked {
		return maybe, false
	}
	const state, alias, snat, dnat = 0x1, 0x2000, 0x40, 0x80 // alias: it was written as "-m state"
	n := binary.NativeEndian
	asks, inverts, states := n.Uint16(info[146:]), n.Uint16(info[148:]), n.Uint16(info[150:])
	if revision == 1 {
		states = uint16(info[150])
	}
	if asks&^alias != state {
		return maybe, true
	}
	// the bits of nf_tables, and two for address translation, which none of the rules followed so
	// far has done
	found := states&^(snat|dnat)&uint16(m.walk.state()) != 0
	return bit(found != (inverts&state != 0)), true
}

// xtAddrtype reads struct xt_addrtype_info_v1 (linux/netfilter/xt_addrtype.h).
func (m *machine) xtAddrtype(info []byte, revision uint32) (ternary, bool) {
	if revision != 1 || len(info) < 8 || m.walk.packet.Out {
		return maybe, false
	}
	n := binary.NativeEndian
	source, destination, flags := n.Uint16(info), n.Uint16(info[2:]), n.Uint32(info[4:])
	// the last two limit it to an interface
	const local, invertDestination, others = 1 << 2, 0x2, 0x4 | 0x8
	if source != 0 || flags&others != 0 {
		return maybe, true
	}
	found := destination == 0 || destination&local != 0
	return bit(found != (flags&invertDestination != 0)), true
}

func (m *machine) xtTarget(a attributes) stepped {
	switch name := a.text(unix.NFTA_TARGET_NAME); name {
	case "REJECT":
		return stepped{match: yes, verdicts: []verdict{{code: verdictDrop}}}
	case "LOG", "NFLOG", "AUDIT", "MARK", "CONNMARK", "TCPMSS", "CHECKSUM", "CLASSIFY", "DSCP",
		"TOS":
		return matches
	case "CT", "NOTRACK":
		m.walk.tracked = false
		return matches
	case "SNAT", "MASQUERADE":
		return stepped{match: yes, verdicts: []verdict{{code: verdictAccept}}}
	default:
		return elsewhere("a target of iptables of the kind " + name)
	}
}
