package fencing

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
)

// matchTime is how long the cloud may take to describe the nodes' droplets, and how long resolving
// a name of corosync.conf may take.
const matchTime = 20 * time.Second

// match compares the droplet of each node with the addresses at which Corosync reaches that node.
// The agent finds the droplets of swapped ids, or of another machine's id, without complaint: at
// the first split the wrong machine would be switched off, and the unreachable node would be taken
// for dead. A droplet with an address of another node is refused; for one with no address of the
// cluster there is a warning, since Corosync may use addresses that the cloud does not know.
func (t Trial) match(ctx context.Context, c *config.File, nodes []string) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, matchTime)
	defer cancel()
	members, err := t.Nodes(ctx)
	if err != nil {
		return []string{
			fmt.Sprintf(
				"whether the droplets are the nodes was not checked: the nodes' addresses could "+
					"not be read: %v",
				err),
		}, nil
	}
	m := nodeMatch{links: map[string][]netip.Addr{}, droplets: map[string]Droplet{}}
	for _, member := range members {
		m.links[member.Name] = slices.Concat(member.Links(ctx)...)
	}
	p := &c.Fencing.Droplet
	for _, node := range nodes {
		found, err := t.Find(ctx, p, p.Plug(node))
		if err != nil {
			return []string{
				fmt.Sprintf("whether the droplet of %s is that node was not checked: %v", node,
					err),
			}, nil
		}
		m.droplets[node] = found
	}
	faults := &config.Faults{Path: c.Path}
	for _, node := range nodes {
		switch said, wrong := m.judge(node); {
		case wrong:
			faults.Add(p.Place(), "%s; nothing was changed", said)
		case said != "":
			warnings = append(warnings, fmt.Sprintf("%s:%d: %s", c.Path, p.Place().Line, said))
		}
	}
	return warnings, faults.Err()
}

// nodeMatch is what the cloud and Corosync say of the nodes.
type nodeMatch struct {
	links    map[string][]netip.Addr
	droplets map[string]Droplet
}

// judge says why the droplet is probably not the node, and whether that is certain.
func (m nodeMatch) judge(node string) (said string, wrong bool) {
	own := m.droplets[node]
	named := fmt.Sprintf("the droplet %d (%s)", own.ID, own.Name)
	for _, other := range slices.Sorted(maps.Keys(m.droplets)) {
		if other < node && m.droplets[other].ID == own.ID {
			return fmt.Sprintf(
				"%s is given for the nodes %s and %s: fencing one of them would hit the other",
				named, other, node), true
		}
	}
	links := m.links[node]
	if _, ok := shared(links, own.Addresses); ok {
		return "", false
	}
	for _, other := range slices.Sorted(maps.Keys(m.droplets)) {
		d := m.droplets[other]
		if at, ok := shared(links, d.Addresses); ok && other != node {
			return fmt.Sprintf(
				"%s is not the node %s: Corosync reaches that at %s, an address of the droplet "+
					"%d (%s), which is given for %s: a fence of %s would "+
					"switch another machine off. Correct the ids: `curl -s "+
					contract.DefaultMetadataURL+"/metadata/v1/id` on each node prints its own",
				named, node, at, d.ID, d.Name, other, node), true
		}
	}
	at := "an address that is not known here"
	if len(links) > 0 {
		at = strings.Trim(fmt.Sprint(links), "[]")
	}
	return fmt.Sprintf(
		"whether %s is the node %s cannot be seen: Corosync reaches that at %s, which the cloud "+
			"does not have for the droplet. "+
			"If `curl -s "+contract.DefaultMetadataURL+"/metadata/v1/id` on %s prints another id "+
			"than %d, "+
			"a fence of it would switch another machine off",
		named, node, at, node, own.ID), false
}

// shared returns an address that both have.
func shared(a, b []netip.Addr) (netip.Addr, bool) {
	i := slices.IndexFunc(a, func(x netip.Addr) bool { return slices.Contains(b, x) })
	if i < 0 {
		return netip.Addr{}, false
	}
	return a[i], true
}
