package haproxy

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// Of linux/inet_diag.h and linux/tcp_states.h.
const (
	diagMessage = 72 // sizeof(struct inet_diag_msg)
	diagV6Only  = 11 // INET_DIAG_SKV6ONLY, an attribute of each listening socket of IPv6 (Linux 4.1)
	tcpListen   = 10
)

// diagTimeout is how long the kernel may take; it answers at once.
var diagTimeout = unix.Timeval{Sec: 3}

var errNoDiag = errors.New("the kernel does not list its sockets by sock_diag")

// diagListeners asks the kernel for the listening sockets, by sock_diag(7). Unlike /proc/net/tcp it
// knows which sockets of IPv6 take IPv4 too, and leaves out the established connections, of which
// there may be hundreds of thousands.
func diagListeners() ([]Listener, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC,
		unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, os.NewSyscallError("netlink socket", err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO,
		&diagTimeout); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	var all []Listener
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		if err := unix.Sendto(fd, diagRequest(family), 0,
			&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return nil, os.NewSyscallError("send to netlink", err)
		}
		buffer := make([]byte, 64<<10)
		for done := false; !done; {
			n, _, err := unix.Recvfrom(fd, buffer, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil {
				return nil, os.NewSyscallError("receive from netlink", err)
			}
			var some []Listener
			if some, done, err = parseDiag(buffer[:n]); err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	return all, nil
}

// diagRequest is a netlink header and struct inet_diag_req_v2: family, protocol, extensions,
// padding, states, struct inet_diag_sockid.
func diagRequest(family byte) []byte {
	const length = unix.NLMSG_HDRLEN + 56
	b := binary.NativeEndian.AppendUint32(nil, length)
	b = binary.NativeEndian.AppendUint16(b, unix.SOCK_DIAG_BY_FAMILY)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	b = append(b, make([]byte, 8)...)
	b = append(b, family, unix.IPPROTO_TCP, 0, 0)
	b = binary.NativeEndian.AppendUint32(b, 1<<tcpListen)
	return append(b, make([]byte, length-len(b))...)
}

// parseDiag reads one datagram of the answer; done is its end.
func parseDiag(b []byte) (listeners []Listener, done bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			return nil, false, errNoDiag
		}
		body := b[unix.NLMSG_HDRLEN:length]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return listeners, true, nil
		case unix.NLMSG_ERROR:
			return nil, false, errNoDiag
		default:
			if l, ok := parseDiagSocket(body); ok {
				listeners = append(listeners, l)
			}
		}
		b = b[min((length+3)&^3, len(b)):]
	}
	return listeners, false, nil
}

// parseDiagSocket reads a struct inet_diag_msg and the attributes behind it.
func parseDiagSocket(b []byte) (Listener, bool) {
	if len(b) < diagMessage || b[1] != tcpListen {
		return Listener{}, false
	}
	var addr netip.Addr
	switch b[0] {
	case unix.AF_INET:
		addr = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.AF_INET6:
		addr = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		return Listener{}, false
	}
	l := Listener{Inode: uint64(binary.NativeEndian.Uint32(b[68:]))}
	if l.Inode == 0 {
		return Listener{}, false
	}
	v6only := true // what is not known is not both
	for rest := b[diagMessage:]; len(rest) >= unix.NLA_HDRLEN; {
		length := int(binary.NativeEndian.Uint16(rest))
		if length < unix.NLA_HDRLEN || length > len(rest) {
			break
		}
		if binary.NativeEndian.Uint16(rest[2:]) == diagV6Only && length > unix.NLA_HDRLEN {
			v6only = rest[unix.NLA_HDRLEN] != 0
		}
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	l.Addr = netip.AddrPortFrom(addr.Unmap(), binary.BigEndian.Uint16(b[4:]))
	l.Both = addr == netip.IPv6Unspecified() && !v6only
	return l, true
}
