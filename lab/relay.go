package lab

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A slow or lossy link is a cut one with a relay beside it: the relay receives at the port of the
// switch what comes from one end, and sends it out of the port to the other one, later, or not at
// all. The kernel's netem would do the same, but not every kernel has it. What is not between the
// two ends does not pass the relay.

// flow is what a relay carries from one port to another.
type flow struct {
	In, Out string
	// From is the address of the node behind In, if it is a node's and the ports are at different
	// switches.
	From string `json:",omitempty"`
	// NotFrom are those whose frames another relay carries.
	NotFrom []string `json:",omitempty"`
	// To are the addresses of what is carried beside what is for everybody; if there are none,
	// everything is that is not for one of Not.
	To, Not []string `json:",omitempty"`
	// NoRing leaves Corosync's messages out.
	NoRing        bool          `json:",omitempty"`
	Delay, Jitter time.Duration `json:",omitempty"`
	Loss          float64       `json:",omitempty"` // percent
}

// runRelay is the process of a relay. It ends when it is killed.
func runRelay(parameter string) int {
	keepReady()
	var flows []flow
	err := json.Unmarshal([]byte(parameter), &flows)
	var relays []*relay
	for _, f := range flows {
		if err == nil {
			var r *relay
			if r, err = openRelay(f); err == nil {
				relays = append(relays, r)
			}
		}
	}
	ready(err)
	if err != nil {
		return 1
	}
	for _, r := range relays {
		go r.receive()
		go r.send()
	}
	select {}
}

// relay is a flow under way.
type relay struct {
	flow
	in, out int // sockets
	queue   chan carried
}

// carried is a frame, after its virtio_net_hdr, and when it is to arrive.
type carried struct {
	due   time.Time
	frame []byte
}

const (
	// mostCarried is how many frames are on their way at most; those beyond are lost, as in a
	// router.
	mostCarried = 16384
	// longestFrame is a frame that the kernel leaves in one piece although it is larger than what
	// the network takes (GSO).
	longestFrame = vnetHeader + 1<<16 + 14
	vnetHeader   = 10 // struct virtio_net_hdr

	packetIgnoreOutgoing = 23 // PACKET_IGNORE_OUTGOING
	receiveBuffer        = 16 << 20
)

func openRelay(f flow) (*relay, error) {
	r := &relay{flow: f, queue: make(chan carried, mostCarried)}
	var err error
	if r.in, err = packetSocket(f.In, unix.ETH_P_ALL, f.filter()); err != nil {
		return nil, fmt.Errorf("lab: relay from %s: %w", f.In, err)
	}
	if r.out, err = packetSocket(f.Out, 0, nil); err != nil {
		return nil, fmt.Errorf("lab: relay to %s: %w", f.Out, err)
	}
	return r, nil
}

// packetSocket opens a socket for whole frames at the interface, which receives those of the
// protocol that come in there and pass the filter; none with protocol 0. Frames have a
// virtio_net_hdr before them, in which the kernel notes what it has left to a network card to do.
func packetSocket(name string, protocol uint16, filter []unix.SockFilter) (int, error) {
	nic, err := net.InterfaceByName(name)
	if err != nil {
		return -1, err
	}
	// Without a protocol it receives nothing before the filter is there.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, packetIgnoreOutgoing, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, receiveBuffer),
	)
	if err == nil && len(filter) > 0 {
		program := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
		err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{
			Protocol: networkOrder(protocol), Ifindex: nic.Index,
		})
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func networkOrder(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}

// filter has the kernel hand over only what is carried.
func (f flow) filter() []unix.SockFilter {
	const pass, drop = 1 << 20, 0
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, K: 1, Jf: 1}, // for everybody
		{Code: unix.BPF_RET | unix.BPF_K, K: pass},
	}
	named, found, others := f.To, uint32(pass), uint32(drop)
	if len(f.To) == 0 {
		named, found, others = f.Not, drop, pass
	}
	for _, text := range named {
		mac, err := net.ParseMAC(text)
		if err != nil {
			continue // written by mac()
		}
		program = append(program,
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 2},
			unix.SockFilter{
				Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: binary.BigEndian.Uint32(mac[2:]),
				Jf: 3,
			},
			unix.SockFilter{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 0},
			unix.SockFilter{
				Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K,
				K:    uint32(binary.BigEndian.Uint16(mac)), Jf: 1,
			},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: found})
	}
	return append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: others})
}

// receive takes frames in, and decides their fate.
func (r *relay) receive() {
	buffer := make([]byte, longestFrame)
	var last time.Time
	for {
		n, err := unix.Read(r.in, buffer)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil: // the node's power is off: its cable is down, and comes back or is replaced
			time.Sleep(20 * time.Millisecond)
			continue
		}
		frame := buffer[:n]
		if n < vnetHeader+14 || r.Loss > 0 && rand.Float64()*100 < r.Loss ||
			r.NoRing && isRing(frame[vnetHeader:]) || r.isOthers(frame[vnetHeader:]) {
			continue
		}
		due := time.Now().Add(r.Delay)
		if r.Jitter > 0 {
			due = due.Add(time.Duration(rand.Int64N(int64(2*r.Jitter)+1)) - r.Jitter)
		}
		if due.Before(last) {
			due = last // frames keep their order
		}
		last = due
		select {
		case r.queue <- carried{due, append([]byte(nil), frame...)}:
		default:
		}
	}
}

// send lets frames arrive when they are due.
func (r *relay) send() {
	for c := range r.queue {
		time.Sleep(time.Until(c.due))
		_, _ = unix.Write(r.out, c.frame) // the other end's cable is down: lost, as elsewhere
	}
}

// isOthers says whether another relay carries what comes from there.
func (r *relay) isOthers(frame []byte) bool {
	return len(r.NotFrom) > 0 &&
		slices.Contains(r.NotFrom, net.HardwareAddr(frame[6:12]).String())
}

// isRing says whether the frame is a message of Corosync's.
func isRing(frame []byte) bool {
	const ip = 14
	if len(frame) < ip+20 || binary.BigEndian.Uint16(frame[12:]) != unix.ETH_P_IP ||
		frame[ip+9] != unix.IPPROTO_UDP {
		return false
	}
	udp := ip + int(frame[ip]&0x0f)*4
	if len(frame) < udp+4 {
		return false
	}
	port := binary.BigEndian.Uint16(frame[udp+2:])
	return port >= firstRingPort && port <= lastRingPort
}
