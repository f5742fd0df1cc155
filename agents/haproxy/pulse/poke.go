package pulse

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

const (
	// mostPokes is how many sockets of a process are tried.
	mostPokes = 4
	// connectTime is how long the kernel may take for a connection on this machine. It makes it
	// without the process, unless too many wait already.
	connectTime = 100 * time.Millisecond
)

// poke opens connections to sockets on which a process listens, and closes them.
func poke(ctx context.Context, pid int) {
	inodes, err := procfs.Default.SocketInodes(pid)
	if err != nil {
		return
	}
	listeners, err := haproxy.Listeners()
	if err != nil {
		return
	}
	tried := 0
	for _, l := range listeners {
		if !inodes[l.Inode] || tried == mostPokes {
			continue
		}
		tried++
		go func() {
			brief, cancel := context.WithTimeout(ctx, connectTime)
			defer cancel()
			var d net.Dialer
			conn, err := d.DialContext(brief, "tcp", local(l.Addr).String())
			if err != nil {
				return
			}
			<-brief.Done() // a connection that is closed at once may not be seen
			_ = conn.Close()
		}()
	}
}

// local returns an address at which this machine reaches a socket.
func local(addr netip.AddrPort) netip.AddrPort {
	switch addr.Addr() {
	case netip.IPv4Unspecified():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
	case netip.IPv6Unspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port())
	}
	return addr
}
