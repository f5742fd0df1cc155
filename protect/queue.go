package protect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Of linux/netfilter/nfnetlink_queue.h.
const (
	nfqnlMsgConfig       = 2 // NFQNL_MSG_CONFIG
	nfqnlMsgVerdictBatch = 3 // NFQNL_MSG_VERDICT_BATCH

	nfqaCfgCmd         = 1 // struct nfqnl_msg_config_cmd
	nfqaCfgParams      = 2 // struct nfqnl_msg_config_params
	nfqaCfgQueueMaxlen = 3
	nfqaCfgMask        = 4
	nfqaCfgFlags       = 5
	nfqaVerdictHdr     = 2 // struct nfqnl_msg_verdict_hdr

	nfqnlCfgCmdBind  = 1
	nfqnlCopyMeta    = 1
	nfqaCfgFFailOpen = 1 << 0
)

const (
	// longestQueue is how many packets are held at most. Those beyond pass, as if nothing were
	// protected: a flood of SYNs must not take the kernel's memory (about a kilobyte each).
	longestQueue = 16384
	// firstQueue is where the search for an unused number begins. Other programs begin at 0.
	firstQueue = 17240
	lastQueue  = firstQueue + 200
)

// queue holds packets in the kernel with NFQUEUE. They need not be read: they stay until one
// message brings a verdict on all of them.
type queue struct {
	rules  *rules
	socket *socket // of nfnetlink_queue: the queue disappears with it
	number uint16
}

// openQueue makes a queue that nothing is sent to yet.
func openQueue(m Match, try []variant) (*queue, error) {
	s, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	q := &queue{socket: s}
	if err := q.bind(); err != nil {
		s.close()
		return nil, err
	}
	tables, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		s.close()
		return nil, err
	}
	if try == nil {
		try = variants()
	}
	q.rules = &rules{
		socket: tables, match: m, owner: ownerComment(), try: try,
		// After the filters (priority 0), so that what a firewall refuses is not held, and before
		// security (50).
		chain: chain{hook: unix.NF_INET_LOCAL_IN, priority: 10, then: queueTo(q.number)},
	}
	return q, nil
}

func (q *queue) bind() error {
	for q.number = firstQueue; ; q.number++ {
		err := q.socket.ask(q.config("make a queue of packets",
			attribute(nfqaCfgCmd, []byte{nfqnlCfgCmdBind, 0, 0, 0})))
		if err == nil {
			break
		}
		// EBUSY means a queue of our own, EPERM one of another socket; without CAP_NET_ADMIN it is
		// EPERM too, for every number.
		taken := errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EPERM) && hasNetAdmin()
		if !taken || q.number == lastQueue {
			return explain(err)
		}
	}
	// No rule sends anything here yet.
	err := q.socket.ask(
		q.config("set the queue up", attribute(nfqaCfgParams, []byte{0, 0, 0, 0, nfqnlCopyMeta})),
		q.config("let packets pass where the queue is full", number(nfqaCfgFlags, nfqaCfgFFailOpen),
			number(nfqaCfgMask, nfqaCfgFFailOpen)),
		q.config("set the queue's length", number(nfqaCfgQueueMaxlen, longestQueue)),
	)
	if err != nil {
		return explain(err)
	}
	// The kernel sends a message about each packet, and lets packets pass (fail open) once so many
	// messages are unread that the socket is full. Only answers are wanted: a filter on the socket
	// swallows the rest, so that this process may be slow or stopped and the queue works.
	// netlink(7): the type is the 16 bits at offset 4 in the host's byte order; BPF loads them in
	// the network's.
	answers := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.NLMSG_ERROR))
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 4},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(answers), Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	program := &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return os.NewSyscallError("attach a filter to the queue's socket",
		unix.SetsockoptSockFprog(q.socket.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program))
}

func (q *queue) config(what string, attributes ...[]byte) message {
	return netfilterMessage(what, unix.NFNL_SUBSYS_QUEUE, nfqnlMsgConfig, 0, unix.AF_UNSPEC,
		q.number, attributes...)
}

// hold begins to hold, in one transaction.
func (q *queue) hold() error { return explain(q.rules.install()) }

// releaseUpTo releases the first n that were ever held, and goes on holding the rest.
func (q *queue) releaseUpTo(n int) error {
	return errorUnlessEmpty(q.socket.ask(q.verdict(uint32(n))))
}

func (q *queue) verdict(id uint32) message {
	return netfilterMessage("release the packets", unix.NFNL_SUBSYS_QUEUE, nfqnlMsgVerdictBatch, 0,
		unix.AF_UNSPEC, q.number,
		attribute(nfqaVerdictHdr, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil,
			nfAccept), id)))
}

// release releases everything that is held, in the order in which it came, and holds nothing more.
// It may be called again.
func (q *queue) release() error {
	// The rules are removed later: that would wait for RCU, and the kernel drops what is in a queue
	// when a chain is removed.
	verdict := q.verdict(1<<31 - 1) // an id that is half of the range ahead of those in use
	first := errorUnlessEmpty(q.socket.ask(verdict))
	// A queue of length 0 that fails open lets whatever still comes to it pass.
	closed := q.socket.ask(q.config("let new packets pass", number(nfqaCfgQueueMaxlen, 0)))
	return errors.Join(first, closed, errorUnlessEmpty(q.socket.ask(verdict)))
}

// errorUnlessEmpty drops the complaint that there was nothing to release.
func errorUnlessEmpty(err error) error {
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// remove removes the rules. Everything that was held has to be released before.
func (q *queue) remove() error {
	_, err := removeTables(q.rules.socket)
	return err
}

func (q *queue) close() {
	q.rules.socket.close()
	q.socket.close()
}

// held returns how many packets were held until now.
func (q *queue) held() int {
	port, err := q.socket.port()
	if err != nil {
		return 0
	}
	lines, err := os.ReadFile("/proc/net/netfilter/nfnetlink_queue")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(lines)) {
		var number, peer, total, mode, length, dropped, lost, sequence int
		_, err := fmt.Sscan(line, &number, &peer, &total, &mode, &length, &dropped, &lost,
			&sequence)
		if err == nil && number == int(q.number) && peer == int(port) {
			return sequence
		}
	}
	return 0
}

func (q *queue) guarded() guarded {
	return guarded{kind: "nfqueue", sockets: []*socket{q.rules.socket, q.socket},
		number: uint32(q.number)}
}

// hasNetAdmin reports whether this process may configure the network (capabilities(7),
// CAP_NET_ADMIN).
func hasNetAdmin() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_NET_ADMIN) != 0
}

// explain says what a refusal by the kernel means.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EPERM) && hasNetAdmin():
		return fmt.Errorf("%w: the table %s belongs to another living process, or this network "+
			"namespace is not this user namespace's (a container's root)", err, tableName)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: holding connections needs root, or the capability CAP_NET_ADMIN",
			err)
	case isRefusal(err):
		return fmt.Errorf("this kernel does not queue packets: it needs nf_tables and "+
			"nfnetlink_queue, and nft_queue or xt_NFQUEUE (`modprobe nft_queue` where they are "+
			"modules): %w", err)
	}
	return err
}
