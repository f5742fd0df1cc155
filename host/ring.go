package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// Timing asks the Corosync of this node for the times in force.
func (h *Host) Timing(ctx context.Context) (corosync.Effective, error) {
	if !h.Live() {
		return corosync.Effective{},
			fmt.Errorf("%w: the configuration in use is not this node's cluster's",
				corosync.ErrNotRunning)
	}
	return corosync.Running(ctx)
}

// errNoList is the error of a Corosync without this node in its list.
//
//nolint:staticcheck // Corosync is a name
var errNoList = errors.New("Corosync has no list of its nodes, or this one is not in it")

// nodelist is the list of nodes that Corosync has: this one, and the others.
type nodelist struct {
	self   corosync.Member
	others []corosync.Member
	keys   corosync.Keys
}

// askNodes asks this node's Corosync.
func askNodes(ctx context.Context) (nodelist, error) {
	keys, err := corosync.AskKeys(ctx)
	if err != nil {
		return nodelist{}, err
	}
	all, self := keys.Members(), keys["runtime.votequorum.this_node_id"]
	at := slices.IndexFunc(all, func(m corosync.Member) bool { return m.ID == self })
	if at < 0 {
		return nodelist{}, errNoList
	}
	return nodelist{
		self: all[at], others: slices.Delete(slices.Clone(all), at, at+1), keys: keys,
	}, nil
}

// peers returns the other nodes, each with the addresses that can be found.
func peers(ctx context.Context) ([]node.Peer, error) {
	r, err := askNodes(ctx)
	if err != nil {
		return nil, err
	}
	var all []node.Peer
	for _, m := range r.others {
		addresses := slices.DeleteFunc(byLink(ctx, m),
			func(a netip.Addr) bool { return !a.IsValid() })
		all = append(all, node.Peer{Name: m.Label(), Addresses: addresses})
	}
	return all, nil
}

// ringLinks returns the links of Corosync with their ports.
func ringLinks(ctx context.Context) (node.Links, error) {
	r, err := askNodes(ctx)
	if err != nil {
		return node.Links{}, err
	}
	links := node.Links{Own: byLink(ctx, r.self)}
	for link := range links.Own {
		links.Ports = append(links.Ports, r.keys.Port(link))
	}
	for _, m := range r.others {
		links.Peers = append(links.Peers, node.Peer{Name: m.Label(), Addresses: byLink(ctx, m)})
	}
	return links, nil
}

// byLink returns one address for each link of a node; the zero value if none can be found.
func byLink(ctx context.Context, m corosync.Member) []netip.Addr {
	var all []netip.Addr
	for _, link := range m.Links(ctx) {
		link = append(link, netip.Addr{})
		all = append(all, link[0])
	}
	return all
}
