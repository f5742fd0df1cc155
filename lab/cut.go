package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Cut drops every frame between the two ends, in both directions and on all networks that they
// share, until Heal. An end is a node, or a site with all that is in it: between two sites, and
// between a site and what is in none, that is the link. Either may be "cloud": the router, with the
// API, the metadata service and the client's far side behind it. Traffic that goes from one to the
// other through the router is not affected.
func (l *Lab) Cut(a, b string) error {
	return l.change(func(f *faults) error {
		f.Cuts = withPair(f.Cuts, a, b)
		return l.share(a, b)
	})
}

// CutOneWay drops every frame from a to b, while those from b to a arrive, until Heal.
func (l *Lab) CutOneWay(a, b string) error {
	return l.change(func(f *faults) error {
		f.link(a, b).Cut = true
		return l.share(a, b)
	})
}

// CutRing drops Corosync's messages between the two balancers and nothing else, until Heal: they
// lose sight of each other in the cluster, while all other traffic, ARP included, goes on between
// them.
func (l *Lab) CutRing(a, b string) error {
	for _, name := range []string{a, b} {
		n, err := l.Node(name)
		if err != nil {
			return err
		}
		if n.Role != Balancer {
			return fmt.Errorf("lab: cut the ring between %s and %s: %s is no balancer, so it has no "+
				"Corosync", a, b, name)
		}
	}
	return l.change(func(f *faults) error {
		f.RingCuts = withPair(f.RingCuts, a, b)
		return l.share(a, b)
	})
}

// Slow has every frame between the two ends arrive later by delay, more or less by up to jitter, in
// their order and in both directions, so that an answer takes twice that. With oneWay it is those
// from a to b. A delay of 0 ends it.
func (l *Lab) Slow(a, b string, delay, jitter time.Duration, oneWay bool) error {
	if delay < 0 || jitter < 0 || jitter > delay || delay > time.Minute {
		return fmt.Errorf("lab: slow %s and %s by %s, give or take %s: give at most a minute, and a "+
			"jitter that is not longer", a, b, delay, jitter)
	}
	return l.change(func(f *faults) error {
		f.on(a, b, oneWay, func(l *Link) { l.Delay, l.Jitter = delay, jitter })
		return l.share(a, b)
	})
}

// Lose has so many percent of the frames between the two ends not arrive, in both directions or,
// with oneWay, from a to b. 0 ends it.
func (l *Lab) Lose(a, b string, percent float64, oneWay bool) error {
	if !(percent >= 0 && percent <= 100) { // which NaN is not either
		return fmt.Errorf("lab: lose %v%% between %s and %s: give 0 to 100", percent, a, b)
	}
	return l.change(func(f *faults) error {
		f.on(a, b, oneWay, func(l *Link) { l.Loss = percent })
		return l.share(a, b)
	})
}

// Heal removes every cut, delay and loss.
func (l *Lab) Heal() error {
	return l.change(func(f *faults) error {
		*f = faults{}
		return nil
	})
}

// HealBetween removes what is wrong between these two ends, named as they were when it was made. It
// is not an error if nothing is.
func (l *Lab) HealBetween(a, b string) error {
	return l.change(func(f *faults) error {
		between := func(p [2]string) bool { return samePair(p, a, b) }
		f.Cuts = slices.DeleteFunc(f.Cuts, between)
		f.RingCuts = slices.DeleteFunc(f.RingCuts, between)
		f.Links = slices.DeleteFunc(f.Links,
			func(s linkState) bool { return between([2]string{s.From, s.To}) })
		return l.share(a, b)
	})
}

const (
	// ringPorts are those to which Corosync sends, one for each link that it may have.
	firstRingPort, lastRingPort = 5405, 5412

	cutsFile, ringCutsFile = "cuts.json", "ringcuts.json"
)

// ringMatch matches Corosync's messages.
var ringMatch = fmt.Sprintf("-p IPv4 --ip-protocol udp --ip-destination-port %d:%d ", firstRingPort,
	lastRingPort)

func samePair(p [2]string, a, b string) bool { return p == [2]string{a, b} || p == [2]string{b, a} }

func withPair(pairs [][2]string, a, b string) [][2]string {
	if slices.ContainsFunc(pairs, func(p [2]string) bool { return samePair(p, a, b) }) {
		return pairs
	}
	return append(pairs, [2]string{a, b})
}

// cuts lists the pairs that are cut, as the file has them.
func (l *Lab) cuts(file string) ([][2]string, error) {
	b, err := os.ReadFile(l.path(file))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return parseCuts(b)
}

// dropRules are the rules that drop what goes from one end to the other.
func dropRules(matches []match, also string) string {
	var rules strings.Builder
	for _, m := range matches {
		fmt.Fprintf(&rules, "-A FORWARD %s%s -j DROP\n", also, m.where())
	}
	return rules.String()
}

// ebtables loads rules for the bridges in one go. Rules at the bridge stop ARP as well, which IP
// rules would let pass.
func (l *Lab) ebtables(rules string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return inNetns(l.netnsPath(fabricNetns), func() error {
		_, err := tool(ctx, rules, "ebtables-nft-restore", args...)
		return err
	})
}
