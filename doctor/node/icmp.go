package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ICMP's timestamp messages (RFC 792): a machine answers with the time of its own clock, without
// any program on it. Linux does so unless a firewall drops them.
const (
	icmpTimestamp      = 13
	icmpTimestampReply = 14
	icmpLength         = 20
	day                = 24 * time.Hour
	// notStandard is set in a time that is not in milliseconds since midnight UT.
	notStandard = 1 << 31
)

// ICMPOffset asks a machine for its time: twice, since the first question may have to wait for ARP.
// The answer is off by at most half the round trip, and by ICMP's millisecond.
func ICMPOffset(ctx context.Context, at netip.Addr) (offset, within time.Duration, err error) {
	if !at.Unmap().Is4() {
		return 0, 0, errors.New("ICMP for IPv6 has no timestamp messages")
	}
	dialer := net.Dialer{}
	conn, err := dialer.DialContext(ctx, "ip4:icmp", at.Unmap().String())
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = conn.Close() }()
	for try := range 2 {
		if offset, within, err = exchange(ctx, headless{conn}, uint16(os.Getpid()), uint16(try+1),
			time.Now); err != nil {
			return 0, 0, err
		}
	}
	return offset, within, nil
}

// headless reads datagrams without the IPv4 header, which net.IPConn's Read leaves in place.
type headless struct{ net.Conn }

func (h headless) Read(b []byte) (int, error) {
	if packets, ok := h.Conn.(net.PacketConn); ok {
		n, _, err := packets.ReadFrom(b)
		return n, err
	}
	return h.Conn.Read(b)
}

// sinceMidnight returns a time as ICMP counts it.
func sinceMidnight(t time.Time) time.Duration {
	t = t.UTC()
	return t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))
}

// exchange sends one question and waits for its answer.
func exchange(
	ctx context.Context, conn net.Conn, id, number uint16, now func() time.Time,
) (offset, within time.Duration, err error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return 0, 0, err
		}
	}
	sent := now()
	if _, err := conn.Write(question(id, number, sent)); err != nil {
		return 0, 0, err
	}
	buffer := make([]byte, 1500)
	for {
		n, err := conn.Read(buffer)
		got := now()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, 0, errors.New("no answer")
		}
		if err != nil {
			return 0, 0, err
		}
		theirs, ok, err := answered(buffer[:n], id, number)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			continue // another program's, or another question's
		}
		trip := got.Sub(sent)
		middle := sinceMidnight(sent.Add(trip / 2))
		offset = theirs - middle
		switch { // one of the clocks is past midnight already
		case offset > day/2:
			offset -= day
		case offset < -day/2:
			offset += day
		}
		return offset, trip/2 + time.Millisecond, nil
	}
}

func question(id, number uint16, sent time.Time) []byte {
	b := make([]byte, icmpLength)
	b[0] = icmpTimestamp
	binary.BigEndian.PutUint16(b[4:], id)
	binary.BigEndian.PutUint16(b[6:], number)
	binary.BigEndian.PutUint32(b[8:], uint32(sinceMidnight(sent).Milliseconds()))
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// answered returns the time at which the other machine answered, if this is the answer to the
// question.
func answered(b []byte, id, number uint16) (time.Duration, bool, error) {
	if len(b) < icmpLength || b[0] != icmpTimestampReply || binary.BigEndian.Uint16(b[4:]) != id ||
		binary.BigEndian.Uint16(b[6:]) != number {
		return 0, false, nil
	}
	ms := binary.BigEndian.Uint32(b[16:])
	if ms&notStandard != 0 || time.Duration(ms)*time.Millisecond > day {
		return 0, false, fmt.Errorf("its time %d is not one since midnight", ms)
	}
	return time.Duration(ms) * time.Millisecond, true, nil
}

// checksum returns the internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// KernelSynchronised asks the kernel whether a program synchronises its clock (adjtimex(2),
// STA_UNSYNC).
func KernelSynchronised() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return false, fmt.Errorf("adjtimex: %w", err)
	}
	return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, nil
}
