package protect

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// This file has the part of netlink (netlink(7), RFC 3549) that three families of messages need:
// nf_tables, nfnetlink_queue and rtnetlink's queueing disciplines. A library would hide the socket,
// and the socket is the point: the guard inherits it, and the kernel removes what belongs to it
// when the last process that holds it is gone.

// kernelPatience is how long the kernel may take to answer. It answers at once, or after a grace
// period of RCU.
const kernelPatience = 3 * time.Second

type socket struct {
	fd  int
	seq uint32
	// deaf asks for no answers and waits for none: another process listens on the same socket, and
	// would miss those read here.
	deaf bool
}

func openSocket(protocol int) (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, os.NewSyscallError("netlink socket", err)
	}
	s := inheritedSocket(fd)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		s.close()
		return nil, os.NewSyscallError("bind a netlink socket", err)
	}
	patience := unix.NsecToTimeval(kernelPatience.Nanoseconds())
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &patience); err != nil {
			s.close()
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	return s, nil
}

// inheritedSocket uses a socket that another process opened. Answers to that process's requests may
// still arrive here, so the sequence numbers start elsewhere.
func inheritedSocket(fd int) *socket { return &socket{fd: fd, seq: uint32(time.Now().UnixNano())} }

func (s *socket) close() { _ = unix.Close(s.fd) }

// port returns the number by which the kernel knows the socket.
func (s *socket) port() (uint32, error) {
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return name.(*unix.SockaddrNetlink).Pid, nil
}

// message is one netlink message without its header's length and number.
type message struct {
	kind, flags uint16
	body        []byte
	unanswered  bool // unless the kernel refuses it
	what        string
}

// refusal is the kernel's error for a request.
type refusal struct {
	what  string
	errno unix.Errno
}

func (r *refusal) Error() string { return r.what + ": " + r.errno.Error() }
func (r *refusal) Unwrap() error { return r.errno }

// ask sends the messages at once and waits until the kernel has answered all of them. The error is
// that of the first that it refused.
func (s *socket) ask(messages ...message) error {
	sent, waiting := map[uint32]message{}, map[uint32]bool{}
	var out []byte
	for _, m := range messages {
		s.seq++
		flags := m.flags | unix.NLM_F_REQUEST
		sent[s.seq] = m
		if !m.unanswered && !s.deaf {
			flags |= unix.NLM_F_ACK
			waiting[s.seq] = true
		}
		out = append(out, s.encode(m, flags)...)
	}
	if err := unix.Sendto(s.fd, out, 0,
		&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError(messages[0].what+": send", err)
	}
	deadline := time.Now().Add(kernelPatience)
	for len(waiting) > 0 {
		if time.Now().After(deadline) {
			return fmt.Errorf("the kernel has not answered within %v", kernelPatience)
		}
		answers, err := s.receive()
		if err != nil {
			return err
		}
		for _, a := range answers {
			m, mine := sent[a.seq]
			if !mine || a.kind != unix.NLMSG_ERROR || len(a.body) < 4 {
				continue
			}
			if errno := -int32(binary.NativeEndian.Uint32(a.body)); errno != 0 {
				return &refusal{m.what, unix.Errno(errno)}
			}
			delete(waiting, a.seq)
		}
	}
	return nil
}

// dump sends one request and passes every part of the answer to each.
func (s *socket) dump(m message, each func(body []byte)) error {
	s.seq++
	if err := unix.Sendto(s.fd, s.encode(m, m.flags|unix.NLM_F_REQUEST|unix.NLM_F_DUMP), 0,
		&unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return os.NewSyscallError(m.what+": send", err)
	}
	for {
		answers, err := s.receive()
		if err != nil {
			return err
		}
		for _, a := range answers {
			switch {
			case a.seq != s.seq:
			case a.kind == unix.NLMSG_DONE:
				return nil
			case a.kind == unix.NLMSG_ERROR && len(a.body) >= 4:
				return &refusal{m.what, unix.Errno(-int32(binary.NativeEndian.Uint32(a.body)))}
			default:
				each(a.body)
			}
		}
	}
}

func (s *socket) encode(m message, flags uint16) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN, align(unix.NLMSG_HDRLEN+len(m.body)))
	binary.NativeEndian.PutUint32(b, uint32(unix.NLMSG_HDRLEN+len(m.body)))
	binary.NativeEndian.PutUint16(b[4:], m.kind)
	binary.NativeEndian.PutUint16(b[6:], flags)
	binary.NativeEndian.PutUint32(b[8:], s.seq)
	return pad(append(b, m.body...))
}

type answer struct {
	kind uint16
	seq  uint32
	body []byte
}

func (s *socket) receive() ([]answer, error) {
	buffer := make([]byte, 64<<10)
	n, _, err := unix.Recvfrom(s.fd, buffer, 0)
	switch err {
	case nil:
	case unix.EINTR:
		return nil, nil
	case unix.EAGAIN:
		return nil, fmt.Errorf("the kernel has not answered within %v", kernelPatience)
	default:
		return nil, os.NewSyscallError("receive from netlink", err)
	}
	return answersIn(buffer[:n]), nil
}

// answersIn splits one datagram into its messages. A truncated one is left out.
func answersIn(b []byte) []answer {
	var answers []answer
	for len(b) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			break
		}
		answers = append(answers, answer{
			kind: binary.NativeEndian.Uint16(b[4:]), seq: binary.NativeEndian.Uint32(b[8:]),
			body: b[unix.NLMSG_HDRLEN:length],
		})
		b = b[min(align(length), len(b)):]
	}
	return answers
}

func align(n int) int { return (n + 3) &^ 3 }

func pad(b []byte) []byte { return append(b, make([]byte, align(len(b))-len(b))...) }

// attribute returns a netlink attribute (struct nlattr).
func attribute(kind int, data []byte) []byte {
	b := make([]byte, unix.NLA_HDRLEN, align(unix.NLA_HDRLEN+len(data)))
	binary.NativeEndian.PutUint16(b, uint16(unix.NLA_HDRLEN+len(data)))
	binary.NativeEndian.PutUint16(b[2:], uint16(kind))
	return pad(append(b, data...))
}

func nested(kind int, parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return attribute(kind|unix.NLA_F_NESTED, all)
}

func text(kind int, s string) []byte { return attribute(kind, append([]byte(s), 0)) }

// number returns an attribute of 32 bits in network byte order, as netfilter has them.
func number(kind int, v uint32) []byte {
	return attribute(kind, binary.BigEndian.AppendUint32(nil, v))
}

func number16(kind int, v uint16) []byte {
	return attribute(kind, binary.BigEndian.AppendUint16(nil, v))
}

// netfilterMessage returns a message to one of netfilter's subsystems: struct nfgenmsg, then
// attributes.
func netfilterMessage(what string, subsystem, kind, flags int, family byte, resource uint16,
	attributes ...[]byte) message {
	body := []byte{family, unix.NFNETLINK_V0}
	body = binary.BigEndian.AppendUint16(body, resource)
	for _, a := range attributes {
		body = append(body, a...)
	}
	return message{kind: uint16(subsystem<<8 | kind), flags: uint16(flags), body: body, what: what}
}
