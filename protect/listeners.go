package protect

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Match says which connections are held: those to any of the ports, at any of the addresses (all
// addresses if there are none).
type Match struct {
	Ports     []uint16
	Addresses []netip.Addr
}

func (m Match) covers(l listener) bool {
	if !slices.Contains(m.Ports, l.at.Port()) {
		return false
	}
	at := l.at.Addr().Unmap()
	if len(m.Addresses) == 0 || at.IsUnspecified() {
		return true
	}
	return slices.Contains(m.Addresses, at)
}

func (m Match) String() string {
	ports := make([]string, len(m.Ports))
	for i, p := range m.Ports {
		ports[i] = fmt.Sprint(p)
	}
	s := "port " + strings.Join(ports, ", ")
	if len(m.Addresses) > 0 {
		addresses := make([]string, len(m.Addresses))
		for i, a := range m.Addresses {
			addresses[i] = a.String()
		}
		s += " of " + strings.Join(addresses, ", ")
	}
	return s
}

// listener is a socket that accepts connections.
type listener struct {
	at      netip.AddrPort
	inode   uint32 // the same socket has the same, whichever process holds it
	waiting uint32 // connections that have not been accepted yet
	backlog uint32 // how many of them there may be
}

// sight is what the kernel says about the sockets of the protected ports.
type sight struct {
	listeners []listener
	opening   int // connections whose handshake has begun and is not complete
}

// States of linux/tcp_states.h as bits.
const (
	tcpSynRecv = 3
	tcpListen  = 10
)

// listSockets asks the kernel for the sockets, by sock_diag(7): unlike /proc/net/tcp it leaves the
// established connections out, of which there may be hundreds of thousands.
func listSockets(m Match) (sight, error) {
	var seen sight
	s, err := openSocket(unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return seen, err
	}
	defer s.close()
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		// struct inet_diag_req_v2 of linux/inet_diag.h: family, protocol, extensions, padding,
		// states, struct inet_diag_sockid.
		request := binary.NativeEndian.AppendUint32([]byte{family, unix.IPPROTO_TCP, 0, 0},
			1<<tcpListen|1<<tcpSynRecv)
		request = append(request, make([]byte, 48)...)
		err := s.dump(message{kind: unix.SOCK_DIAG_BY_FAMILY, body: request,
			what: "list the listening sockets"}, func(body []byte) {
			l, state, ok := parseSocket(body)
			switch {
			case !ok || !m.covers(l):
			case state == tcpListen:
				seen.listeners = append(seen.listeners, l)
			default:
				seen.opening++
			}
		})
		if err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// parseSocket reads a struct inet_diag_msg.
func parseSocket(b []byte) (l listener, state byte, ok bool) {
	if len(b) < 72 {
		return l, 0, false
	}
	var address netip.Addr
	switch b[0] {
	case unix.AF_INET:
		address = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.AF_INET6:
		address = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		return l, 0, false
	}
	l.at = netip.AddrPortFrom(address, binary.BigEndian.Uint16(b[4:]))
	// idiag_rqueue of a listening socket is its accept queue
	l.waiting = binary.NativeEndian.Uint32(b[56:])
	l.backlog = binary.NativeEndian.Uint32(b[60:]) // and idiag_wqueue its length
	l.inode = binary.NativeEndian.Uint32(b[68:])
	return l, b[1], true
}

// unused returns the ports that no process listens on.
func (s sight) unused(ports []uint16) []uint16 {
	var none []uint16
	for _, p := range ports {
		if !slices.ContainsFunc(s.listeners, func(l listener) bool { return l.at.Port() == p }) {
			none = append(none, p)
		}
	}
	return none
}

// drained reports whether no connection is waiting for the daemon: what comes from now on is held,
// so a listening socket may be closed without a loss.
func (s sight) drained() bool {
	return s.opening == 0 && !slices.ContainsFunc(s.listeners, func(l listener) bool {
		return l.waiting > 0
	})
}

// roomFor reports whether n more connections fit into each accept queue, or that it is empty and
// will be.
func (s sight) roomFor(n int) bool {
	return !slices.ContainsFunc(s.listeners, func(l listener) bool {
		coming := l.waiting + uint32(s.opening)
		return coming > 0 && coming+uint32(n) > l.backlog
	})
}

// handedOver reports whether every port has a listener, and no address has an old one beside a new
// one. If two processes listen, the kernel chooses between them, and what the old one has not
// accepted when it closes its socket is lost.
func (s sight) handedOver(before sight, ports []uint16) bool {
	if len(s.unused(ports)) > 0 {
		return false
	}
	for _, l := range s.listeners {
		beside := func(elder listener) bool { return elder.at == l.at && before.has(elder.inode) }
		if !before.has(l.inode) && slices.ContainsFunc(s.listeners, beside) {
			return false
		}
	}
	return true
}

func (s sight) has(inode uint32) bool {
	return slices.ContainsFunc(s.listeners, func(l listener) bool { return l.inode == inode })
}
