// Package digitalocean moves DigitalOcean's reserved addresses, IPv4 and IPv6, between droplets.
//
// There are two sources. The API (through godo) knows who holds an address and moves it; it costs
// requests of an hourly allowance and has outages. The metadata service, which each droplet reaches
// without leaving its host, says which reserved address is here; it costs nothing and may lag
// behind the API after a move.
//
// An address has been moved when the API names the new holder, not when the action that moves it
// says "completed": the API loses sight of actions, and an action may complete just before another
// one undoes it.
//
// It imports internal/digitalocean and internal/fault, and not floatip. Open provider.go first.
package digitalocean

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	cloud "github.com/hawser-ha/hawser/internal/digitalocean"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/metadata"
)

// Config is what a Provider needs.
type Config struct {
	// API and Metadata are origins (scheme://host:port) to which /v2 and /metadata/v1 are added.
	API, Metadata string
	// Token returns the token for the API. It is called when the first request needs it.
	Token func() (string, error)
	// CacheDir is where the droplet's id is kept until the next boot; "" keeps nothing.
	CacheDir string
	// Log gets what an operator may want to know later; it may be nil.
	Log func(format string, args ...any)
}

// Provider implements floatip.Provider for the droplet that it runs on. It is for one goroutine at
// a time.
type Provider struct {
	api      *api
	metadata *metadata.Client
	identity metadata.Identity
	pacing   cloud.Pacing
	log      func(format string, args ...any)
}

// New returns a Provider. It makes no request.
func New(c Config) *Provider {
	p := &Provider{
		api:      newAPI(c.API, c.Token),
		metadata: metadata.New(c.Metadata),
		pacing:   cloud.DefaultPacing,
		log:      c.Log,
	}
	cache := ""
	if c.CacheDir != "" {
		cache = filepath.Join(c.CacheDir, "droplet")
	}
	p.identity = metadata.Here(p.metadata, cache)
	if p.log == nil {
		p.log = func(string, ...any) {}
	}
	return p
}

// Check reads the token, but does not ask the API whether it is good.
func (p *Provider) Check(context.Context, netip.Addr) error {
	_, err := p.api.Godo()
	return err
}

// Self returns the id of this droplet.
func (p *Provider) Self(ctx context.Context) (string, error) { return p.identity.Droplet(ctx) }

// Here asks the metadata service. For some seconds after a move its answer may be out of date.
func (p *Provider) Here(ctx context.Context, ip netip.Addr) (bool, error) {
	addr, err := reserved(ctx, p.metadata, ip.Is6())
	return err == nil && addr == ip, err
}

// Holder asks the API for the id of the droplet that has the address.
func (p *Provider) Holder(ctx context.Context, ip netip.Addr) (string, error) {
	for pace := p.pacing.Begin(); ; {
		found, err := p.api.get(ctx, ip)
		if err == nil {
			if found.droplet == "" {
				if here, err := p.Here(ctx, ip); err == nil && here {
					return "", p.blind(ctx, ip)
				}
			}
			return found.droplet, nil
		}
		if err := pace.Pause(ctx, p.api.Explain(ctx, fmt.Sprintf("find out who holds %s", ip),
			err)); err != nil {
			return "", err
		}
	}
}

// blind tells apart the two meanings of a reserved address without a droplet: nobody holds it, or
// the token may not see who does. It returns nil for the first.
func (p *Provider) blind(ctx context.Context, ip netip.Addr) error {
	self, err := p.Self(ctx)
	if err != nil {
		return fault.Errorf(fault.Unknown,
			"cannot find out who holds %s: the API names no droplet, and %w", ip, err)
	}
	for pace := p.pacing.Begin(); ; {
		sees, err := p.api.seesDroplets(ctx, self)
		if err == nil && sees {
			return nil
		}
		if err == nil {
			return fault.Errorf(fault.Denied,
				"cannot find out who holds %s: the token may not see droplets, so the API names "+
					"none, whoever "+
					"holds the address: give the token the scope droplet:read (it needs %s)", ip,
				scopes)
		}
		if err := pace.Pause(ctx, p.api.Explain(ctx, "find out what the token may see",
			err)); err != nil {
			return err
		}
	}
}

// Reads returns nil if the token may read everything that this agent reads: the address, and the
// droplets, without which the API names no holder. Whether it may assign the address shows only
// when it tries: the API has no query for that.
func (p *Provider) Reads(ctx context.Context, ip netip.Addr) error {
	if _, err := p.Holder(ctx, ip); err != nil {
		return err
	}
	return p.blind(ctx, ip)
}

// Reserved returns nil if the address is one of the account of the token. An error of the kind
// NotFound says which ones that account has instead.
func (p *Provider) Reserved(ctx context.Context, ip netip.Addr) error {
	what := fmt.Sprintf("find out whether %s is reserved", ip)
	for pace := p.pacing.Begin(); ; {
		_, err := p.api.get(ctx, ip)
		if err == nil {
			return nil
		}
		f := p.api.Explain(ctx, what, err)
		if fault.Of(f.Err) == fault.NotFound {
			return fault.Errorf(fault.NotFound,
				"%s is no reserved IP of the account that the token belongs to; %s. Correct ip, or "+
					"give a token of the team that reserved it", ip, p.instead(ctx, ip.Is6()))
		}
		if err := pace.Pause(ctx, f); err != nil {
			return err
		}
	}
}

// listed is how many addresses a message names.
const listed = 8

// instead says which addresses the account has.
func (p *Provider) instead(ctx context.Context, v6 bool) string {
	family := "IPv4"
	if v6 {
		family = "IPv6"
	}
	switch all, err := p.api.list(ctx, v6); {
	case err != nil:
		return "which ones it has could not be read"
	case len(all) == 0:
		return "it has none (" + family + ")"
	case len(all) > listed:
		return fmt.Sprintf("it has %s and %d more", strings.Join(all[:listed], ", "),
			len(all)-listed)
	default:
		return "it has " + strings.Join(all, ", ")
	}
}

// Assign moves the address to the droplet and returns when the API names it as the holder.
func (p *Provider) Assign(ctx context.Context, ip netip.Addr, server string) error {
	return p.move(ctx, ip, order{
		what:   fmt.Sprintf("assign %s to droplet %s", ip, server),
		target: server,
		done:   func(a address) bool { return a.droplet == server },
	})
}

// Release takes the address from the droplet and returns when the API no longer names it as the
// holder. Nobody holds an address that the API does not know.
func (p *Provider) Release(ctx context.Context, ip netip.Addr, server string) error {
	err := p.move(ctx, ip, order{
		what: fmt.Sprintf("unassign %s from droplet %s", ip, server),
		// An event under way may be one that brings the address here.
		done: func(a address) bool { return a.droplet != server && !a.locked },
	})
	if fault.Of(err) == fault.NotFound {
		p.log("%v; so there is nothing to release", err)
		return nil
	}
	return err
}
