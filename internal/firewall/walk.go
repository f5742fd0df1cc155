package firewall

import "golang.org/x/sys/unix"

// ternary is yes, no, or undecided.
type ternary int

const (
	no ternary = iota
	maybe
	yes
)

// both is the logical and.
func both(a, b ternary) ternary { return min(a, b) }

func not(t ternary) ternary { return yes - t }

// Verdicts of linux/netfilter.h and linux/netfilter/nf_tables.h.
const (
	verdictDrop     = 0
	verdictAccept   = 1
	verdictContinue = -1
	verdictBreak    = -2
	verdictJump     = -3
	verdictGoto     = -4
	verdictReturn   = -5
)

// outcome is what may happen to a packet in a chain.
type outcome struct {
	accept, drop bool
	back         bool // it goes on in the chain that called this one, or by the policy
	doubts       []Doubt
}

func (o *outcome) add(x outcome) {
	o.accept, o.drop = o.accept || x.accept, o.drop || x.drop
	o.doubts = append(o.doubts, x.doubts...)
}

// walk follows one packet. What a rule may have changed in the packet is unknown to the rules after
// it.
type walk struct {
	rules  *Ruleset
	packet Packet

	network, networkKnown     []byte // the network header
	transport, transportKnown []byte // the beginning of the transport header
	markUnknown               bool
	tracked                   bool // its state of connection tracking is that of the packet
	steps                     int
}

// mostSteps bounds the walk through rules that cannot be decided: each jump that may be taken
// doubles the number of paths.
const mostSteps = 200_000

// mostJumps is how deeply chains may call each other (NFT_JUMP_STACK_SIZE of the kernel is 16).
const mostJumps = 16

// base follows the packet through a base chain to its policy.
func (w *walk) base(c *Chain) outcome {
	o := w.chain(c, 0)
	if o.back {
		if c.Drops {
			o.drop = true
		} else {
			o.accept = true
		}
	}
	return o
}

func (w *walk) chain(c *Chain, depth int) outcome {
	var o outcome
	if depth > mostJumps {
		return outcome{
			accept: true, drop: true,
			doubts: []Doubt{{c.place(), "chains that call each other too deeply", true}},
		}
	}
	for _, rule := range c.Rules {
		if w.steps++; w.steps > mostSteps {
			return outcome{
				accept: true, drop: true,
				doubts: []Doubt{{c.place(), "more rules than are followed", true}},
			}
		}
		r := w.rule(c, rule, depth)
		o.add(r.outcome)
		if !r.next {
			if r.back {
				o.back = true
			}
			return o
		}
		o.back = o.back || r.back
	}
	o.back = true
	return o
}

// ruled is what may happen to a packet in a rule.
type ruled struct {
	outcome      // back: it may return from the chain
	next    bool // it may go on with the next rule
}

// rule runs the steps. Registers hold what a step has read for the next.
func (w *walk) rule(c *Chain, rule Rule, depth int) ruled {
	m := machine{walk: w, chain: c}
	matched := yes
	for _, e := range rule {
		s := m.step(e)
		if s.match == no {
			return ruled{next: true, outcome: outcome{}}
		}
		if s.match == maybe {
			matched = maybe
		}
		if len(s.verdicts) == 0 {
			continue
		}
		out := ruled{next: matched == maybe}
		for _, v := range s.verdicts {
			w.verdict(&out, c, v, depth)
		}
		if matched == maybe || len(s.verdicts) > 1 {
			out.doubts = append(out.doubts, m.doubts...)
		}
		return out
	}
	return ruled{next: true}
}

func (w *walk) verdict(out *ruled, c *Chain, v verdict, depth int) {
	switch v.code {
	case verdictDrop:
		out.drop = true
	case verdictAccept:
		out.accept = true
	case verdictReturn:
		out.back = true
	case verdictJump, verdictGoto:
		to := w.rules.chain(c.Family, c.Table, v.chain)
		if to == nil {
			to = &Chain{} // created since: its rules are unknown
			out.accept, out.drop = true, true
			out.doubts = append(out.doubts, Doubt{
				c.place(),
				"the chain " + v.chain + ", which was not there when the rules were read", true,
			})
		}
		in := w.chain(to, depth+1)
		out.add(in)
		if in.back && v.code == verdictJump {
			out.next = true
		}
		if in.back && v.code == verdictGoto {
			out.back = true
		}
	case verdictContinue, verdictBreak:
		out.next = true
	default: // handed to a program, or elsewhere
		out.accept, out.drop = true, true
		out.doubts = append(out.doubts, Doubt{c.place(), v.why, true})
	}
}

// newWalk builds the headers of the packet as far as they are known.
func newWalk(r *Ruleset, p Packet) *walk {
	w := &walk{rules: r, packet: p, tracked: true, markUnknown: r.setsMarks()}
	if p.IPv6 {
		w.network, w.networkKnown = make([]byte, 40), make([]byte, 40)
		w.network[0], w.networkKnown[0] = 6<<4, 0xf0
		w.network[6], w.networkKnown[6] = p.Protocol, 0xff
		w.setAddresses(8, 24, 16)
	} else {
		w.network, w.networkKnown = make([]byte, 20), make([]byte, 20)
		w.network[0], w.networkKnown[0] = 4<<4|5, 0xff
		w.network[9], w.networkKnown[9] = p.Protocol, 0xff
		// Not a fragment: offset 0 (RFC 791).
		w.networkKnown[6], w.networkKnown[7] = 0x1f, 0xff
		w.setAddresses(12, 16, 4)
	}
	w.transport, w.transportKnown = make([]byte, 20), make([]byte, 20)
	for at, port := range map[int]uint16{0: p.FromPort, 2: p.Port} {
		if port != 0 {
			w.transport[at], w.transport[at+1] = byte(port>>8), byte(port)
			w.transportKnown[at], w.transportKnown[at+1] = 0xff, 0xff
		}
	}
	if p.Protocol == TCP && !p.Established {
		// SYN alone (RFC 9293, 3.1), whatever ECN adds
		w.transport[13], w.transportKnown[13] = 0x02, 0x3f
	}
	return w
}

func (w *walk) setAddresses(from, to, length int) {
	put := func(at int, b []byte) {
		if len(b) == length {
			copy(w.network[at:], b)
			for i := range b {
				w.networkKnown[at+i] = 0xff
			}
		}
	}
	put(from, w.packet.From.Unmap().AsSlice())
	put(to, w.packet.To.Unmap().AsSlice())
}

// setsMarks says whether any rule gives packets marks. If none does, a packet has the mark 0.
func (r *Ruleset) setsMarks() bool {
	for _, c := range r.Chains {
		for _, rule := range c.Rules {
			for _, e := range rule {
				if e.Name == "meta" && e.attrs[unix.NFTA_META_SREG] != nil &&
					e.attrs.number(unix.NFTA_META_KEY) == unix.NFT_META_MARK {
					return true
				}
				if e.Name == "target" &&
					(e.attrs.text(unix.NFTA_TARGET_NAME) == "MARK" ||
						e.attrs.text(unix.NFTA_TARGET_NAME) == "CONNMARK") {
					return true
				}
			}
		}
	}
	return false
}
