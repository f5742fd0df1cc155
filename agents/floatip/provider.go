package floatip

import (
	"context"
	"net/netip"
	"time"

	"github.com/hawser-ha/hawser/agents/floatip/digitalocean"
	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// Provider moves addresses between servers. An error means "unknown" or "cannot", never "no";
// package fault says which. Every method returns soon after its context has ended.
type Provider interface {
	// Self returns the provider's name for this server.
	Self(ctx context.Context) (server string, err error)
	// Holder returns the provider's name for the server that has the address, "" if none has it.
	Holder(ctx context.Context, ip netip.Addr) (server string, err error)
	// Assign gives the address to the server and is idempotent. It may return before Holder says
	// so.
	Assign(ctx context.Context, ip netip.Addr, server string) error
	// Release takes the address from the server, and does nothing unless that server holds it.
	Release(ctx context.Context, ip netip.Addr, server string) error
}

// Local is a Provider that can also tell from this machine alone whether it has the address, so
// cheaply that a recurring monitor may ask each time. If the provider keeps the address exclusive,
// the answer may lag behind Holder's.
type Local interface {
	Here(ctx context.Context, ip netip.Addr) (bool, error)
}

// Announcer is a Provider whose network has to be told where the address is, and told again for
// those who missed it.
type Announcer interface {
	Announce(ctx context.Context, ip netip.Addr) error
}

// Checker is a Provider that can find out on this node alone, without any request, that it cannot
// work.
type Checker interface {
	Check(ctx context.Context, ip netip.Addr) error
}

// driver is a row of the table of providers.
type driver struct {
	name string
	// exclusive is whether the provider itself lets one server at a time hold the address. Then a
	// stop that cannot reach the provider does no harm, because the next holder's assign moves the
	// address; and only the provider's answer is authoritative.
	exclusive bool
	// patience is how long a start tries again while another machine has the address, which only a
	// provider that does not keep it exclusive reports.
	patience time.Duration
	// watched is whether a process watches the address between the monitors: where the kernel of this
	// machine has it.
	watched bool
	// credentials is whether the provider needs a token.
	credentials bool
	open        func(settings, *ocf.Call, func() (string, error)) Provider
}

// drivers returns the table of providers; the first one is the default.
func drivers() []driver {
	return []driver{
		{name: contract.DigitalOcean, exclusive: true, credentials: true, open: openDigitalOcean},
		{name: contract.LAN, patience: conflictPatience, watched: true, open: openLAN},
	}
}

func openDigitalOcean(s settings, call *ocf.Call, token func() (string, error)) Provider {
	return digitalocean.New(digitalocean.Config{
		API: s.API, Metadata: s.Metadata, Token: token, CacheDir: call.Dir, Log: call.Infof,
	})
}

func openLAN(s settings, call *ocf.Call, _ func() (string, error)) Provider {
	return lan.New(lan.Config{Node: call.Node, NIC: s.NIC, Prefix: s.Prefix,
		ConflictWait: s.ConflictWait, Log: call.Infof})
}
