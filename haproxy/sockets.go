package haproxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Sockets are copies of the listening sockets of a HAProxy. As long as somebody holds them the
// kernel keeps completing connections on them, whatever happens to HAProxy, and queues them for the
// next process that accepts: a held socket on which no HAProxy accepts is a hole in which clients
// wait.
//
// They are passed from one HAProxy to the next in HAProxy's own way (its `_getsocks`, which
// `haproxy -x` asks for; src/cli.c and src/sock.c of HAProxy 2.3 to 3.4): the number of sockets;
// then groups of at most 252, the descriptors beside a description of each, of which the receiver
// acknowledges every one.
type Sockets struct{ list []heldSocket }

// heldSocket is one of them.
type heldSocket struct {
	fd int
	// description is HAProxy's: the lengths and names of name space and interface, and four zero
	// bytes.
	description []byte
}

const (
	// socketGroup is how many sockets HAProxy sends or takes at once (MAX_SEND_FD).
	socketGroup = 252
	// descriptionLimit is what the description of a group can take: two names with their lengths,
	// and four bytes, for each.
	descriptionLimit = socketGroup * (1 + 255 + 1 + 255 + 4)
	// socketsLimit is how many sockets are plausible: more than that is not an answer from HAProxy.
	socketsLimit = 1 << 20
	// socketsAsk is the command with which HAProxy asks.
	socketsAsk = "_getsocks\n"
)

// ErrNoSockets means that HAProxy passes no sockets: its stats socket lacks `expose-fd listeners`.
var ErrNoSockets = errors.New("HAProxy passes no listening sockets (its stats socket needs " +
	"`expose-fd listeners`)")

// Sockets requests copies of all listening sockets. While it answers, one thread of HAProxy does
// nothing else, so the context should not leave it much time.
func (r Runtime) Sockets(ctx context.Context) (*Sockets, error) {
	var d net.Dialer
	plain, err := d.DialContext(ctx, "unix", r.Path)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to HAProxy's socket: %w", err)
	}
	defer func() { _ = plain.Close() }()
	unhook := context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })
	defer unhook()
	conn := plain.(*net.UnixConn)
	if _, err := conn.Write([]byte(socketsAsk)); err != nil {
		return nil, answerError(ctx, r.Path, strings.TrimSpace(socketsAsk), err)
	}
	sockets, err := receiveSockets(conn)
	if err != nil {
		sockets.Close()
		if errors.Is(err, ErrNoSockets) {
			return nil, fmt.Errorf("%s: %w", r.Path, err)
		}
		return nil, answerError(ctx, r.Path, strings.TrimSpace(socketsAsk), err)
	}
	return sockets, nil
}

// receiveSockets reads HAProxy's answer. What it returns together with an error must be closed.
func receiveSockets(conn *net.UnixConn) (*Sockets, error) {
	sockets := &Sockets{}
	var number [4]byte
	switch _, err := io.ReadFull(conn, number[:]); {
	case errors.Is(err, io.EOF):
		return sockets, ErrNoSockets
	case err != nil:
		return sockets, err
	}
	count := int(int32(binary.NativeEndian.Uint32(number[:])))
	if count < 0 || count > socketsLimit {
		return sockets, fmt.Errorf("%d is not a number of sockets", count)
	}
	text := make([]byte, descriptionLimit)
	rights := make([]byte, unix.CmsgSpace(4*(socketGroup+1)))
	var pending []byte // of incomplete descriptions: a long message may come in parts
	described := 0
	for described < count {
		n, rightsLen, flags, _, err := conn.ReadMsgUnix(text, rights)
		if err != nil {
			return sockets, err
		}
		fds, err := parseRights(rights[:rightsLen])
		for _, fd := range fds {
			sockets.list = append(sockets.list, heldSocket{fd: fd})
		}
		switch {
		case err != nil:
			return sockets, err
		case flags&unix.MSG_CTRUNC != 0:
			return sockets, fmt.Errorf("not all sockets could be taken: %w", syscall.EMFILE)
		case n == 0:
			return sockets, io.ErrUnexpectedEOF
		case len(sockets.list) > count:
			return sockets, fmt.Errorf("it announced %d sockets and sent more", count)
		}
		if len(fds) > 0 {
			if _, err := conn.Write(number[:]); err != nil && len(sockets.list) < count {
				return sockets, err
			}
		}
		pending = append(pending, text[:n]...)
		for described < len(sockets.list) {
			length := descriptionLength(pending)
			if length == 0 {
				break
			}
			sockets.list[described].description = bytes.Clone(pending[:length])
			pending = pending[length:]
			described++
		}
	}
	return sockets, nil
}

// descriptionLength returns the length of the description that a text begins with, 0 if the text is
// too short for one.
func descriptionLength(text []byte) int {
	at := 0
	for range 2 {
		if at >= len(text) {
			return 0
		}
		at += 1 + int(text[at])
	}
	if at+4 > len(text) {
		return 0
	}
	return at + 4
}

// parseRights returns the descriptors of a message.
func parseRights(text []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(text)
	var all []int
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		all = append(all, fds...)
		if err != nil {
			return all, err
		}
	}
	return all, err
}

// Drop closes the copies of sockets on which nobody should wait.
func (s *Sockets) Drop(unwanted func(net.Addr) bool) {
	s.list = slices.DeleteFunc(s.list, func(h heldSocket) bool {
		addr := h.addr()
		if addr == nil || !unwanted(addr) {
			return false
		}
		_ = unix.Close(h.fd)
		return true
	})
}

// Serve answers a HAProxy that was started with -x and has sent its request. The sockets stay open
// here as well. The connection's deadline bounds it.
func (s *Sockets) Serve(conn *net.UnixConn) error {
	if _, err := conn.Write(binary.NativeEndian.AppendUint32(nil, uint32(s.Len()))); err != nil {
		return fmt.Errorf("cannot pass the listening sockets on: %w", err)
	}
	if s == nil {
		return nil
	}
	for group := range slices.Chunk(s.list, socketGroup) {
		var text []byte
		var fds []int
		for _, h := range group {
			text = append(text, h.description...)
			fds = append(fds, h.fd)
		}
		rights := unix.UnixRights(fds...)
		for len(text) > 0 {
			n, rightsLen, err := conn.WriteMsgUnix(text, rights, nil)
			if err != nil {
				return fmt.Errorf("cannot pass the listening sockets on: %w", err)
			}
			text, rights = text[n:], rights[rightsLen:]
		}
		var ack [4]byte
		if _, err := io.ReadFull(conn, ack[:]); err != nil {
			return fmt.Errorf("HAProxy did not acknowledge the listening sockets: %w", err)
		}
	}
	return nil
}

// Close closes the copies. It is safe for no sockets at all.
func (s *Sockets) Close() {
	if s == nil {
		return
	}
	for _, h := range s.list {
		_ = unix.Close(h.fd)
	}
	s.list = nil
}

// Within reports whether the others contain all of these, compared by the kernel's identity of
// sockets.
func (s *Sockets) Within(others *Sockets) bool {
	if s == nil {
		return true
	}
	there := map[uint64]bool{}
	for _, h := range others.list {
		there[h.inode()] = true
	}
	for _, h := range s.list {
		if !there[h.inode()] {
			return false
		}
	}
	return true
}

// Inodes returns the kernel's identities of the sockets.
func (s *Sockets) Inodes() map[uint64]bool {
	all := map[uint64]bool{}
	if s != nil {
		for _, h := range s.list {
			all[h.inode()] = true
		}
	}
	return all
}

// inode tells one socket from another.
func (h heldSocket) inode() uint64 {
	var stat unix.Stat_t
	if err := unix.Fstat(h.fd, &stat); err != nil {
		return 0
	}
	return stat.Ino
}

// Len returns how many there are.
func (s *Sockets) Len() int {
	if s == nil {
		return 0
	}
	return len(s.list)
}

// addr returns where a socket listens, nil if that cannot be determined. HAProxy binds a path under
// a temporary name, which it then renames but which the kernel keeps reporting; the final name is
// returned.
func (h heldSocket) addr() net.Addr {
	sa, err := unix.Getsockname(h.fd)
	if err != nil {
		return nil
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: finalName(sa.Name), Net: "unix"}
	}
	return nil
}

// finalName returns the path without HAProxy's ".1234.tmp" (src/proto_uxst.c).
func finalName(path string) string {
	name, ok := strings.CutSuffix(path, ".tmp")
	if dot := strings.LastIndexByte(name, '.'); ok && dot > 0 &&
		strings.Trim(name[dot+1:], "0123456789") == "" {
		return name[:dot]
	}
	return path
}

// Addrs returns where they listen.
func (s *Sockets) Addrs() []net.Addr {
	var all []net.Addr
	if s != nil {
		for _, h := range s.list {
			if addr := h.addr(); addr != nil {
				all = append(all, addr)
			}
		}
	}
	return all
}
