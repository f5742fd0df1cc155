// Package variables has the HAWSER_ variables of HAProxy's environment: how they are found out, which
// of them a configuration mentions in vain, and what makes a HAProxy that runs take over another value.
//
// It imports ownaddress, contract, the client of HAProxy and leaves of internal. Start reading here;
// site.go has the site.
package variables

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/hawser-ha/hawser/agents/haproxy/ownaddress"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// Node is what is known of a node's variables.
type Node struct {
	Name string
	// Site is "" for a node that is in none.
	Site string
	// AnchorIP and PrivateIP are asked of the metadata service where they are not given.
	AnchorIP, PrivateIP netip.Addr
	Metadata            ownaddress.Service
}

// address is an address of this node that HAProxy's configuration may mention.
type address struct {
	name, parameter string
	// path is where the metadata service has it (DigitalOcean, Droplet Metadata API).
	path  string
	value netip.Addr
}

func (n Node) addresses() []address {
	return []address{
		{contract.AnchorIPVariable, contract.ParamAnchorIP, "interfaces/public/0/anchor_ipv4/address",
			n.AnchorIP},
		{contract.PrivateIPVariable, contract.ParamPrivateIP, "interfaces/private/0/ipv4/address",
			n.PrivateIP},
	}
}

// Environment returns the variables. HAProxy takes a variable that is not set for an empty word, and
// would then bind every address instead of one: so an address that the configuration mentions and that
// cannot be found out is an error. The metadata service is asked only for what is mentioned and not
// given by a parameter, and believed only where the address is one of this node's. With remember, its
// answers are kept, and the last one is used when it does not answer.
func (n Node) Environment(ctx context.Context, sources []client.Source,
	remember bool) ([]string, error) {
	env := []string{contract.NodeVariable + "=" + n.Name, contract.SiteVariable + "=" + n.Site}
	for _, v := range n.addresses() {
		addr := v.value
		if !addr.IsValid() {
			if !client.Mentions(sources, v.name) {
				continue
			}
			var err error
			if addr, err = n.Metadata.Ask(ctx, v.path, v.name, remember); err != nil {
				return nil, fmt.Errorf("%s, which the configuration mentions, is unknown here "+
					"(set %s or metadata_url): %w", v.name, v.parameter, err)
			}
		}
		env = append(env, v.name+"="+addr.String())
	}
	return env, nil
}

// Missing returns the variables that the configuration mentions and that a HAProxy was not started
// with. One that may be empty is never missing.
func Missing(sources []client.Source, env []string) []string {
	var names []string
	for _, v := range (Node{}).addresses() {
		if client.Mentions(sources, v.name) && procfs.Lookup(env, v.name) == "" {
			names = append(names, v.name)
		}
	}
	return names
}
