package lab

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watchPlan is what a watcher is told: it asks on the interface, again and again, who has the
// address, and notes who says so.
type watchPlan struct {
	IP        netip.Addr
	Interface string
	Every     time.Duration
}

// watched is what it has seen.
type watched struct {
	Requests int
	Runs     []run
}

// run is a time during which a node answered, without leaving several requests in a row unanswered.
type run struct {
	MAC         string
	First, Last time.Time
	Answers     int

	last int // the number of the last request that it followed
}

// silence is after how many unanswered requests a node does not have the address any more. If it
// answers after that, it has it again.
const silence = 5

// runWatch is the process of a watcher. It says on stderr that it has begun, and ends with its
// input.
func runWatch(parameter string) int {
	complain := func(err error) int { _, _ = fmt.Fprintln(os.Stderr, err); return 1 }
	var p watchPlan
	if err := json.Unmarshal([]byte(parameter), &p); err != nil {
		return complain(err)
	}
	w, err := openWatch(p)
	if err != nil {
		return complain(err)
	}
	ended := make(chan struct{})
	go func() {
		b := make([]byte, 1)
		_, _ = syscall.Read(0, b) // returns when the input ends
		close(ended)
	}()
	_, _ = fmt.Fprintln(os.Stderr, watchBegun)
	if err := w.watch(ended); err != nil {
		return complain(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(w.seen); err != nil {
		return complain(err)
	}
	return 0
}

const watchBegun = "watching"

type watch struct {
	plan    watchPlan
	fd      int
	request []byte
	seen    watched
	current map[string]int // the run of each that answers
}

func openWatch(p watchPlan) (*watch, error) {
	nic, err := net.InterfaceByName(p.Interface)
	if err != nil {
		return nil, err
	}
	addrs, err := nic.Addrs()
	if err != nil {
		return nil, err
	}
	w := &watch{plan: p, current: map[string]int{}}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().Is4() != p.IP.Is4() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if p.IP.Is4() {
			w.request = arpRequest(nic.HardwareAddr, prefix.Addr(), p.IP)
		} else {
			w.request = solicitation(nic.HardwareAddr, prefix.Addr(), p.IP)
		}
	}
	if w.request == nil {
		return nil, fmt.Errorf("%s has no address from which to ask for %s", p.Interface, p.IP)
	}
	protocol := uint16(unix.ETH_P_ARP)
	if p.IP.Is6() {
		protocol = unix.ETH_P_IPV6
	}
	w.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC,
		int(networkOrder(protocol)))
	if err != nil {
		return nil, err
	}
	return w, errors.Join(
		unix.SetsockoptInt(w.fd, unix.SOL_PACKET, packetIgnoreOutgoing, 1),
		// when the frame arrived, not when this process had the time to read it
		unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.Bind(w.fd, &unix.SockaddrLinklayer{
			Protocol: networkOrder(protocol), Ifindex: nic.Index,
		}),
	)
}

// watch asks and listens until ended.
func (w *watch) watch(ended <-chan struct{}) error {
	next := time.Now()
	for {
		select {
		case <-ended:
			return nil
		default:
		}
		if now := time.Now(); !now.Before(next) {
			w.seen.Requests++
			_, _ = unix.Write(w.fd, w.request) // the cable is down: nobody answers
			if next = next.Add(w.plan.Every); next.Before(now) {
				next = now.Add(w.plan.Every)
			}
		}
		until := unix.NsecToTimeval(max(int64(time.Millisecond), time.Until(next).Nanoseconds()))
		if err := unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &until); err != nil {
			return err
		}
		w.listen()
	}
}

func (w *watch) listen() {
	frame, control := make([]byte, 2048), make([]byte, 128)
	n, nc, _, _, err := unix.Recvmsg(w.fd, frame, control, 0)
	if err != nil {
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			time.Sleep(time.Millisecond) // the cable is down
		}
		return
	}
	claims := claimsARP
	if w.plan.IP.Is6() {
		claims = claimsND
	}
	mac, ok := claims(frame[:n], w.plan.IP)
	if !ok {
		return
	}
	at := time.Now()
	if messages, err := unix.ParseSocketControlMessage(control[:nc]); err == nil {
		for _, m := range messages {
			if m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
				at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)),
					int64(binary.NativeEndian.Uint64(m.Data[8:])))
			}
		}
	}
	w.note(mac.String(), at)
}

func (w *watch) note(mac string, at time.Time) {
	i, ok := w.current[mac]
	if !ok || w.seen.Requests-w.seen.Runs[i].last > silence {
		i = len(w.seen.Runs)
		w.current[mac] = i
		w.seen.Runs = append(w.seen.Runs, run{MAC: mac, First: at})
	}
	r := &w.seen.Runs[i]
	r.Last, r.last = at, w.seen.Requests
	r.Answers++
}

const ethernetHeader = 14

var everybody = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// arpRequest is the frame that asks who has the address (RFC 826).
func arpRequest(from net.HardwareAddr, me, ip netip.Addr) []byte {
	b := append([]byte(nil), everybody...)
	b = append(b, from...)
	b = binary.BigEndian.AppendUint16(b, unix.ETH_P_ARP)
	b = append(b, 0, 1, 8, 0, 6, 4, 0, 1) // Ethernet, IPv4, their lengths, a request
	b = append(b, from...)
	b = append(b, me.AsSlice()...)
	b = append(b, 0, 0, 0, 0, 0, 0)
	return append(b, ip.AsSlice()...)
}

// claimsARP returns who says in the frame that he has the address: in an answer, an announcement,
// or a question of his own that he asks from it.
func claimsARP(frame []byte, ip netip.Addr) (net.HardwareAddr, bool) {
	if len(frame) < ethernetHeader+28 ||
		binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_ARP {
		return nil, false
	}
	arp := frame[ethernetHeader:]
	sender, ok := netip.AddrFromSlice(arp[14:18])
	return net.HardwareAddr(arp[8:14]), ok && sender == ip
}

// solicitation is the frame that asks who has the address (RFC 4861, 4.3).
func solicitation(from net.HardwareAddr, me, ip netip.Addr) []byte {
	target := ip.As16()
	group := [16]byte{0xff, 2, 11: 1, 12: 0xff, 13: target[13], 14: target[14], 15: target[15]}
	icmp := []byte{135, 0, 0, 0, 0, 0, 0, 0}
	icmp = append(icmp, target[:]...)
	icmp = append(icmp, 1, 1) // the sender's own address, in units of eight octets
	icmp = append(icmp, from...)
	source := me.As16()
	binary.BigEndian.PutUint16(icmp[2:], checksum6(source, group, icmp))

	b := append([]byte(nil), 0x33, 0x33, 0xff, target[13], target[14], target[15])
	b = append(b, from...)
	b = binary.BigEndian.AppendUint16(b, unix.ETH_P_IPV6)
	b = append(b, 0x60, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(icmp)))
	b = append(b, unix.IPPROTO_ICMPV6, 255)
	b = append(b, source[:]...)
	b = append(b, group[:]...)
	return append(b, icmp...)
}

// checksum6 is ICMPv6's, over a pseudo-header and the message (RFC 4443, 2.3).
func checksum6(from, to [16]byte, message []byte) uint16 {
	b := append(append([]byte(nil), from[:]...), to[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(message)))
	b = append(b, 0, 0, 0, unix.IPPROTO_ICMPV6)
	b = append(b, message...)
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// claimsND returns who says in a neighbour advertisement that he has the address.
func claimsND(frame []byte, ip netip.Addr) (net.HardwareAddr, bool) {
	const icmp = ethernetHeader + 40
	if len(frame) < icmp+24 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IPV6 ||
		frame[ethernetHeader+6] != unix.IPPROTO_ICMPV6 || frame[icmp] != 136 {
		return nil, false
	}
	target, ok := netip.AddrFromSlice(frame[icmp+8 : icmp+24])
	return net.HardwareAddr(frame[6:12]), ok && target == ip
}
