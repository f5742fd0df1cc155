package protect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tableName is the name of our tables, one for each family. They hold only what one run of protect
// put there.
const tableName = "hawser-protect"

// ownedTable is NFT_TABLE_F_OWNER of linux/netfilter/nf_tables.h (Linux 5.12 and later): the table
// belongs to the socket that made it. Nothing else can change it, not even a firewall that flushes
// its rules meanwhile, and the kernel removes it when the socket is closed, that is when the last
// process that holds it dies.
const ownedTable = 0x2

// variant is one way to write the tables. Which of them a kernel accepts is found out by trying.
type variant struct {
	owned bool
	// xtables uses the NFQUEUE target of xtables (xt_NFQUEUE by way of nft_compat) where the kernel
	// lacks nftables' own queue statement (nft_queue).
	xtables bool
}

func variants() []variant {
	return []variant{{owned: true}, {owned: true, xtables: true}, {}, {xtables: true}}
}

// chain is where in the kernel the rules look at packets, and what they do with a SYN.
type chain struct {
	hook     uint32 // unix.NF_INET_LOCAL_IN …
	priority int32
	// only what leaves by the loopback interface, whose index is 1 in every network namespace
	loopback bool
	then     func(variant) []byte
}

// rules are the tables of one run, not yet in the kernel.
type rules struct {
	socket *socket
	match  Match
	owner  string // who made them, as a comment
	chain  chain
	try    []variant
}

// install writes all tables in one transaction, in the first way that the kernel accepts.
func (r *rules) install() error {
	var refused error
	for _, v := range r.try {
		err := r.socket.ask(r.transaction(v)...)
		if err == nil {
			return nil
		}
		refused = errors.Join(refused, err)
		if errors.Is(err, unix.EPERM) || !isRefusal(err) {
			return err
		}
	}
	return refused
}

func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

func (r *rules) transaction(v variant) []message {
	var messages []message
	for _, family := range families() {
		var flags uint32
		if v.owned {
			flags = ownedTable
		}
		messages = append(messages,
			nft("make the table "+tableName, unix.NFT_MSG_NEWTABLE,
				unix.NLM_F_CREATE|unix.NLM_F_EXCL, family,
				text(unix.NFTA_TABLE_NAME, tableName), number(unix.NFTA_TABLE_FLAGS, flags)),
			nft("make a chain", unix.NFT_MSG_NEWCHAIN, unix.NLM_F_CREATE, family,
				text(unix.NFTA_CHAIN_TABLE, tableName), text(unix.NFTA_CHAIN_NAME, "hold"),
				nested(unix.NFTA_CHAIN_HOOK, number(unix.NFTA_HOOK_HOOKNUM, r.chain.hook),
					number(unix.NFTA_HOOK_PRIORITY, uint32(r.chain.priority))),
				number(unix.NFTA_CHAIN_POLICY, nfAccept), text(unix.NFTA_CHAIN_TYPE, "filter")),
			// Whatever is not the first packet of a TCP connection passes at once.
			r.rule(family, meta(unix.NFT_META_L4PROTO), compare(unix.NFT_CMP_NEQ, unix.IPPROTO_TCP),
				accept()),
			r.rule(family, payload(unix.NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1), mask(synAndAck),
				compare(unix.NFT_CMP_NEQ, syn), accept()))
		if r.chain.loopback {
			messages = append(messages, r.rule(family,
				meta(unix.NFT_META_OIF),
				compare(unix.NFT_CMP_NEQ, binary.NativeEndian.AppendUint32(nil, 1)...), accept()))
		}
		for _, port := range r.match.Ports {
			matchPort := [][]byte{payload(unix.NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2),
				compare(unix.NFT_CMP_EQ, binary.BigEndian.AppendUint16(nil, port)...)}
			if len(r.match.Addresses) == 0 {
				messages = append(messages, r.rule(family, append(matchPort, r.chain.then(v))...))
			}
			for _, address := range r.match.Addresses {
				if familyOf(address) != family {
					continue
				}
				// The destination of struct iphdr and of struct ipv6hdr.
				offset := uint32(16)
				if family == unix.NFPROTO_IPV6 {
					offset = 24
				}
				destination := address.AsSlice()
				messages = append(messages, r.rule(family, append(matchPort,
					payload(unix.NFT_PAYLOAD_NETWORK_HEADER, offset, uint32(len(destination))),
					compare(unix.NFT_CMP_EQ, destination...),
					r.chain.then(v))...))
			}
		}
	}
	return batch(messages)
}

// nfAccept is NF_ACCEPT of linux/netfilter.h.
const nfAccept = 1

// Bits of the flags of a TCP header (RFC 9293, 3.1).
const (
	syn       = 0x02
	synAndAck = 0x12
)

func (r *rules) rule(family byte, expressions ...[]byte) message {
	comment := append([]byte(r.owner), 0)
	// The comment's place in a rule's user data is libnftnl's (NFTNL_UDATA_RULE_COMMENT = 0): one
	// byte of type, one of length.
	userdata := append([]byte{0, byte(len(comment))}, comment...)
	return nft("make a rule that queues the first packets of connections", unix.NFT_MSG_NEWRULE,
		unix.NLM_F_CREATE|unix.NLM_F_APPEND, family,
		text(unix.NFTA_RULE_TABLE, tableName), text(unix.NFTA_RULE_CHAIN, "hold"),
		nested(unix.NFTA_RULE_EXPRESSIONS, expressions...), attribute(unix.NFTA_RULE_USERDATA,
			userdata))
}

// straggle is longer than a packet takes to pass through the rules.
const straggle = 5 * time.Millisecond

// removeTables removes the tables from the kernel. A missing one is fine. The rules go first: a
// packet that comes back from a queue to a hook with fewer chains than before is dropped
// (nf_reinject), and a client would wait a second.
func removeTables(s *socket) (removed bool, err error) {
	for _, family := range families() {
		// An error shows in what follows.
		if s.ask(batch([]message{nft("remove the rules", unix.NFT_MSG_DELRULE, 0, family,
			text(unix.NFTA_RULE_TABLE, tableName))})...) == nil {
			removed = true
		}
	}
	if removed {
		time.Sleep(straggle)
	}
	for _, family := range families() {
		drop := nft("remove the table "+tableName, unix.NFT_MSG_DELTABLE, 0, family,
			text(unix.NFTA_TABLE_NAME, tableName))
		switch askErr := s.ask(batch([]message{drop})...); {
		case askErr == nil:
			removed = true
		case !errors.Is(askErr, unix.ENOENT):
			err = errors.Join(err, askErr)
		}
	}
	return removed, err
}

// queueTo sends a packet to a queue of nfnetlink_queue, or lets it pass if no program listens on
// that queue.
func queueTo(queue uint16) func(variant) []byte {
	return func(v variant) []byte {
		if !v.xtables {
			return expression("queue", number16(unix.NFTA_QUEUE_NUM, queue),
				number16(unix.NFTA_QUEUE_TOTAL, 1),
				number16(unix.NFTA_QUEUE_FLAGS, unix.NFT_QUEUE_FLAG_BYPASS))
		}
		// struct xt_NFQ_info_v3 of linux/netfilter/xt_NFQUEUE.h: queue, number of queues,
		// NFQ_FLAG_BYPASS; aligned to eight bytes.
		info := binary.NativeEndian.AppendUint16(nil, queue)
		info = binary.NativeEndian.AppendUint16(info, 1)
		info = binary.NativeEndian.AppendUint16(info, 1)
		return expression("target", text(unix.NFTA_TARGET_NAME, "NFQUEUE"),
			number(unix.NFTA_TARGET_REV, 3),
			attribute(unix.NFTA_TARGET_INFO, append(info, 0, 0)))
	}
}

// prioritise gives a packet a priority, which classful queueing disciplines use as its class.
func prioritise(class uint32) func(variant) []byte {
	return func(variant) []byte {
		return append(
			expression("immediate", number(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_1),
				nested(unix.NFTA_IMMEDIATE_DATA,
					attribute(unix.NFTA_DATA_VALUE, binary.NativeEndian.AppendUint32(nil, class)))),
			expression("meta", number(unix.NFTA_META_KEY, unix.NFT_META_PRIORITY),
				number(unix.NFTA_META_SREG, unix.NFT_REG_1))...)
	}
}

// The expressions of nf_tables that the rules are made of, each on register 1.

func expression(name string, data ...[]byte) []byte {
	return nested(unix.NFTA_LIST_ELEM, text(unix.NFTA_EXPR_NAME, name),
		nested(unix.NFTA_EXPR_DATA, data...))
}

func meta(key uint32) []byte {
	return expression("meta", number(unix.NFTA_META_DREG, unix.NFT_REG_1),
		number(unix.NFTA_META_KEY, key))
}

func payload(base, offset, length uint32) []byte {
	return expression("payload", number(unix.NFTA_PAYLOAD_DREG, unix.NFT_REG_1),
		number(unix.NFTA_PAYLOAD_BASE, base),
		number(unix.NFTA_PAYLOAD_OFFSET, offset), number(unix.NFTA_PAYLOAD_LEN, length))
}

func mask(bits byte) []byte {
	return expression("bitwise", number(unix.NFTA_BITWISE_SREG, unix.NFT_REG_1),
		number(unix.NFTA_BITWISE_DREG, unix.NFT_REG_1),
		number(unix.NFTA_BITWISE_LEN, 1),
		nested(unix.NFTA_BITWISE_MASK, attribute(unix.NFTA_DATA_VALUE, []byte{bits})),
		nested(unix.NFTA_BITWISE_XOR, attribute(unix.NFTA_DATA_VALUE, []byte{0})))
}

func compare(operator uint32, value ...byte) []byte {
	return expression("cmp", number(unix.NFTA_CMP_SREG, unix.NFT_REG_1),
		number(unix.NFTA_CMP_OP, operator),
		nested(unix.NFTA_CMP_DATA, attribute(unix.NFTA_DATA_VALUE, value)))
}

func accept() []byte {
	return expression("immediate", number(unix.NFTA_IMMEDIATE_DREG, unix.NFT_REG_VERDICT),
		nested(unix.NFTA_IMMEDIATE_DATA,
			nested(unix.NFTA_DATA_VERDICT, number(unix.NFTA_VERDICT_CODE, nfAccept))))
}

func nft(what string, kind, flags int, family byte, attributes ...[]byte) message {
	return netfilterMessage(what, unix.NFNL_SUBSYS_NFTABLES, kind, flags, family, 0, attributes...)
}

// batch makes one transaction of messages.
func batch(messages []message) []message {
	edge := func(kind int) message {
		m := netfilterMessage("a transaction", 0, kind, 0, unix.AF_UNSPEC,
			unix.NFNL_SUBSYS_NFTABLES)
		m.unanswered = true
		return m
	}
	return append(append([]message{edge(unix.NFNL_MSG_BATCH_BEGIN)}, messages...),
		edge(unix.NFNL_MSG_BATCH_END))
}

// families returns the families that this machine uses.
func families() []byte {
	if _, err := os.Stat("/proc/net/if_inet6"); err != nil {
		return []byte{unix.NFPROTO_IPV4}
	}
	return []byte{unix.NFPROTO_IPV4, unix.NFPROTO_IPV6}
}

func familyOf(a netip.Addr) byte {
	if a.Is4() {
		return unix.NFPROTO_IPV4
	}
	return unix.NFPROTO_IPV6
}

// ownerComment says whose rules they are, for people who list them.
func ownerComment() string {
	return fmt.Sprintf("hawser protect, pid %d started %s", os.Getpid(), startTime(os.Getpid()))
}
