package fencedroplet

import (
	"context"
	"net/netip"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
)

// Options are those of the agent that say where droplets are looked for.
type Options struct{ TokenFile, Tag, API string }

// Machine is a droplet as the API describes it.
type Machine struct {
	ID        int
	Name      string
	Addresses []netip.Addr
}

// Find returns the droplet that a fence would find under the plug: who writes a host map can see
// whether that is the node which is meant.
func Find(ctx context.Context, o Options, plug string) (Machine, error) {
	a := &agent{tokenFile: o.TokenFile, tag: o.Tag, api: o.API, pacing: digitalocean.DefaultPacing}
	if a.api == "" {
		a.api = contract.DefaultAPIURL
	}
	d, err := a.find(ctx, &fence.Call{Plug: plug})
	return Machine{ID: d.id, Name: d.name, Addresses: d.addresses}, err
}
