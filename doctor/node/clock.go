package node

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/doctor"
)

// Peer is another node of the cluster and the addresses of its links to this one.
type Peer struct {
	Name      string
	Addresses []netip.Addr
}

// Clock is what the checks of the clocks query.
type Clock struct {
	// Node is this node's name.
	Node string
	// Peers are the other nodes.
	Peers func(ctx context.Context) ([]Peer, error)
	// Offset returns how far another machine's clock is ahead of this one's, and how far off the
	// answer may be.
	Offset func(ctx context.Context, at netip.Addr) (offset, within time.Duration, err error)
	// Synchronised reports whether this machine's clock follows a better one.
	Synchronised func() (bool, error)
}

// From skewed on, the logs of two nodes can no longer be compared; see also doctor.VeryWrong.
const (
	skewed      = 500 * time.Millisecond
	askingClock = 2 * time.Second
)

// Checks returns the checks of the clocks.
func (c *Clock) Checks() []doctor.Check {
	return []doctor.Check{
		{
			Name: "clock-synchronised", Short: "a clock that nothing synchronises",
			Worst: doctor.Warning, Why: "it drifts away from the other nodes'", Remedy: "chrony",
			Run: func(context.Context) ([]doctor.Finding, error) { return c.checkSynchronised() },
		},
		{Name: "clock-skew", Short: "nodes whose clocks differ", Worst: doctor.Error,
			Why: "what expires does so at different times, and the logs of a failover cannot be " +
				"compared",
			Remedy: "chronyc makestep", Run: c.checkSkew},
	}
}

func (c *Clock) checkSynchronised() ([]doctor.Finding, error) {
	ok, err := c.Synchronised()
	if err != nil || ok {
		return nil, err
	}
	return []doctor.Finding{
		{
			Severity: doctor.Warning, Node: c.Node, Subject: "clock",
			What: "the kernel says that this machine's clock is not synchronised",
			Why: "it drifts: certificates, tokens, time-outs of failures and the logs of this " +
				"node use a different time from the other nodes'",
			Fix: []string{
				"apt-get install chrony    # or dnf install chrony",
				"systemctl enable --now chrony    # chronyd on Red Hat's systems",
				"chronyc tracking",
			},
		},
	}, nil
}

func (c *Clock) checkSkew(ctx context.Context) ([]doctor.Finding, error) {
	peers, err := c.Peers(ctx)
	if err != nil {
		return nil, fmt.Errorf("which nodes to ask for their time: %w", err)
	}
	return doctor.AskAll(peers, func(p Peer) *doctor.Finding { return c.compare(ctx, p) }), nil
}

// ask has a time limit for each address: a link that is down must not use up the time of the next
// one.
func (c *Clock) ask(ctx context.Context, at netip.Addr) (offset, within time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, askingClock)
	defer cancel()
	return c.Offset(ctx, at)
}

// compare asks the peer by each of its addresses until one answers.
func (c *Clock) compare(ctx context.Context, p Peer) *doctor.Finding {
	var refused []string
	for _, at := range p.Addresses {
		offset, within, err := c.ask(ctx, at)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%v: %v", at, err))
			continue
		}
		off := offset.Abs() - within
		if off < skewed {
			return nil
		}
		f := &doctor.Finding{
			Severity: doctor.Warning, Node: p.Name, Subject: p.Name,
			Why: "the logs of a failover cannot be compared, and a failure is forgotten sooner " +
				"on one node than on the other",
			Fix: []string{
				"chronyc makestep    # on the node whose clock is wrong: `chronyc tracking` says " +
					"it",
				"systemctl enable --now chrony    # if none runs there",
			},
		}
		word := "ahead of"
		if offset < 0 {
			word = "behind"
		}
		f.What = fmt.Sprintf("the clock of %s is %v %s this node's (within %v)", p.Name,
			offset.Abs().Round(time.Millisecond), word, within.Round(time.Millisecond))
		if off >= doctor.VeryWrong {
			f.Severity = doctor.Error
			f.Why = "certificates and API tokens are refused on one of them; " + f.Why
		}
		return f
	}
	if len(refused) == 0 {
		refused = []string{"no address of it is known"}
	}
	return &doctor.Finding{
		Severity: doctor.Note, Node: p.Name, Subject: p.Name,
		What: "the clock of " + p.Name + " could not be compared with this node's: " +
			strings.Join(refused, "; "),
		Why: "it may differ; a firewall may drop ICMP's timestamp messages, and IPv6 has none",
		Fix: []string{"chronyc tracking    # on " + p.Name},
	}
}
