package digitalocean

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/hawser-ha/hawser/agents/floatip/fault"
)

// pacing is how requests follow each other: the first pause is about begin, each next one grows by half up to about end.
type pacing struct{ first, last time.Duration }

var defaultPacing = pacing{first: 200 * time.Millisecond, last: 2 * time.Second}

// maxPauses ends a wait whose context has no deadline: after some 60 s with the default pacing.
const maxPauses = 40

func (p pacing) begin() *pace { return &pace{next: p.first, last: p.last} }

// pace is one sequence of requests.
type pace struct {
	next, last time.Duration
	pauses     int
	told       error // the latest failure
}

// pause waits before the next request, as long as the API asks for or else as the sequence goes. It returns the failure's error
// at once if trying again is pointless or would be too late: the time left is better spent on telling why.
func (p *pace) pause(ctx context.Context, f *failure) error {
	if ctx.Err() != nil && p.told != nil {
		return fmt.Errorf("%w (%w)", p.told, ctx.Err()) // a request that was cut short says less than the one before it
	}
	if !f.again {
		return f.err
	}
	p.told = f.err
	wait := p.next/2 + rand.N(p.next/2+1)
	if f.after > 0 {
		wait = f.after + rand.N(f.after/10+p.next) // the other nodes were told the same time
	}
	p.next = min(p.next+p.next/2, p.last)
	p.pauses++
	if deadline, ok := ctx.Deadline(); !ok && p.pauses > maxPauses || ok && time.Until(deadline) < wait {
		return fmt.Errorf("%w; no time is left to try again", f.err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", f.err, ctx.Err())
	case <-timer.C:
		return nil
	}
}

// order is a move of an address.
type order struct {
	what   string             // "assign 203.0.113.10 to droplet 12"
	target string             // the droplet, "" to unassign
	done   func(address) bool // whether that is how the address is
}

// maxPosts is how often an order is given when the API accepts it and then does not carry it out.
const maxPosts = 3

// settling is how many times the address is looked at after the API called the action completed, before the order is given again.
const settling = 5

// move gives the order until the address is as ordered. The address is read before each order: the answer to the previous one may
// have been lost on its way, or somebody else's event may be under way.
func (p *Provider) move(ctx context.Context, ip netip.Addr, o order) error {
	pace := p.pacing.begin()
	posts := 0
	var under *accepted // the order that is under way, nil if none is
	for {
		found, err := p.api.get(ctx, ip)
		f := p.explain(ctx, o.what, err)
		switch {
		case f != nil:
		case o.done(found):
			return p.certain(ctx, ip, found, o)
		case under != nil:
			if f = p.progress(ctx, ip, found, o, under); under.failed {
				p.log("%v", f.err)
				under = nil
			}
		case found.locked:
			f = busy("cannot %s: the address is locked, another event of it is still under way; the control panel shows which", o.what)
		case posts >= maxPosts:
			f = busy("cannot %s: the API accepted it %d times and the address is held by %s: does something else move the address?",
				o.what, posts, holderName(found))
			f.again = false
		default:
			if err := p.elsewhere(ctx, ip, found, o); err != nil {
				return err
			}
			var action int
			action, err = p.api.post(ctx, ip, o.target)
			if f = p.refused(ctx, ip, o, err); f == nil {
				posts++
				under = &accepted{action: action}
				f = busy("cannot %s: the API accepted it, and it is still under way", o.what)
			}
		}
		if err := pace.pause(ctx, f); err != nil {
			return err
		}
	}
}

// accepted is an order that the API accepted.
type accepted struct {
	action  int  // its id, 0 if the API gave none
	settled int  // looks at the address since the action was called completed
	failed  bool // nothing more will come of it
}

func busy(format string, args ...any) *failure {
	return &failure{again: true, err: fault.Errorf(fault.Busy, format, args...)}
}

// certain is nil unless the address only seems to be as ordered because the token cannot see by whom it is held.
func (p *Provider) certain(ctx context.Context, ip netip.Addr, found address, o order) error {
	if found.droplet != "" || o.target != "" {
		return nil
	}
	if here, err := p.Here(ctx, ip); err == nil && here {
		return p.blind(ctx, ip)
	}
	return nil
}

// progress looks at what became of the order where the address is not yet as ordered, and says why it is not.
func (p *Provider) progress(ctx context.Context, ip netip.Addr, found address, o order, under *accepted) *failure {
	status := "state unknown"
	if under.action != 0 {
		// An action that cannot be read says nothing; the holder will.
		if read, err := p.api.action(ctx, ip, under.action); err == nil {
			status = read
		}
	}
	switch status {
	case actionErrored:
		under.failed = true
		return busy("cannot %s: the API reports its action %d as errored", o.what, under.action)
	case actionCompleted:
		under.settled++
		under.failed = under.settled > settling
		if found.droplet == "" && o.target != "" {
			if err := p.blind(ctx, ip); err != nil {
				return &failure{err: err}
			}
		}
	}
	return busy("cannot %s: the API accepted it as action %d (%s) and the address is still held by %s",
		o.what, under.action, status, holderName(found))
}

// elsewhere finds out before the order whether the droplet is in another data centre than the address. A region that cannot be
// found out stops nothing: the API will say.
func (p *Provider) elsewhere(ctx context.Context, ip netip.Addr, found address, o order) error {
	if o.target == "" || found.region == "" {
		return nil
	}
	if self, err := p.Self(ctx); err == nil && self != o.target {
		return nil
	}
	if here, err := p.metadata.get(ctx, "region"); err == nil && here != "" && here != found.region {
		return misplaced(ip, found.region, o.target, here)
	}
	return nil
}

// refused reads the answer to an order. A refusal that no other reading explains may be due to the rule of one reserved address a
// droplet.
func (p *Provider) refused(ctx context.Context, ip netip.Addr, o order, err error) *failure {
	f := p.explain(ctx, o.what, err)
	if f == nil || f.again || o.target == "" || fault.Of(f.err) != fault.Unknown {
		return f
	}
	if other, err := p.metadata.reserved(ctx, ip.Is6()); err == nil && other.IsValid() && other != ip {
		f.err = fault.Errorf(fault.Misplaced, "%w: the droplet holds the reserved address %s already, and can hold one only: keep the two "+
			"resources apart with a negative colocation", f.err, other)
	}
	return f
}

func holderName(a address) string {
	if a.droplet == "" {
		return "nobody"
	}
	return "droplet " + a.droplet
}
