package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// Cut drops every frame between the two nodes, in both directions and on all networks that they
// share, until Heal. Either may be "cloud": the router, with the API, the metadata service and the
// client's far side behind it. Traffic that goes from one to the other through the router is not
// affected.
func (l *Lab) Cut(a, b string) error { return l.cut(a, b, "", cutsFile) }

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
	return l.cut(a, b, "-p IPv4 --ip-protocol udp --ip-destination-port "+ringPorts+" ",
		ringCutsFile)
}

const (
	// ringPorts are those to which Corosync sends, one for each link that it may have.
	ringPorts = "5405:5412"

	cutsFile, ringCutsFile = "cuts.json", "ringcuts.json"
)

// cut drops what matches between the two nodes, and notes the pair in the file.
func (l *Lab) cut(a, b, match, file string) error {
	nicsA, err := l.nicsOf(a)
	if err != nil {
		return err
	}
	nicsB, err := l.nicsOf(b)
	if err != nil {
		return err
	}
	if a == b {
		return fmt.Errorf("lab: cut %s from itself: name two nodes", a)
	}
	return l.locked(func() error {
		var rules strings.Builder
		for _, x := range nicsA {
			for _, y := range nicsB {
				if x.bridge == y.bridge {
					from, to := port(a, x), port(b, y)
					fmt.Fprintf(&rules, "-A FORWARD %[1]s-i %[2]s -o %[3]s -j DROP\n"+
						"-A FORWARD %[1]s-i %[3]s -o %[2]s -j DROP\n", match, from, to)
				}
			}
		}
		if rules.Len() == 0 {
			return fmt.Errorf("lab: cut %s from %s: no network has both", a, b)
		}
		cuts, err := l.cuts(file)
		if err != nil {
			return err
		}
		for _, c := range cuts {
			if c == [2]string{a, b} || c == [2]string{b, a} {
				return nil
			}
		}
		if err := l.ebtables("*filter\n"+rules.String(), "--noflush"); err != nil {
			return err
		}
		return writeJSON(l.path(file), append(cuts, [2]string{a, b}))
	})
}

// Heal removes every cut.
func (l *Lab) Heal() error {
	return l.locked(func() error {
		if err := l.ebtables("*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"); err != nil {
			return err
		}
		for _, file := range []string{cutsFile, ringCutsFile} {
			if err := os.Remove(l.path(file)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("lab: heal: %w", err)
			}
		}
		return nil
	})
}

func (l *Lab) nicsOf(name string) ([]nic, error) {
	if name == cloudNode {
		return cloudNICs(), nil
	}
	n, err := l.Node(name)
	if err != nil {
		return nil, err
	}
	return n.nics(), nil
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
