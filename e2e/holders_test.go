package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/lab"
)

// sampleEvery is how often the holders of the address on the LAN are sampled.
const sampleEvery = 2 * time.Millisecond

// holding is who held the address from a moment on.
type holding struct {
	at    time.Time
	nodes []string
}

// holdings are the changes of who held an address while it was watched.
type holdings struct {
	changes []holding
	samples int
	blind   time.Duration // the longest time between two looks
}

// watchHolders looks into the balancers' network namespaces, again and again, until stop is called. A node holds the address if an
// interface with a carrier has it: from then on it answers for it, whatever the cluster thinks.
func (c *cluster) watchHolders(t testing.TB) (stop func() holdings) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan holdings, 1)
	go func() {
		var seen holdings
		last := time.Now()
		for every := time.NewTicker(sampleEvery); ; {
			select {
			case <-quit:
				every.Stop()
				done <- seen
				return
			case <-every.C:
			}
			now := c.lookAtHolders()
			if len(now) > 1 {
				now = c.lookAtHolders() // the nodes are looked at one after the other: it may have gone from one to the next
			}
			at := time.Now()
			seen.samples++
			seen.blind = max(seen.blind, at.Sub(last))
			last = at
			if len(seen.changes) == 0 || !slices.Equal(now, seen.changes[len(seen.changes)-1].nodes) {
				seen.changes = append(seen.changes, holding{at, now})
			}
		}
	}()
	stopped := false
	stop = func() holdings {
		if stopped {
			return holdings{}
		}
		stopped = true
		close(quit)
		return <-done
	}
	t.Cleanup(func() { stop() })
	return stop
}

func (c *cluster) lookAtHolders() (nodes []string) {
	ip := netip.MustParseAddr(lanIP)
	for _, n := range c.Nodes(lab.Balancer) {
		if holds(filepath.Join(lab.Root, c.Name(), "net", n.Name), ip) {
			nodes = append(nodes, n.Name)
		}
	}
	return nodes
}

// holds looks into one network namespace. One that is being made or removed has no addresses.
func holds(path string, ip netip.Addr) bool {
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return false
	}
	defer func() { _ = ns.Close() }()
	h, err := netlink.NewHandleAt(ns, unix.NETLINK_ROUTE)
	if err != nil {
		return false
	}
	defer h.Close()
	addresses, err := h.AddrList(nil, unix.AF_INET)
	if err != nil {
		return false
	}
	for _, a := range addresses {
		if !a.IP.Equal(net.IP(ip.AsSlice())) {
			continue
		}
		link, err := h.LinkByIndex(a.LinkIndex)
		if err == nil && link.Attrs().RawFlags&unix.IFF_LOWER_UP != 0 {
			return true
		}
	}
	return false
}

// twice is for how long more than one node held the address.
func (h holdings) twice() (total time.Duration) {
	for i, change := range h.changes {
		if len(change.nodes) > 1 && i+1 < len(h.changes) {
			total += h.changes[i+1].at.Sub(change.at)
		}
	}
	return total
}

// String is the changes in order, with their times since the first.
func (h holdings) String() string {
	var all []string
	for _, change := range h.changes {
		who := strings.Join(change.nodes, " and ")
		if who == "" {
			who = "nobody"
		}
		all = append(all, fmt.Sprintf("%s at %s", who, change.at.Sub(h.changes[0].at).Round(time.Millisecond)))
	}
	return fmt.Sprintf("%s; %d looks, at most %s between two", strings.Join(all, ", "), h.samples, h.blind.Round(time.Millisecond))
}
