// Package lan moves an address between machines of one network: the holder has it on an interface,
// and says so by ARP (IPv4) or neighbour discovery (IPv6).
//
// Nothing keeps such an address exclusive. So before it is taken the network is asked whether
// another machine answers for it, after RFC 5227 and RFC 4862 but within milliseconds instead of
// seconds, because an address that fails over is wanted now: two probes, and a short wait
// (Config.ConflictWait), by whose end an owner on a healthy network has long answered. And a
// release that cannot remove the address is an error.
//
// Announcements (gratuitous ARP, unsolicited neighbour advertisements) are sent at once when the
// address is taken, and once more before Assign returns, which Pacemaker waits for; for more of
// them there is Announce, which the agent calls from its monitors, the first of which follows the
// start at once. No process is left behind for it.
//
// It imports internal/fault, internal/nic and param, and not floatip. Open provider.go first.
package lan

import (
	"context"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/internal/fault"
)

// DefaultConflictWait is how long the network is given to answer for an address.
const DefaultConflictWait = 10 * time.Millisecond

// Config is what a Provider needs.
type Config struct {
	// Node is this machine's name.
	Node string
	// NIC is the interface; "" derives it from the routing table: the one with the smallest network
	// that holds the address.
	NIC string
	// Prefix is the prefix length; 0 takes that of the network, and leaves the network's route
	// alone.
	Prefix int
	// ConflictWait is how long the network may take to answer for an address that is in use; 0 does
	// not ask.
	ConflictWait time.Duration
	// Log gets what an operator may want to know later; it may be nil.
	Log func(format string, args ...any)
}

// Provider implements floatip.Provider for this machine and its network.
type Provider struct{ Config }

// New returns a Provider. It checks nothing.
func New(c Config) *Provider {
	if c.Log == nil {
		c.Log = func(string, ...any) {}
	}
	return &Provider{c}
}

// Check finds out whether there is an interface for the address.
func (p *Provider) Check(_ context.Context, ip netip.Addr) error {
	k, err := openKernel()
	if err != nil {
		return err
	}
	defer k.Close()
	_, err = p.place(k, ip)
	return err
}

// Self returns the name of this machine.
func (p *Provider) Self(context.Context) (string, error) { return p.Node, nil }

// Here looks for the address on the interfaces of this machine. An address that cannot serve in its
// place is an error: it is on a different interface from the one asked for, the interface has no
// carrier, or the kernel found a duplicate of it.
func (p *Provider) Here(_ context.Context, ip netip.Addr) (bool, error) {
	k, err := openKernel()
	if err != nil {
		return false, err
	}
	defer k.Close()
	found, err := p.find(k, ip)
	if err != nil || found == nil {
		return false, err
	}
	return true, p.sound(found)
}

// Holder returns this machine's name if the address is here and no other machine answers for it;
// otherwise the hardware address of the machine that does, or "" if none does.
func (p *Provider) Holder(ctx context.Context, ip netip.Addr) (string, error) {
	k, err := openKernel()
	if err != nil {
		return "", err
	}
	defer k.Close()
	found, at, err := p.where(k, ip)
	if err != nil {
		return "", err
	}
	w, err := openWire(asInterface(at.link), ip)
	if err != nil {
		return "", err
	}
	defer w.close()
	other, err := w.whoHas(ctx, p.ConflictWait)
	switch {
	case err != nil:
		return "", err
	case found && other != nil:
		return "", conflict(ip, at.link, other)
	case found:
		return p.Node, nil
	case other != nil:
		return other.String(), nil
	}
	return "", nil
}

// where returns the place that the address has (found) or would get, if packets can leave from
// there.
func (p *Provider) where(k kernel, ip netip.Addr) (found bool, at place, err error) {
	here, err := p.find(k, ip)
	if err != nil {
		return false, place{}, err
	}
	if here == nil {
		if at, err = p.place(k, ip); err != nil {
			return false, place{}, err
		}
		if err := carrier(at.link); err != nil {
			return false, place{}, fault.Errorf(fault.Broken, "cannot find out who has %s: %w", ip,
				err)
		}
		return false, at, nil
	}
	return true, place{link: here.link}, p.sound(here)
}

// Assign puts the address on the interface, unless another machine answers for it, and announces
// it. Clients are waiting from the end of the wait for another machine until the first
// announcement: nothing else is done in between, and nothing is logged.
func (p *Provider) Assign(ctx context.Context, ip netip.Addr, server string) error {
	if server != p.Node {
		return fault.Errorf(fault.Unknown,
			"cannot give %s to %s: on a network each machine takes its addresses itself", ip,
			server)
	}
	k, err := openKernel()
	if err != nil {
		return err
	}
	defer k.Close()
	found, at, err := p.where(k, ip)
	if err != nil {
		return err
	}
	w, err := openWire(asInterface(at.link), ip)
	if err != nil {
		return err
	}
	defer w.close()
	if !found {
		other, err := w.whoHas(ctx, p.ConflictWait)
		if err != nil {
			return err
		}
		if other != nil {
			return conflict(ip, at.link, other)
		}
		if err := at.add(k, ip); err != nil {
			return err
		}
	}
	err = w.announce(ctx, burst)
	if at.derived != "" {
		p.Log("%s goes to %s as /%d; %s derived from the routing table", ip, at.link.Attrs().Name,
			at.prefix, at.derived)
	}
	return err
}

// Announce tells the network once more that the address is here.
func (p *Provider) Announce(ctx context.Context, ip netip.Addr) error {
	k, err := openKernel()
	if err != nil {
		return err
	}
	defer k.Close()
	here, err := p.find(k, ip)
	if err == nil && here != nil {
		err = p.sound(here)
	}
	if err != nil {
		return err
	}
	if here == nil {
		return fault.Errorf(fault.Unknown, "cannot announce %s: it is not on this node", ip)
	}
	w, err := openWire(asInterface(here.link), ip)
	if err != nil {
		return err
	}
	defer w.close()
	return w.announce(ctx, 1)
}

// Release removes the address from whichever interface it is on.
func (p *Provider) Release(_ context.Context, ip netip.Addr, server string) error {
	if server != p.Node {
		return nil // what is not here need not be removed from here
	}
	k, err := openKernel()
	if err != nil {
		return err
	}
	defer k.Close()
	for range maxCopies {
		found, err := p.find(k, ip)
		if err != nil || found == nil {
			return err
		}
		if err := p.remove(k, *found); err != nil {
			return err
		}
	}
	return fault.Errorf(fault.Unknown,
		"cannot remove %s: it comes back each time; does a network manager own it too?", ip)
}

// maxCopies is how often an address is removed: an IPv4 address can be on an interface with several
// prefix lengths.
const maxCopies = 8

func conflict(ip netip.Addr, link netlink.Link, other net.HardwareAddr) error {
	return fault.Errorf(fault.Conflict,
		"%s is in use by another machine on the network of %s, hardware address %s: is it "+
			"configured there "+
			"by hand, or has that node left the cluster without being fenced?", ip, link.Attrs().Name,
		other)
}
