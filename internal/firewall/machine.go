package firewall

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// machine is the kernel's machine with which a rule reads a packet: registers of four bytes, here
// with what is known about each bit (linux/netfilter/nf_tables.h; net/netfilter/nf_tables_core.c).
type machine struct {
	walk  *walk
	chain *Chain

	data, known [96]byte
	why         [96]string // what an unknown byte stands for
	doubts      []Doubt
}

type verdict struct {
	code  int32
	chain string
	why   string
}

// stepped is the result of a step: whether the rule still matches, and where the packet goes.
type stepped struct {
	match    ternary
	verdicts []verdict
}

var (
	matches = stepped{match: yes}
	differs = stepped{match: no}
)

// at is where a register begins: 1 to 4 have sixteen bytes each, 8 and up four.
func at(register uint32) int {
	if register <= 4 {
		return int(register) * 16
	}
	return int(register-8)*4 + 16
}

func (m *machine) put(register uint32, data, known []byte, why string) {
	i := at(register)
	if i+len(data) > len(m.data) {
		return
	}
	copy(m.data[i:], data)
	copy(m.known[i:], known)
	for n := range data {
		m.why[i+n] = why
	}
}

func (m *machine) putKnown(register uint32, data []byte) {
	m.put(register, data, bytes.Repeat([]byte{0xff}, len(data)), "")
}

// putUnknown marks so many bytes from a register on as unknown.
func (m *machine) putUnknown(register uint32, length int, why string) {
	m.put(register, make([]byte, length), make([]byte, length), why)
}

func (m *machine) get(register uint32, length int) (data, known []byte, why string, ok bool) {
	i := at(register)
	if i+length > len(m.data) || length < 0 {
		return nil, nil, "", false
	}
	for n := range length {
		if m.known[i+n] != 0xff && m.why[i+n] != "" {
			why = m.why[i+n]
		}
	}
	return m.data[i : i+length], m.known[i : i+length], why, true
}

// perhaps is a match that cannot be decided, for a reason that lies in the packet.
func (m *machine) perhaps(what string) stepped {
	m.doubts = append(m.doubts, Doubt{m.chain.place(), what, false})
	return stepped{match: maybe}
}

// unread is a step that this program does not know.
func (m *machine) unread(what string) stepped {
	m.doubts = append(m.doubts, Doubt{m.chain.place(), what, true})
	return stepped{match: maybe}
}

// elsewhere is a step after which the packet is changed, or no longer the kernel's.
func elsewhere(what string) stepped {
	return stepped{match: yes, verdicts: []verdict{{code: verdictElsewhere, why: what}}}
}

// verdictElsewhere is not a verdict of the kernel's.
const verdictElsewhere = -100

func (m *machine) step(e Expr) stepped {
	a := e.attrs
	switch e.Name {
	case "counter", "log", "notrack", "last":
		if e.Name == "notrack" {
			m.walk.tracked = false
		}
		return matches
	case "meta":
		if a[unix.NFTA_META_SREG] != nil {
			return matches // it sets something: a mark, of which setsMarks knows
		}
		m.meta(a.number(unix.NFTA_META_DREG), a.number(unix.NFTA_META_KEY))
		return matches
	case "payload":
		return m.payload(a)
	case "ct":
		return m.ct(a)
	case "fib":
		m.fib(a)
		return matches
	case "cmp":
		return m.compare(a)
	case "range":
		return m.inRange(a)
	case "bitwise":
		m.bitwise(a)
		return matches
	case "lookup":
		return m.lookup(a)
	case "immediate":
		return m.immediate(a)
	case "reject":
		return stepped{match: yes, verdicts: []verdict{{code: verdictDrop}}}
	case "limit":
		return m.perhaps("how many such packets come (a rate limit)")
	case "quota":
		return m.perhaps("how much has come (a quota)")
	case "connlimit":
		return m.perhaps("how many connections there are (a limit)")
	case "dynset":
		return m.perhaps("what is in a set that packets fill")
	case "objref":
		const counter = 1 // NFT_OBJECT_COUNTER
		if a.number(unix.NFTA_OBJREF_IMM_TYPE) == counter {
			return matches
		}
		return m.unread("a named limit, quota or helper")
	case "masq":
		return stepped{match: yes, verdicts: []verdict{{code: verdictAccept}}}
	case "nat":
		if a.number(unix.NFTA_NAT_TYPE) == unix.NFT_NAT_SNAT {
			return stepped{match: yes, verdicts: []verdict{{code: verdictAccept}}}
		}
		return elsewhere("a rule that sends the packet to another address or port (dnat)")
	case "redir", "tproxy":
		return elsewhere("a rule that sends the packet to another port (" + e.Name + ")")
	case "queue":
		return elsewhere("a program to which a rule hands the packet (queue)")
	case "fwd", "dup", "synproxy":
		return elsewhere("a rule of the kind " + e.Name)
	case "match":
		return m.xtMatch(a)
	case "target":
		return m.xtTarget(a)
	case "byteorder", "rt", "socket", "hash", "numgen", "exthdr", "osf", "xfrm", "tunnel", "inner":
		m.forget(e)
		return matches
	}
	return m.unread("a step of the kind " + e.Name)
}

// forget marks what a step writes as unknown. All of those steps have their destination register
// among their first attributes, but not the same one: so everything that was read so far is
// forgotten.
func (m *machine) forget(e Expr) {
	for i := range m.data {
		m.known[i] = 0
		m.why[i] = "\x00a step of the kind " + e.Name
	}
}

// meta reads what the kernel knows about the packet besides its headers.
func (m *machine) meta(register, key uint32) {
	p := m.walk.packet
	name := func() []byte {
		b := make([]byte, 16) // IFNAMSIZ
		copy(b, p.Interface)
		return b
	}
	in, out := !p.Out, p.Out
	switch {
	case key == unix.NFT_META_L4PROTO:
		m.putKnown(register, []byte{p.Protocol, 0, 0, 0})
	case key == unix.NFT_META_NFPROTO:
		family := byte(familyIPv4)
		if p.IPv6 {
			family = familyIPv6
		}
		m.putKnown(register, []byte{family, 0, 0, 0})
	case key == unix.NFT_META_PROTOCOL:
		kind := uint16(unix.ETH_P_IP)
		if p.IPv6 {
			kind = unix.ETH_P_IPV6
		}
		m.putKnown(register, append(binary.BigEndian.AppendUint16(nil, kind), 0, 0))
	case p.Interface != "" &&
		(key == unix.NFT_META_IIFNAME && in || key == unix.NFT_META_OIFNAME && out):
		m.putKnown(register, name())
	case p.Index != 0 && (key == unix.NFT_META_IIF && in || key == unix.NFT_META_OIF && out):
		m.putKnown(register, native32(uint32(p.Index)))
	case key == unix.NFT_META_PKTTYPE:
		m.putKnown(register, []byte{0, 0, 0, 0}) // PACKET_HOST
	case key == unix.NFT_META_MARK && !m.walk.markUnknown:
		m.putKnown(register, native32(0))
	default:
		m.putUnknown(register, 16,
			fmt.Sprintf("what the kernel knows besides the headers (meta key %d)", key))
	}
}

// payload reads the packet.
func (m *machine) payload(a attributes) stepped {
	if a[unix.NFTA_PAYLOAD_SREG] != nil {
		return elsewhere("a rule that changes the packet")
	}
	register, offset, length := a.number(unix.NFTA_PAYLOAD_DREG), int(
		a.number(unix.NFTA_PAYLOAD_OFFSET)), int(a.number(unix.NFTA_PAYLOAD_LEN))
	var data, known []byte
	switch a.number(unix.NFTA_PAYLOAD_BASE) {
	case unix.NFT_PAYLOAD_NETWORK_HEADER:
		data, known = m.walk.network, m.walk.networkKnown
	case unix.NFT_PAYLOAD_TRANSPORT_HEADER:
		data, known = m.walk.transport, m.walk.transportKnown
	}
	if length > 16*4 {
		return m.unread("a long part of the packet")
	}
	padded := (length + 3) &^ 3
	if offset+length > len(data) {
		m.putUnknown(register, padded, "a part of the packet")
		return matches
	}
	// The kernel sets the rest of the last four bytes to 0.
	d, k := make([]byte, padded), bytes.Repeat([]byte{0xff}, padded)
	copy(d, data[offset:offset+length])
	copy(k, known[offset:offset+length])
	m.put(register, d, k, m.walk.part(a.number(unix.NFTA_PAYLOAD_BASE), offset))
	return matches
}

// part names what is read, if it is not known.
func (w *walk) part(base uint32, offset int) string {
	from, to := 12, 16
	if w.packet.IPv6 {
		from, to = 8, 24
	}
	switch {
	case base == unix.NFT_PAYLOAD_NETWORK_HEADER && offset == from:
		return "who sends the packet"
	case base == unix.NFT_PAYLOAD_NETWORK_HEADER && offset == to:
		return "to which address it goes"
	case base == unix.NFT_PAYLOAD_TRANSPORT_HEADER && offset == 0:
		return "the sender's port"
	}
	return "other parts of the packet"
}

// States of connection tracking, as nf_tables has them (NF_CT_STATE_BIT of
// linux/netfilter/nf_conntrack_common.h).
const (
	stateEstablished = 2
	stateNew         = 8
	statusNAT        = 0x10 | 0x20 // IPS_SRC_NAT, IPS_DST_NAT
)

func (w *walk) state() uint32 {
	if w.packet.Established {
		return stateEstablished
	}
	return stateNew
}

func (m *machine) ct(a attributes) stepped {
	if a[unix.NFTA_CT_SREG] != nil {
		return matches // it sets a mark or a zone of the connection
	}
	register := a.number(unix.NFTA_CT_DREG)
	switch key := a.number(unix.NFTA_CT_KEY); {
	case key == unix.NFT_CT_STATE && m.walk.tracked:
		m.putKnown(register, native32(m.walk.state()))
	case key == unix.NFT_CT_STATUS && m.walk.tracked:
		m.put(register, native32(0), native32(statusNAT), "what connection tracking knows")
	default:
		m.putUnknown(register, 16, "what connection tracking knows")
	}
	return matches
}

// fib says what kind of address the destination is; how it would be routed is not known here.
func (m *machine) fib(a attributes) {
	const register, result, flags = 1, 2, 3 // NFTA_FIB_DREG, NFTA_FIB_RESULT, NFTA_FIB_FLAGS
	const addressType, destination = 3, 2   // NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR
	if a.number(result) == addressType && a.number(flags)&destination != 0 && !m.walk.packet.Out {
		m.putKnown(a.number(register), native32(unix.RTN_LOCAL))
		return
	}
	m.putUnknown(a.number(register), 16, "how the kernel would route the packet")
}

// unknown says that the step cannot be decided because what it reads is not known.
func (m *machine) unknown(why string) stepped {
	if why == "" {
		return m.unread("a register that nothing was read into")
	}
	if why[0] == 0 {
		return m.unread(why[1:])
	}
	return m.perhaps(why)
}

func (m *machine) compare(a attributes) stepped {
	value := a.within(unix.NFTA_CMP_DATA)[unix.NFTA_DATA_VALUE]
	key, known, why, ok := m.get(a.number(unix.NFTA_CMP_SREG), len(value))
	if !ok {
		return m.unread("a comparison")
	}
	result := maybe
	switch op := a.number(unix.NFTA_CMP_OP); op {
	case unix.NFT_CMP_EQ:
		result = same(key, known, value)
	case unix.NFT_CMP_NEQ:
		result = not(same(key, known, value))
	default:
		if !allKnown(known) {
			break
		}
		c := bytes.Compare(key, value)
		holds := op == unix.NFT_CMP_LT && c < 0 || op == unix.NFT_CMP_LTE && c <= 0 ||
			op == unix.NFT_CMP_GT && c > 0 || op == unix.NFT_CMP_GTE && c >= 0
		result = no
		if holds {
			result = yes
		}
	}
	if result == maybe {
		return m.unknown(why)
	}
	return stepped{match: result}
}

func (m *machine) inRange(a attributes) stepped {
	from := a.within(unix.NFTA_RANGE_FROM_DATA)[unix.NFTA_DATA_VALUE]
	to := a.within(unix.NFTA_RANGE_TO_DATA)[unix.NFTA_DATA_VALUE]
	key, known, why, ok := m.get(a.number(unix.NFTA_RANGE_SREG), len(from))
	if !ok || len(from) != len(to) {
		return m.unread("a range")
	}
	if !allKnown(known) {
		return m.unknown(why)
	}
	result := no
	if bytes.Compare(key, from) >= 0 && bytes.Compare(key, to) <= 0 {
		result = yes
	}
	if a.number(unix.NFTA_RANGE_OP) == unix.NFT_RANGE_NEQ {
		result = not(result)
	}
	return stepped{match: result}
}

// bitwise is (register & mask) ^ value: bits that the mask clears are known to be those of the
// value.
func (m *machine) bitwise(a attributes) {
	const operation = 6 // NFTA_BITWISE_OP; 0 is the mask, others shift or take two registers
	length := int(a.number(unix.NFTA_BITWISE_LEN))
	key, known, why, ok := m.get(a.number(unix.NFTA_BITWISE_SREG), length)
	mask := a.within(unix.NFTA_BITWISE_MASK)[unix.NFTA_DATA_VALUE]
	value := a.within(unix.NFTA_BITWISE_XOR)[unix.NFTA_DATA_VALUE]
	if !ok || a.number(operation) != 0 || len(mask) != length || len(value) != length {
		m.putUnknown(a.number(unix.NFTA_BITWISE_DREG), 16,
			"\x00a shift or another operation on bits")
		return
	}
	d, k := make([]byte, length), make([]byte, length)
	for i := range d {
		d[i] = key[i]&known[i]&mask[i] ^ value[i]
		k[i] = known[i] | ^mask[i]
	}
	m.put(a.number(unix.NFTA_BITWISE_DREG), d, k, why)
}

func (m *machine) lookup(a attributes) stepped {
	s := m.walk.rules.sets[setID{m.chain.Family, m.chain.Table, a.text(unix.NFTA_LOOKUP_SET)}]
	if s == nil {
		return m.unread("the set " + a.text(unix.NFTA_LOOKUP_SET) + ", which could not be read")
	}
	key, known, why, ok := m.get(a.number(unix.NFTA_LOOKUP_SREG), s.keyLength)
	if !ok {
		return m.unread("the set " + s.id.name)
	}
	found, perhaps, sure := s.find(key, known)
	_, mapped := a[unix.NFTA_LOOKUP_DREG]
	const invert = 1 // NFT_LOOKUP_F_INV
	inverted := a.number(unix.NFTA_LOOKUP_FLAGS)&invert != 0
	switch {
	case !sure && !mapped:
		return m.unknown(why)
	case !sure:
		s := m.unknown(why)
		for _, e := range perhaps {
			s.verdicts = append(s.verdicts, verdictIn(e.data))
		}
		if a.number(unix.NFTA_LOOKUP_DREG) != unix.NFT_REG_VERDICT {
			m.putUnknown(a.number(unix.NFTA_LOOKUP_DREG), 16, why)
			s.verdicts = nil
		}
		return s
	case (found != nil) == inverted:
		return differs
	case !mapped:
		return matches
	case a.number(unix.NFTA_LOOKUP_DREG) == unix.NFT_REG_VERDICT:
		return stepped{match: yes, verdicts: []verdict{verdictIn(found.data)}}
	}
	m.putKnown(a.number(unix.NFTA_LOOKUP_DREG), found.data[unix.NFTA_DATA_VALUE])
	return matches
}

func (m *machine) immediate(a attributes) stepped {
	data := a.within(unix.NFTA_IMMEDIATE_DATA)
	if register := a.number(unix.NFTA_IMMEDIATE_DREG); register != unix.NFT_REG_VERDICT {
		m.putKnown(register, data[unix.NFTA_DATA_VALUE])
		return matches
	}
	return stepped{match: yes, verdicts: []verdict{verdictIn(data)}}
}

func verdictIn(data attributes) verdict {
	v := data.within(unix.NFTA_DATA_VERDICT)
	code := int32(v.number(unix.NFTA_VERDICT_CODE))
	if v[unix.NFTA_VERDICT_CODE] == nil {
		return verdict{code: verdictElsewhere, why: "a verdict that cannot be read"}
	}
	out := verdict{code: code, chain: v.text(unix.NFTA_VERDICT_CHAIN)}
	if code > verdictAccept {
		out.why = "a program to which a rule hands the packet"
	}
	return out
}
