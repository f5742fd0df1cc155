package digitalocean

import (
	"context"
	"net/netip"

	cloud "github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/fault"
)

// order is a move of an address.
type order struct {
	what   string             // "assign 203.0.113.10 to droplet 12"
	target string             // the droplet, "" to unassign
	done   func(address) bool // whether that is how the address is
}

// maxPosts is how often an order is given when the API accepts it and then does not carry it out.
const maxPosts = 3

// settling is how many times the address is checked after the API called the action completed,
// before the order is given again.
const settling = 5

// move repeats the order until the address is as ordered. The address is read before each order:
// the answer to the previous one may have been lost on its way, or an event that somebody else
// started may be under way.
func (p *Provider) move(ctx context.Context, ip netip.Addr, o order) error {
	pace := p.pacing.Begin()
	posts := 0
	var under *accepted // the order that is under way, nil if none is
	for {
		found, err := p.api.get(ctx, ip)
		f := p.api.Explain(ctx, o.what, err)
		switch {
		case f != nil:
		case o.done(found):
			return p.certain(ctx, ip, found, o)
		case under != nil:
			if f = p.progress(ctx, ip, found, o, under); under.failed {
				p.log("%v", f.Err)
				under = nil
			}
		case found.locked:
			f = busy("cannot %s: the address is locked, another event of it is still under way; "+
				"the control panel shows which", o.what)
		case posts >= maxPosts:
			f = busy("cannot %s: the API accepted it %d times and the address is held by %s: "+
				"does something else move the address?",
				o.what, posts, holderName(found))
			f.Again = false
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
		if err := pace.Pause(ctx, f); err != nil {
			return err
		}
	}
}

// accepted is an order that the API accepted.
type accepted struct {
	action  int  // its id, 0 if the API gave none
	settled int  // checks of the address since the action was called completed
	failed  bool // nothing more will come of it
}

func busy(format string, args ...any) *cloud.Failure {
	return &cloud.Failure{Again: true, Err: fault.Errorf(fault.Busy, format, args...)}
}

// certain is nil unless the address only seems to be as ordered because the token cannot see who
// holds it.
func (p *Provider) certain(ctx context.Context, ip netip.Addr, found address, o order) error {
	if found.droplet != "" || o.target != "" {
		return nil
	}
	if here, err := p.Here(ctx, ip); err == nil && here {
		return p.blind(ctx, ip)
	}
	return nil
}

// progress checks how the order is going while the address is not yet as ordered, and says why it
// is not.
func (p *Provider) progress(ctx context.Context, ip netip.Addr, found address, o order,
	under *accepted) *cloud.Failure {
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
				return &cloud.Failure{Err: err}
			}
		}
	}
	return busy("cannot %s: the API accepted it as action %d (%s) and the address is still held "+
		"by %s",
		o.what, under.action, status, holderName(found))
}

// elsewhere finds out before the order whether the droplet is in another data centre than the
// address. If the region cannot be found out, the order is given anyway: the API will say.
func (p *Provider) elsewhere(ctx context.Context, ip netip.Addr, found address, o order) error {
	if o.target == "" || found.region == "" {
		return nil
	}
	if self, err := p.Self(ctx); err == nil && self != o.target {
		return nil
	}
	if here, err := p.metadata.Get(ctx, "region"); err == nil && here != "" &&
		here != found.region {
		return misplaced(ip, found.region, o.target, here)
	}
	return nil
}

// refused interprets the refusal of an order. One that nothing else explains may be due to the rule
// of one reserved address per droplet.
func (p *Provider) refused(ctx context.Context, ip netip.Addr, o order, err error) *cloud.Failure {
	f := p.api.Explain(ctx, o.what, err)
	if f == nil || f.Again || o.target == "" || fault.Of(f.Err) != fault.Unknown {
		return f
	}
	if other, err := reserved(ctx, p.metadata, ip.Is6()); err == nil && other.IsValid() &&
		other != ip {
		f.Err = fault.Errorf(fault.Misplaced,
			"%w: the droplet holds the reserved address %s already, and can hold one only: keep "+
				"the two "+
				"resources apart with a negative colocation", f.Err, other)
	}
	return f
}

func holderName(a address) string {
	if a.droplet == "" {
		return "nobody"
	}
	return "droplet " + a.droplet
}

// misplaced is the error for an address of another data centre, so that the API is not asked in
// vain.
func misplaced(ip netip.Addr, region, server, here string) error {
	return fault.Errorf(fault.Misplaced,
		"cannot assign %s to droplet %s: the address is reserved in %s, the droplet is in %s, "+
			"and a reserved address serves its own "+
			"data centre only: keep the resource off this node with a location constraint", ip,
		server, region, here)
}
