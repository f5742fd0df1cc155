// Package firewall says whether the packet filter of this network namespace would let a packet in
// or out. It reads the rules and follows them as the kernel would, and changes nothing. Whatever it
// does not understand, or cannot know about the packet, makes the answer doubtful, and never
// "open".
//
// It knows nftables, and so what iptables-nft, firewalld and ufw write there. It does not consider
// eBPF, tc, or anything between the machines.
//
// It imports nothing of ours. Open firewall.go first, machine.go for how a rule is followed.
package firewall

import (
	"net/netip"
	"slices"
)

// Answer is whether a packet passes.
type Answer int

// The answers.
const (
	// Open: the packet passes, whatever else is in it.
	Open Answer = iota
	// Blocked: it is dropped or refused, whatever else is in it.
	Blocked
	// Doubtful: it depends on something unknown about the packet, or on a rule that is not
	// understood.
	Doubtful
)

// String is the answer as a word.
func (a Answer) String() string { return [...]string{"open", "blocked", "doubtful"}[a] }

// Judgement is an answer and where it comes from.
type Judgement struct {
	Answer Answer
	// By is the base chain that blocks the packet, or may.
	By Place
	// Doubts say what the answer depends on.
	Doubts []Doubt
}

// Place is a base chain.
type Place struct{ Family, Table, Chain string }

// String is the chain as nft names it: "inet filter input".
func (p Place) String() string { return p.Family + " " + p.Table + " " + p.Chain }

// Doubt is something that a rule tests and that is not known here.
type Doubt struct {
	Place Place // the chain that contains the rule
	What  string
	// Unread is true if the rule itself is not understood, false if it depends on the packet, such
	// as on its sender.
	Unread bool
}

// Protocols that a packet may have (IANA's numbers).
const (
	TCP = 6
	UDP = 17
)

// Packet is what is known about a packet. The zero value of an address or a port is an unknown one,
// which may be any.
type Packet struct {
	// Out is true for a packet that this machine sends, false for one that it receives.
	Out         bool
	Protocol    uint8
	From, To    netip.Addr
	FromPort    uint16
	Port        uint16 // the destination's
	Interface   string // by which it comes or goes
	Index       int    // the interface's
	IPv6        bool
	Established bool // it answers something that went the other way before
}

// hooks returns the hooks that the packet passes, in order (linux/netfilter.h, enum nf_inet_hooks).
func (p Packet) hooks() []int {
	if p.Out {
		return []int{hookOutput, hookPostrouting}
	}
	return []int{hookPrerouting, hookInput}
}

// Judge follows the packet through the rules.
func (r *Ruleset) Judge(p Packet) Judgement {
	j := Judgement{}
	w := newWalk(r, p)
	blocks := func(c *Chain) bool {
		got := w.base(c)
		switch {
		case got.drop && !got.accept:
			j = Judgement{Answer: Blocked, By: c.place()}
			return true
		case got.drop:
			if j.Answer == Open {
				j.Answer, j.By = Doubtful, c.place()
			}
			j.Doubts = append(j.Doubts, got.doubts...)
		}
		return false
	}
	for _, c := range r.onDevice(p) {
		if blocks(c) {
			return j
		}
	}
	for _, hook := range p.hooks() {
		for _, c := range r.at(hook, p.IPv6) {
			if blocks(c) {
				return j
			}
		}
	}
	j.Doubts = slices.Compact(j.Doubts)
	return j
}

// Any returns one answer for a packet that may be any of several: Doubtful if they differ.
func Any(all ...Judgement) Judgement {
	var out Judgement
	for i, j := range all {
		switch {
		case i == 0:
			out = j
		case j.Answer != out.Answer:
			if out.Answer == Open {
				out.By = j.By
			}
			out.Answer = Doubtful
			out.Doubts = append(out.Doubts, j.Doubts...)
		}
	}
	if out.Answer == Doubtful && len(out.Doubts) == 0 {
		out.Doubts = []Doubt{{Place: out.By, What: "the interface by which the packet comes"}}
	}
	return out
}
