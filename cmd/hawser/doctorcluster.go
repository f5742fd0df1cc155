package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
	ring "github.com/hawser-ha/hawser/doctor/corosync"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/doctor/pacemaker"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/firewall"
)

// clusterChecks are the checks of what all nodes share: Pacemaker's configuration and state, Corosync, the clocks.
func clusterChecks(sys *system, source pacemaker.Source) []doctor.Check {
	cluster := &pacemaker.Cluster{Node: sys.node, Pacemaker: source, Told: sys.heard}
	messages := &ring.Ring{Node: sys.node, Keys: corosync.AskKeys, Stats: corosync.AskStats, Votes: corosync.AskVotes, Timing: sys.corosync, Pacemaker: source}
	clock := &node.Clock{Node: sys.node, Peers: sys.peers, Offset: node.ICMPOffset, Synchronised: node.KernelSynchronised}
	return slices.Concat(cluster.Checks(), messages.Checks(), clock.Checks())
}

// filterChecks are the checks of this node's packet filter, which each node can look at only itself.
func filterChecks(sys *system) []doctor.Check {
	filter := &node.Firewall{Node: sys.node, Rules: firewall.Read, NICs: nics, Links: ringLinks, Listeners: sys.listeners}
	return filter.Checks()
}

// ringMembers are the nodes by Corosync's list, this one apart. An address may be a host name.
func ringMembers(ctx context.Context) (self corosync.Member, others []corosync.Member, keys corosync.Keys, err error) {
	if keys, err = corosync.AskKeys(ctx); err != nil {
		return corosync.Member{}, nil, nil, err
	}
	all := keys.Members()
	at := slices.IndexFunc(all, func(m corosync.Member) bool { return m.ID == keys["runtime.votequorum.this_node_id"] })
	if at < 0 {
		return corosync.Member{}, nil, nil, errors.New("Corosync has no list of its nodes, or this one is not in it") //nolint:staticcheck // a name
	}
	return all[at], slices.Delete(slices.Clone(all), at, at+1), keys, nil
}

// resolved are a node's addresses in the order of its links; the zero value stands for one that cannot be found.
func resolved(ctx context.Context, m corosync.Member) []netip.Addr {
	var all []netip.Addr
	for _, word := range m.Addresses {
		a, err := netip.ParseAddr(word)
		if err != nil {
			if found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", word); err == nil && len(found) > 0 {
				a = found[0]
			}
		}
		all = append(all, a.Unmap())
	}
	return all
}

// peers are the other nodes, for whoever asks them something.
func (s *system) peers(ctx context.Context) ([]node.Peer, error) {
	_, others, _, err := ringMembers(ctx)
	if err != nil {
		return nil, err
	}
	var all []node.Peer
	for _, m := range others {
		p := node.Peer{Name: m.Name}
		for _, a := range resolved(ctx, m) {
			if a.IsValid() {
				p.Addresses = append(p.Addresses, a)
			}
		}
		if p.Name == "" {
			p.Name = m.Addresses[0]
		}
		all = append(all, p)
	}
	return all, nil
}

// ringLinks are Corosync's links with their ports.
func ringLinks(ctx context.Context) (node.Links, error) {
	self, others, keys, err := ringMembers(ctx)
	if err != nil {
		return node.Links{}, err
	}
	links := node.Links{Own: resolved(ctx, self)}
	for link := range links.Own {
		links.Ports = append(links.Ports, keys.Port(link))
	}
	for _, m := range others {
		name := m.Name
		if name == "" {
			name = m.Addresses[0]
		}
		links.Peers = append(links.Peers, node.Peer{Name: name, Addresses: resolved(ctx, m)})
	}
	return links, nil
}

// nics are this machine's network interfaces that are up.
func nics() ([]node.NIC, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []node.NIC
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := node.NIC{Name: i.Name, Index: i.Index, Loopback: i.Flags&net.FlagLoopback != 0}
		addresses, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", i.Name, err)
		}
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.Addresses = append(n.Addresses, p.Addr().Unmap().WithZone(""))
			}
		}
		out = append(out, n)
	}
	return out, nil
}

// listeners are the addresses that the configurations of the cluster's HAProxies bind.
func (s *system) listeners(ctx context.Context) ([]inventory.Listener, error) {
	cib, err := s.configuration(ctx)
	if err != nil {
		return nil, err
	}
	declared, err := inventory.Read(cib)
	if err != nil {
		return nil, err
	}
	return declared.Listeners()
}
