package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/firewall"
)

// clusterChecks are the checks of what all nodes share: Pacemaker's configuration and state, Corosync, the clocks.
func clusterChecks(sys *system, pacemaker doctor.PacemakerCluster) []doctor.Check {
	cluster := &doctor.Cluster{Node: sys.Node, Pacemaker: pacemaker, Told: sys.heard}
	ring := &doctor.Corosync{Node: sys.Node, Keys: corosync.AskKeys, Stats: corosync.AskStats, Votes: corosync.AskVotes, Timing: sys.corosync, Cluster: cluster}
	clock := &doctor.Clock{Node: sys.Node, Peers: sys.peers, Offset: doctor.ICMPOffset, Synchronised: doctor.KernelSynchronised}
	return slices.Concat(cluster.Checks(), ring.Checks(), clock.Checks())
}

// filterChecks are the checks of this node's packet filter, which each node can look at only itself.
func filterChecks(sys *system) []doctor.Check {
	filter := &doctor.Firewall{Node: sys.Node, Rules: firewall.Read, NICs: nics, Links: ringLinks, Listeners: sys.listeners}
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
func (s *system) peers(ctx context.Context) ([]doctor.Peer, error) {
	_, others, _, err := ringMembers(ctx)
	if err != nil {
		return nil, err
	}
	var all []doctor.Peer
	for _, m := range others {
		p := doctor.Peer{Name: m.Name}
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
func ringLinks(ctx context.Context) (doctor.Links, error) {
	self, others, keys, err := ringMembers(ctx)
	if err != nil {
		return doctor.Links{}, err
	}
	links := doctor.Links{Own: resolved(ctx, self)}
	for link := range links.Own {
		links.Ports = append(links.Ports, keys.Port(link))
	}
	for _, m := range others {
		name := m.Name
		if name == "" {
			name = m.Addresses[0]
		}
		links.Peers = append(links.Peers, doctor.Peer{Name: name, Addresses: resolved(ctx, m)})
	}
	return links, nil
}

// nics are this machine's network interfaces that are up.
func nics() ([]doctor.NIC, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []doctor.NIC
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := doctor.NIC{Name: i.Name, Index: i.Index, Loopback: i.Flags&net.FlagLoopback != 0}
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

// listeners are the addresses that the configurations of the cluster's HAProxies bind. One that depends on what only the agent knows, such as
// the anchor address, stands for any.
func (s *system) listeners(ctx context.Context) ([]doctor.Listener, error) {
	cib, err := crm.Saved(ctx, s.SavedCIB, s.Cluster)
	if err != nil {
		return nil, err
	}
	var all []doctor.Listener
	for _, o := range cib.Effective() {
		p, ok := o.(*crm.Primitive)
		if !ok || p.Class != "ocf" || p.Type != contract.HAProxyID {
			continue
		}
		conf, _ := p.Params.Get("conffile")
		extra, _ := p.Params.Get("extraconf")
		conf = cmp.Or(conf, contract.DefaultConffile)
		sources, err := haproxy.ReadSources(contract.ConfigFiles(conf, strings.Fields(extra)))
		if err != nil {
			return nil, err
		}
		unset := func(string) string { return "" }
		bindings := haproxy.Bindings(sources, unset)
		for _, at := range haproxy.Binds(sources, unset) {
			six := at.Addr() == netip.IPv6Unspecified() && !slices.ContainsFunc(bindings, func(b haproxy.Binding) bool { return b.Addr == at && b.V6Only })
			all = append(all, doctor.Listener{At: at, Place: conf, Both: six})
		}
	}
	return all, nil
}
