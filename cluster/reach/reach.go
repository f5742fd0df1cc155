// Package reach says at which of the cluster's addresses HAProxy's configuration does not listen:
// everything runs then, and whoever connects to such an address is refused.
//
// It judges configurations only, opens no connection, and imports inventory, contract and haproxy.
// What cannot be told without HAProxy is not reported. Start with Unserved.
package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
)

// Address is one that the cluster moves.
type Address struct {
	Resource string
	IP       netip.Addr
	Provider string
}

// Addresses returns those of the cluster's configuration that can be read.
func Addresses(d inventory.Declared) []Address {
	var all []Address
	for _, a := range d.Addresses {
		if ip, err := netip.ParseAddr(a.IP); err == nil {
			all = append(all, Address{a.Resource, ip, a.Provider})
		}
	}
	return all
}

// Configuration is one of HAProxy's.
type Configuration struct {
	File    string // as it is named to people
	Sources []haproxy.Source
	// Env is HAProxy's environment ("NAME=value"), as far as it is known.
	Env []string
}

// Missed is an address at which no HAProxy listens.
type Missed struct {
	Address
	// What is wrong, and what to write instead.
	What, Instead string
	// File is the configuration to write it into.
	File string
}

// String is what is wrong and what to write, in one sentence.
func (m Missed) String() string { return m.What + ": " + m.Instead }

// Addresses that stand for those that each node has of its own: no floating address is one.
const (
	anchor  = "127.255.255.254"
	private = "127.255.255.253"
)

// Unserved returns the addresses at which none of the configurations listens for certain.
func Unserved(addresses []Address, configurations []Configuration) []Missed {
	var lines []line
	for _, c := range configurations {
		lines = append(lines, c.lines()...)
	}
	if !slices.ContainsFunc(lines, line.open) {
		return nil // there is no HAProxy, or another program is before it
	}
	var missed []Missed
	for _, a := range addresses {
		if slices.ContainsFunc(lines, func(l line) bool { return l.Unclear || l.serves(a) }) {
			continue
		}
		file := configurations[0].File
		missed = append(missed, Missed{
			Address: a, File: file, Instead: instead(a, lines),
			What: fmt.Sprintf("nobody is served at %s (%s): no `bind` of %s listens there", a.IP,
				a.Resource, file),
		})
	}
	return missed
}

// line is a `bind` line, and the anchor address that its configuration has.
type line struct {
	haproxy.BindLine
	anchor netip.Addr
	known  bool // the anchor address is the node's own, not one that stands for it
}

func (c Configuration) lines() []line {
	values := map[string]string{
		contract.AnchorIPVariable: anchor, contract.PrivateIPVariable: private,
	}
	known := false
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		if value != "" {
			values[name] = value
			known = known || name == contract.AnchorIPVariable
		}
	}
	at, _ := netip.ParseAddr(values[contract.AnchorIPVariable])
	var all []line
	for _, b := range haproxy.BindLines(c.Sources, func(name string) string {
		return values[name]
	}) {
		all = append(all, line{b, at.Unmap(), known})
	}
	return all
}

// open reports whether other machines reach the line's socket.
func (l line) open() bool {
	return slices.ContainsFunc(l.Reaches, func(r haproxy.Reach) bool {
		return !r.Addr.Addr().IsLoopback() || r.Addr.Addr() == l.anchor
	})
}

// serves reports whether connections to the address arrive at the line's socket, or may.
func (l line) serves(a Address) bool {
	target := a.IP
	translated := a.Provider != contract.LAN && a.IP.Is4() // the cloud sends them to the anchor address
	if translated {
		target = l.anchor
	}
	for _, r := range l.Reaches {
		at := r.Addr.Addr()
		switch {
		case at == target, at.IsUnspecified() && at.Is4() == target.Is4(),
			r.Both && target.Is4():
			return true
		case translated && !l.known && at.Is4() && !at.IsLoopback() && at != a.IP:
			return true // it may be the anchor address, written out
		}
	}
	return false
}

// instead says what to write so that the address is served.
func instead(a Address, lines []line) string {
	port, mistaken := uint16(80), ""
	for _, l := range lines {
		for _, r := range l.Reaches {
			at := r.Addr.Addr()
			if at.IsLoopback() && at != l.anchor {
				continue
			}
			if mistaken == "" {
				port = r.Addr.Port()
			}
			switch {
			case mistaken != "":
			case a.IP.Is6() && at == netip.IPv4Unspecified():
				mistaken = fmt.Sprintf("`bind %s` is IPv4 only", l.Text)
			case a.IP.Is4() && at == netip.IPv6Unspecified():
				mistaken = fmt.Sprintf("`bind %s` is IPv6 only", l.Text)
			case a.Provider == contract.LAN && at == l.anchor:
				mistaken = fmt.Sprintf("`bind \"%s\"` listens at a cloud's anchor address", l.Text)
			}
		}
	}
	better := fmt.Sprintf("`bind :::%d v4v6` listens at every address", port)
	if a.Provider != contract.LAN && a.IP.Is4() && mistaken == "" {
		better = fmt.Sprintf("`bind \"${%s}:%d\"` listens at the anchor address, where the cloud "+
			"sends its connections", contract.AnchorIPVariable, port)
	}
	if mistaken != "" {
		return mistaken + "; " + better
	}
	return better
}
