package nic

import (
	"encoding/binary"
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// answerTime is how long the kernel may take to answer, which it does before the question has been sent.
const answerTime = time.Second

// flagsOf asks the kernel for the flags of one interface (rtnetlink(7)): package net would have all of
// them listed, and has not all flags; and what is below /sys/class/net are the interfaces of whoever
// mounted it. The error is ENODEV if there is none of that name.
func flagsOf(name string) (uint32, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return 0, err
	}
	defer func() { _ = unix.Close(fd) }()
	limit := unix.NsecToTimeval(answerTime.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return 0, err
	}
	if err := unix.Sendto(fd, question(name), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	buf := make([]byte, 1<<16)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return 0, err
	}
	return flagsIn(buf[:n])
}

// question is the request RTM_GETLINK with the name.
func question(name string) []byte {
	attribute := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(name)+1))
	attribute = binary.NativeEndian.AppendUint16(attribute, unix.IFLA_IFNAME)
	attribute = append(append(attribute, name...), 0)
	for len(attribute)%unix.NLMSG_ALIGNTO != 0 {
		attribute = append(attribute, 0)
	}
	length := unix.SizeofNlMsghdr + unix.SizeofIfInfomsg + len(attribute)
	text := binary.NativeEndian.AppendUint32(nil, uint32(length))
	text = binary.NativeEndian.AppendUint16(text, unix.RTM_GETLINK)
	text = binary.NativeEndian.AppendUint16(text, unix.NLM_F_REQUEST)
	text = append(text, make([]byte, unix.SizeofNlMsghdr-len(text)+unix.SizeofIfInfomsg)...)
	return append(text, attribute...)
}

var errAnswer = errors.New("its answer is not understood")

// flagsIn reads the answer: an interface, or an error.
func flagsIn(answer []byte) (uint32, error) {
	messages, err := syscall.ParseNetlinkMessage(answer)
	if err != nil || len(messages) == 0 {
		return 0, errors.Join(errAnswer, err)
	}
	const flagsAt = 8 // of struct ifinfomsg
	m := messages[0]
	switch {
	case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
		if code := -int32(binary.NativeEndian.Uint32(m.Data)); code != 0 {
			return 0, unix.Errno(code)
		}
	case m.Header.Type == unix.RTM_NEWLINK && len(m.Data) >= unix.SizeofIfInfomsg:
		return binary.NativeEndian.Uint32(m.Data[flagsAt:]), nil
	}
	return 0, errAnswer
}
