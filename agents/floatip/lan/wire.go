package lan

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/fault"
)

// wire is a socket that sends and receives ARP or neighbour discovery for one address on one
// interface. One socket serves a whole action, because the kernel takes some 10 ms to close it.
type wire struct {
	fd    int
	ip    netip.Addr
	nic   *net.Interface
	proto uint16
}

// onlyNeighbours lets through the IPv6 packets that are neighbour solicitations or advertisements.
// Without it a busy balancer would copy its whole traffic to this socket.
var onlyNeighbours = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 6}, // the next header
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 4, K: protoICMPv6},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: ipv6HeaderLen}, // the message's type
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, Jf: 0, K: neighbourSolicitation},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: neighbourAdvertisement},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

// openWire opens the wire; it is nil, and does nothing, for an interface that has neither
// neighbours to ask nor hardware addresses to tell: the loopback interface, a tunnel.
func openWire(nic *net.Interface, ip netip.Addr) (*wire, error) {
	if nic.Flags&net.FlagLoopback != 0 || len(nic.HardwareAddr) != 6 {
		return nil, nil
	}
	w := &wire{ip: ip, nic: nic, proto: unix.ETH_P_ARP}
	if ip.Is6() {
		w.proto = unix.ETH_P_IPV6
	}
	explain := func(err error) error {
		if errors.Is(err, unix.EPERM) {
			return fault.Errorf(fault.Denied,
				"may not open a packet socket on %s: %w: the agent must run as root", nic.Name, err)
		}
		return fault.Errorf(fault.Unknown, "cannot open a packet socket on %s: %w", nic.Name, err)
	}
	// Protocol 0 receives nothing before the socket is bound to its interface.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, explain(err)
	}
	w.fd = fd
	if ip.Is6() {
		filter := &unix.SockFprog{Len: uint16(len(onlyNeighbours)), Filter: &onlyNeighbours[0]}
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter)
		if err == nil {
			err = w.join(multicastMAC(solicitedNode(ip)))
		}
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swap(w.proto), Ifindex: nic.Index})
	}
	if err != nil {
		w.close()
		return nil, explain(err)
	}
	return w, nil
}

func (w *wire) close() {
	if w != nil {
		_ = unix.Close(w.fd)
	}
}

// join receives what is sent to the group: the solicitations of a machine that is about to take the
// same address.
func (w *wire) join(group net.HardwareAddr) error {
	member := unix.PacketMreq{Ifindex: int32(w.nic.Index), Type: unix.PACKET_MR_MULTICAST,
		Alen: uint16(len(group))}
	copy(member.Address[:], group)
	return unix.SetsockoptPacketMreq(w.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &member)
}

func (w *wire) send(packet []byte, to net.HardwareAddr) error {
	addr := &unix.SockaddrLinklayer{Protocol: swap(w.proto), Ifindex: w.nic.Index,
		Halen: uint8(len(to))}
	copy(addr.Addr[:], to)
	if err := unix.Sendto(w.fd, packet, 0, addr); err != nil {
		return fault.Errorf(fault.Unknown, "cannot send on %s: %w", w.nic.Name, err)
	}
	return nil
}

// receive returns the next packet with the hardware address it came from, or ok false when the time
// is up.
func (w *wire) receive(buf []byte, until time.Time) (n int, from net.HardwareAddr, ok bool,
	err error) {
	for {
		left := time.Until(until)
		if left <= 0 {
			return 0, nil, false, nil
		}
		timeout := unix.NsecToTimespec(int64(left))
		ready, err := unix.Ppoll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, &timeout,
			nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return 0, nil, false, fault.Errorf(fault.Unknown, "cannot wait for packets on %s: %w",
				w.nic.Name, err)
		}
		if ready <= 0 {
			continue
		}
		n, sender, err := unix.Recvfrom(w.fd, buf, 0)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, nil, false, fault.Errorf(fault.Unknown, "cannot receive on %s: %w",
				w.nic.Name, err)
		}
		if link, isLink := sender.(*unix.SockaddrLinklayer); isLink &&
			link.Pkttype != unix.PACKET_OUTGOING {
			return n, net.HardwareAddr(bytes.Clone(link.Addr[:min(link.Halen, 8)])), true, nil
		}
	}
}

// slice bounds how long a wait goes on after its context has ended.
const slice = 20 * time.Millisecond

// whoHas returns the hardware address of another machine that answers for the address within the
// wait, or is about to take it too; nil if none does. A wait of 0 does not ask.
func (w *wire) whoHas(ctx context.Context, wait time.Duration) (net.HardwareAddr, error) {
	if w == nil || wait <= 0 {
		return nil, nil
	}
	probe, to := arpProbe(w.nic.HardwareAddr, w.ip), broadcast
	if w.ip.Is6() {
		probe, to = dadSolicitation(w.ip), multicastMAC(solicitedNode(w.ip))
	}
	began := time.Now()
	buf := make([]byte, 2048)
	// The second probe is in case a packet is lost, either way.
	for i := range 2 {
		if err := w.send(probe, to); err != nil {
			return nil, err
		}
		end := began.Add(wait / 2 * time.Duration(i+1))
		for time.Now().Before(end) {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("cannot find out whether another machine has %s: %w", w.ip,
					err)
			}
			until := end
			if soon := time.Now().Add(slice); soon.Before(end) {
				until = soon
			}
			n, from, ok, err := w.receive(buf, until)
			if err != nil {
				return nil, err
			}
			if ok {
				if mac := claimant(buf[:n], from, w.ip); mac != nil && !mine(mac) {
					return mac, nil
				}
			}
		}
	}
	return nil, nil
}

// claimant returns the hardware address of the machine that claims the address with this packet,
// nil if it is about something else.
func claimant(packet []byte, from net.HardwareAddr, ip netip.Addr) net.HardwareAddr {
	if ip.Is4() {
		if a, ok := parseARP(packet); ok && a.claims(ip) {
			return a.senderMAC
		}
		return nil
	}
	n, ok := parseNeighbour(packet)
	switch {
	case !ok || !n.claims(ip):
		return nil
	case n.typ == neighbourAdvertisement && n.option == optTargetMAC:
		return n.mac
	}
	return from
}

// The announcements of a take-over: the first at once, so that the address answers now, the other
// for those who missed it. Pacemaker continues only when the start has returned, so it does not
// wait to send more.
const (
	burst        = 2
	burstSpacing = 2 * time.Millisecond
)

// announce tells the network where the address is.
func (w *wire) announce(ctx context.Context, times int) error {
	if w == nil {
		return nil
	}
	packets, to := gratuitousARP(w.nic.HardwareAddr, w.ip), broadcast
	if w.ip.Is6() {
		packets, to = [][]byte{unsolicitedAdvertisement(w.nic.HardwareAddr, w.ip, forwards(w.nic))},
			multicastMAC(allNodes)
	}
	for i := range times {
		if i > 0 {
			select {
			case <-ctx.Done():
				return nil // the first announcement is out; the rest is for good measure
			case <-time.After(burstSpacing):
			}
		}
		for _, packet := range packets {
			if err := w.send(packet, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// forwards reports whether this machine routes IPv6 from the interface, which its advertisements
// must say (RFC 4861 section 4.4).
func forwards(nic *net.Interface) bool {
	text, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + nic.Name + "/forwarding")
	return err == nil && bytes.HasPrefix(text, []byte("1"))
}

// mine reports whether the hardware address is one of this machine's own: with two interfaces on
// one network the kernel answers on both.
func mine(mac net.HardwareAddr) bool {
	nics, err := net.Interfaces()
	return err == nil && slices.ContainsFunc(nics, func(nic net.Interface) bool {
		return bytes.Equal(nic.HardwareAddr, mac)
	})
}

// swap is htons.
func swap(v uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, v))
}
