package firewall

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// attributes are the attributes of one netlink message or nest, the last of each kind.
type attributes map[uint16][]byte

// typeMask removes the flags from an attribute's type (NLA_TYPE_MASK of linux/netlink.h).
const typeMask = 0x3fff

func readAttributes(b []byte) (attributes, error) {
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return nil, err
	}
	out := attributes{}
	for _, a := range list {
		out[a.Attr.Type&typeMask] = a.Value
	}
	return out, nil
}

// within reads a nest; a missing or unreadable one is empty.
func (a attributes) within(kind uint16) attributes {
	in, err := readAttributes(a[kind])
	if err != nil {
		return attributes{}
	}
	return in
}

// number is a number in network byte order, as all of nf_tables' are. A missing one is 0.
func (a attributes) number(kind uint16) uint32 {
	if b := a[kind]; len(b) >= 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (a attributes) text(kind uint16) string { return string(bytes.TrimRight(a[kind], "\x00")) }

// Read asks the kernel for the rules of this thread's network namespace. It needs CAP_NET_ADMIN.
func Read() (*Ruleset, error) { return steadily(generation, readOnce) }

// readings is how often the rules are read if they change meanwhile: a program such as fail2ban may
// change them at any moment.
const readings = 5

// steadily reads until nothing has changed between the beginning and the end: chains from before a
// change with rules from after it are a packet filter that never existed.
func steadily(generation func() (uint32, error), read func() (*Ruleset, error)) (*Ruleset, error) {
	for range readings {
		before, err := generation()
		if err != nil {
			return nil, fmt.Errorf("read the packet filter's rules: %w", err)
		}
		r, readErr := read()
		after, err := generation()
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the packet filter's rules: %w", err)
		case before != after || errors.Is(readErr, nl.ErrDumpInterrupted):
		default:
			return r, readErr
		}
	}
	return nil, fmt.Errorf(
		"read the packet filter's rules: they have changed each time, %d times, while they were "+
			"read",
		readings)
}

// generation is the number of the rules' last change (NFTA_GEN_ID), 0 in a kernel without
// nf_tables.
func generation() (uint32, error) {
	const id = 1 // NFTA_GEN_ID
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	req.AddRawData([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, 0})
	answers, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	switch {
	case errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EINVAL):
		return 0, nil
	case err != nil:
		return 0, err
	case len(answers) == 0 || len(answers[0]) < nl.SizeofNfgenmsg:
		return 0, errors.New("the kernel's answer is cut short")
	}
	a, err := readAttributes(answers[0][nl.SizeofNfgenmsg:])
	return a.number(id), err
}

func readOnce() (*Ruleset, error) {
	r := &Ruleset{sets: map[setID]*set{}}
	asleep := map[setID]bool{} // tables that are switched off
	steps := []struct {
		ask  int
		each func(family uint8, a attributes) error
	}{
		{unix.NFT_MSG_GETTABLE, func(family uint8, a attributes) error {
			const dormant = 0x1 // NFT_TABLE_F_DORMANT
			if a.number(unix.NFTA_TABLE_FLAGS)&dormant != 0 {
				asleep[setID{family: family, table: a.text(unix.NFTA_TABLE_NAME)}] = true
			}
			return nil
		}},
		{unix.NFT_MSG_GETCHAIN, func(family uint8, a attributes) error {
			if !asleep[setID{family: family, table: a.text(unix.NFTA_CHAIN_TABLE)}] {
				r.Chains = append(r.Chains, readChain(family, a))
			}
			return nil
		}},
		{unix.NFT_MSG_GETSET, func(family uint8, a attributes) error {
			s := readSet(family, a)
			r.sets[s.id] = s
			return nil
		}},
		{unix.NFT_MSG_GETRULE, r.addRule},
	}
	for _, s := range steps {
		if err := dump(s.ask, 0, nil, s.each); err != nil {
			if s.ask == unix.NFT_MSG_GETTABLE &&
				(errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EINVAL)) {
				break // a kernel without nf_tables has no rules there
			}
			return nil, fmt.Errorf("read the packet filter's rules: %w", err)
		}
	}
	for _, s := range r.sets {
		if err := s.readElements(); err != nil {
			return nil, fmt.Errorf("read the packet filter's set %s: %w", s.id.name, err)
		}
	}
	r.Legacy = legacyTables("/proc/thread-self/net") && !legacyIsEmpty()
	return r, nil
}

// legacyTables says whether ip_tables (not nf_tables) has a table with rules in this network
// namespace. The file names all tables that have ever been used.
func legacyTables(net string) bool {
	for _, name := range []string{"ip_tables_names", "ip6_tables_names"} {
		if text, err := os.ReadFile(net + "/" + name); err == nil &&
			len(strings.Fields(string(text))) > 0 {
			return true
		}
	}
	return false
}

// dump asks for all objects of a kind.
func dump(ask int, family uint8, body []byte, each func(family uint8, a attributes) error) error {
	const subsystem = unix.NFNL_SUBSYS_NFTABLES << 8
	req := nl.NewNetlinkRequest(subsystem|ask, unix.NLM_F_DUMP)
	req.AddRawData(append([]byte{family, unix.NFNETLINK_V0, 0, 0}, body...))
	answers, err := req.Execute(unix.NETLINK_NETFILTER, 0)
	if err != nil {
		return err
	}
	for _, answer := range answers {
		if len(answer) < nl.SizeofNfgenmsg {
			return errors.New("the kernel's answer is cut short")
		}
		a, err := readAttributes(answer[nl.SizeofNfgenmsg:])
		if err != nil {
			return err
		}
		if err := each(answer[0], a); err != nil {
			return err
		}
	}
	return nil
}

func readChain(family uint8, a attributes) *Chain {
	c := &Chain{
		Family: family, Table: a.text(unix.NFTA_CHAIN_TABLE), Name: a.text(unix.NFTA_CHAIN_NAME),
		Hook: noHook,
	}
	if _, base := a[unix.NFTA_CHAIN_HOOK]; base {
		const device, devices = 3, 4 // NFTA_HOOK_DEV, NFTA_HOOK_DEVS
		hook := a.within(unix.NFTA_CHAIN_HOOK)
		c.Hook = int(hook.number(unix.NFTA_HOOK_HOOKNUM))
		c.Priority = int32(hook.number(unix.NFTA_HOOK_PRIORITY))
		c.Drops = len(a[unix.NFTA_CHAIN_POLICY]) >= 4 &&
			a.number(unix.NFTA_CHAIN_POLICY) == verdictDrop
		if name := hook.text(device); name != "" {
			c.Devices = []string{name}
		}
		if list, err := nl.ParseRouteAttr(hook[devices]); err == nil {
			for _, d := range list {
				c.Devices = append(c.Devices, string(bytes.TrimRight(d.Value, "\x00")))
			}
		}
	}
	return c
}

func (r *Ruleset) addRule(family uint8, a attributes) error {
	c := r.chain(family, a.text(unix.NFTA_RULE_TABLE), a.text(unix.NFTA_RULE_CHAIN))
	if c == nil {
		return nil // of a table that is switched off, or was created since
	}
	list, err := nl.ParseRouteAttr(a[unix.NFTA_RULE_EXPRESSIONS])
	if err != nil {
		return err
	}
	var rule Rule
	for _, e := range list {
		in, err := readAttributes(e.Value)
		if err != nil {
			return err
		}
		rule = append(rule, Expr{in.text(unix.NFTA_EXPR_NAME), in.within(unix.NFTA_EXPR_DATA)})
	}
	c.Rules = append(c.Rules, rule)
	return nil
}
