package adapt

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/param"
)

// address is one of floating_ips.
type address struct {
	name, nic string
	ip        netip.Addr
	bits      int
	why       []string
}

// reserved are names that hawser has for something else.
func reserved(name string) bool {
	return slices.Contains([]string{contract.HAProxyID, contract.CloneID, contract.FenceID, contract.TagID,
		contract.BeforeID, contract.AppliedID}, name) || strings.HasPrefix(name, "hawser")
}

// addresses makes the addresses of a bundle: those of its instances on all nodes, each once.
func (a *adapter) addresses(b *bundle) {
	total := 0
	for _, r := range b.routers {
		for _, m := range r.members { // what VRRP announces comes first
			slices.SortStableFunc(m.Addresses, func(x, y *model.Address) int {
				return cmp.Compare(count(x.Excluded), count(y.Excluded))
			})
		}
		seen := map[netip.Addr]*address{}
		var made []*address
		for _, m := range r.members {
			for _, from := range m.Addresses {
				ip := from.Prefix.Addr()
				if seen[ip] == nil {
					if a.unreachable(m, from) || a.elsewhere(m, from, b) {
						continue
					}
					seen[ip] = &address{ip: ip, bits: from.Prefix.Bits(), nic: cmp.Or(from.Dev, m.Interface)}
					made = append(made, seen[ip])
				}
				a.address(m, from, seen[ip])
			}
			if len(m.Addresses) == 0 {
				a.say(m.config, m.At, LeftOut, "it has no address: if a notify script takes one "+
					"through an API, "+
					"write that one into floating_ips with its provider")
			}
		}
		a.naming(r, made)
		b.addresses = append(b.addresses, made...)
		total += len(made)
	}
	if total > 1 {
		name := b.routers[0].members[0].Name
		if b.group != nil {
			name = b.group.Name
		}
		b.name = a.name(name)
	}
	a.bundled(b)
}

// unreachable reports whether hawser refuses an address.
func (a *adapter) unreachable(m member, from *model.Address) bool {
	ip := from.Prefix.Addr()
	_, err := param.ParseHostAddr(ip.String())
	switch {
	case ip.Is6() && ip.IsLinkLocalUnicast():
		a.say(m.config, from.At, LeftOut, "VRRP wants a link-local address first; hawser holds none")
	case ip.IsLinkLocalUnicast(), ip.Is4In6():
		a.say(m.config, from.At, LeftOut, "an address that no client can reach")
	case err == nil:
		return false
	default:
		a.say(m.config, from.At, LeftOut, "the address %v", err)
	}
	return true
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// elsewhere reports whether another bundle has an address, which can be there once.
func (a *adapter) elsewhere(m member, from *model.Address, b *bundle) bool {
	for _, other := range a.bundles {
		for _, x := range other.addresses {
			if x.ip == from.Prefix.Addr() {
				a.say(m.config, from.At, Remark, "another vrrp_instance has it too: it is %s", x.name)
				return true
			}
		}
	}
	for _, r := range b.routers {
		for _, before := range r.members {
			if before.config != m.config || before.Instance == m.Instance {
				continue
			}
			for _, x := range before.Addresses {
				if x != from && x.Prefix.Addr() == from.Prefix.Addr() {
					a.say(m.config, from.At, Remark, "%s of the same group has it too", before.Name)
					return r != b.routers[len(b.routers)-1]
				}
			}
		}
	}
	return false
}

// naming names the addresses of a router after its instance.
func (a *adapter) naming(r *router, made []*address) {
	word := r.members[0].Name
	for n, x := range made {
		name := word
		if len(made) > 1 {
			name = fmt.Sprintf("%s-%d", word, n+1)
		}
		x.name = a.name(name)
	}
	for _, m := range r.members {
		for _, from := range m.Addresses {
			for _, x := range made {
				if x.ip == from.Prefix.Addr() {
					a.say(m.config, from.At, Converted, "%s", x.name)
				}
			}
		}
	}
}

// address says what became of what one node says about an address.
func (a *adapter) address(m member, from *model.Address, x *address) {
	nic := cmp.Or(from.Dev, m.Interface)
	if nic != x.nic {
		a.say(m.config, from.At, Remark, "it is on %s here, and on %s on another node: hawser "+
			"takes the same "+
			"name on every node: without nic it finds the interface by the routes", nic, x.nic)
		x.nic = ""
	}
	if from.Prefix.Bits() != x.bits {
		a.say(m.config, from.At, Remark, "/%d here, and /%d on another "+
			"node", from.Prefix.Bits(), x.bits)
	}
	if _, err := param.ParseNIC(nic); nic != "" && (err != nil || !plainText(nic)) {
		a.say(m.config, from.At, Remark, "%q is no interface's name: without nic hawser finds the "+
			"interface by "+
			"the routes", nic)
		x.nic = ""
	}
	if !from.Written && len(x.why) == 0 {
		x.why = append(x.why, fmt.Sprintf("keepalived takes /%d where no length is written", x.bits))
	}
	if err := param.CheckInNetwork(x.ip, x.bits); err != nil || x.bits == 0 {
		a.say(m.config, from.At, Remark, "/%d cannot be the length of its prefix: /%d "+
			"instead", x.bits, x.ip.BitLen())
		x.bits = x.ip.BitLen()
	}
	if from.Label != "" {
		a.say(m.config, from.At, Remark, "label %s: hawser sets none; ifconfig and programs that "+
			"look for "+
			"it do not find it", from.Label)
	}
	for _, option := range from.Others {
		a.say(m.config, from.At, Remark, "%s is not taken over", option)
	}
	if from.Excluded {
		a.say(m.config, from.At, Converted, "outside the adverts of VRRP: it moves with the others")
	}
}

// bundled says at the instances and groups what their addresses are called, and that they move together.
func (a *adapter) bundled(b *bundle) {
	var names []string
	for _, x := range b.addresses {
		names = append(names, x.name)
	}
	if len(names) == 0 {
		return
	}
	text := "floating_ips: " + strings.Join(names, ", ")
	if b.name != "" {
		text += ", which move together (groups: " + b.name + ")"
	}
	for _, r := range b.routers {
		for _, m := range r.members {
			a.say(m.config, m.At, Converted, "%s", text)
			if m.Sync != nil {
				a.say(m.config, m.Sync.At, Converted, "groups: %s", cmp.Or(b.name, "one address "+
					"alone needs none"))
			}
			if !m.Primary {
				a.say(m.config, m.At, Remark, "dont_track_primary: hawser watches the carrier of "+
					"the interface")
			}
		}
	}
}
