package fencedroplet

import (
	"context"
	"net/netip"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/internal/digitalocean"
)

// Options are the agent's options that say where to look for droplets.
type Options struct{ TokenFile, Tag, API string }

// Machine is a droplet as the API describes it.
type Machine struct {
	ID        int
	Name      string
	Addresses []netip.Addr
}

// Find returns the droplet that a fence would find under the plug, so that the author of a host map
// can check that it is the intended node.
func Find(ctx context.Context, o Options, plug string) (Machine, error) {
	a := &agent{tokenFile: o.TokenFile, tag: o.Tag, api: o.API, pacing: digitalocean.DefaultPacing}
	if a.api == "" {
		a.api = contract.DefaultAPIURL
	}
	d, err := a.find(ctx, &fence.Call{Plug: plug})
	return Machine{ID: d.id, Name: d.name, Addresses: d.addresses}, err
}
