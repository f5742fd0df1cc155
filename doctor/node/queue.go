package node

import (
	"encoding/binary"
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// longestQueue returns the longest queue of a process's listening TCP sockets, as it was when they
// began to listen; 0 if it has none.
func longestQueue(pid int) (int, error) {
	own, err := procfs.Default.SocketInodes(pid)
	if err != nil {
		return 0, err
	}
	longest := 0
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		// struct inet_diag_req_v2 (linux/inet_diag.h): family, protocol, two bytes, states, and a
		// socket, here any.
		const length, listening = 56, 1 << 10 // TCP_LISTEN
		ask := make([]byte, length)
		ask[0], ask[1] = family, unix.IPPROTO_TCP
		binary.NativeEndian.PutUint32(ask[4:], listening)
		req := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP)
		req.AddRawData(ask)
		answers, err := req.Execute(unix.NETLINK_INET_DIAG, 0)
		if err != nil {
			return 0, fmt.Errorf("ask the kernel for listening sockets: %w", err)
		}
		for _, a := range answers {
			// struct inet_diag_msg: for a listening socket, idiag_wqueue is the length of its
			// queue.
			const wqueue, inode, end = 60, 68, 72
			if len(a) >= end && own[uint64(binary.NativeEndian.Uint32(a[inode:]))] {
				longest = max(longest, int(binary.NativeEndian.Uint32(a[wqueue:])))
			}
		}
	}
	return longest, nil
}
