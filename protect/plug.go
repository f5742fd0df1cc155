package protect

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// plug holds what leaves by the loopback interface: a rule gives the first packet of a connection
// the priority of the fourth band of a prio qdisc, where a plug qdisc keeps it (linux/pkt_sched.h,
// net/sched/sch_plug.c). The other bands carry everything else.
//
// A plugged qdisc belongs to no process and would hold what is in it for ever. So the rule that
// fills it is in a table that the kernel removes with its owner: with all processes killed, new
// packets pass, and what was held comes again with the client's next SYN.
type plug struct {
	rules *rules
	links *socket // of rtnetlink
}

// Handles of the qdiscs: "hp" in ASCII, so that a left-over one is known.
const (
	prioHandle = 0x6870_0000
	plugClass  = prioHandle | 4
	plugHandle = 0x6871_0000

	// loopbackIndex is the index of lo, in every network namespace (include/net/net_namespace.h,
	// LOOPBACK_IFINDEX)
	loopbackIndex = 1

	qdiscRoot             = 0xffff_ffff // TC_H_ROOT
	plugReleaseIndefinite = 2           // TCQ_PLUG_RELEASE_INDEFINITE
	plugBytes             = 16 << 20
)

func openPlug(m Match) (*plug, error) {
	links, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	tables, err := openSocket(unix.NETLINK_NETFILTER)
	if err != nil {
		links.close()
		return nil, err
	}
	return &plug{links: links, rules: &rules{
		socket: tables, match: m, owner: ownerComment(),
		try: []variant{{owned: true}}, // see above: nothing less will do
		chain: chain{hook: unix.NF_INET_LOCAL_OUT, priority: 10, loopback: true,
			then: prioritise(plugClass)},
	}}, nil
}

func (p *plug) hold() error {
	// struct tc_prio_qopt: four bands; packets without one of our classes go to the first.
	bands := append(binary.NativeEndian.AppendUint32(nil, 4), make([]byte, 16)...)
	err := p.links.ask(qdisc("put a prio qdisc on lo", unix.RTM_NEWQDISC,
		unix.NLM_F_CREATE|unix.NLM_F_EXCL, prioHandle, qdiscRoot, "prio", bands))
	if err != nil {
		return explainPlug(err)
	}
	// struct tc_plug_qopt: action, limit. It is plugged from its beginning, and empty until a rule
	// fills it.
	limit := binary.NativeEndian.AppendUint32(make([]byte, 4), plugBytes)
	err = p.links.ask(qdisc("put a plug qdisc on lo", unix.RTM_NEWQDISC,
		unix.NLM_F_CREATE|unix.NLM_F_EXCL, plugHandle, plugClass, "plug", limit))
	if err == nil {
		err = p.rules.install()
	}
	if err != nil {
		return errors.Join(explainPlug(err), p.remove())
	}
	return nil
}

func (p *plug) release() error {
	open := append(binary.NativeEndian.AppendUint32(nil, plugReleaseIndefinite), make([]byte, 4)...)
	return p.links.ask(qdisc("release what the plug qdisc holds", unix.RTM_NEWQDISC, 0, plugHandle,
		plugClass, "plug", open))
}

// remove first ends the rule that fills the qdisc. Everything that was held has to be released
// before.
func (p *plug) remove() error {
	_, err := removeTables(p.rules.socket)
	gone := p.links.ask(qdisc("remove the prio qdisc from lo", unix.RTM_DELQDISC, 0, prioHandle,
		qdiscRoot, "", nil))
	// EINVAL: a qdisc with another handle is there. EOPNOTSUPP: the kernel has no qdiscs.
	if errors.Is(gone, unix.ENOENT) || errors.Is(gone, unix.EINVAL) ||
		errors.Is(gone, unix.EOPNOTSUPP) {
		gone = nil
	}
	return errors.Join(err, gone)
}

func (p *plug) close() {
	p.links.close()
	p.rules.socket.close()
}

func (p *plug) held() int { return 0 }

// releaseUpTo does nothing: what the qdisc holds can only be released as a whole.
func (p *plug) releaseUpTo(int) error { return nil }

func (p *plug) guarded() guarded {
	return guarded{kind: "plug", sockets: []*socket{p.rules.socket, p.links}}
}

// qdisc returns a message about a queueing discipline on lo: struct tcmsg, then attributes.
func qdisc(what string, kind, flags int, handle, parent uint32, name string,
	options []byte) message {
	body := make([]byte, 4) // AF_UNSPEC
	for _, v := range []uint32{loopbackIndex, handle, parent, 0} {
		body = binary.NativeEndian.AppendUint32(body, v)
	}
	if name != "" {
		body = append(body, text(unix.TCA_KIND, name)...)
		body = append(body, attribute(unix.TCA_OPTIONS, options)...)
	}
	return message{kind: uint16(kind), flags: uint16(flags), body: body, what: what}
}

func explainPlug(err error) error {
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return explain(err)
	case errors.Is(err, unix.EEXIST):
		return fmt.Errorf("%w: lo already has another qdisc (`tc qdisc show dev lo`), which is "+
			"left alone", err)
	case isRefusal(err):
		return fmt.Errorf("this kernel cannot hold packets with the plug qdisc: it needs "+
			"sch_prio, sch_plug and tables with an owner (nf_tables of Linux 5.12): %w", err)
	}
	return err
}
