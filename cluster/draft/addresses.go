package draft

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// candidate is an address that is to float, as far as can be seen.
type candidate struct {
	ip   netip.Addr
	name string
	why  string // how that is known
	// provider moves it.
	provider string
	nic      string // which has its network, "" if none has
	network  netip.Prefix
	// doubtful says that it is only shown: something speaks against it.
	doubtful bool
	against  string
}

// candidates are the addresses that HAProxy binds and no machine has as its own, and those that the
// cloud leads here. Addresses that are beside an interface's own, or that something else holds, are
// shown and not taken.
func (w *writer) candidates() []candidate {
	var found []candidate
	add := func(ip netip.Addr, why string) {
		if !w.floating(ip) || slices.ContainsFunc(found, func(c candidate) bool { return c.ip == ip }) {
			return
		}
		found = append(found, w.candidate(ip, why))
	}
	for _, ip := range w.facts.Droplet.Reserved {
		add(ip, "DigitalOcean leads it to this droplet now")
	}
	for _, b := range w.binds() {
		for _, r := range b.Reaches {
			add(r.Addr.Addr().Unmap().WithZone(""), fmt.Sprintf("HAProxy binds it (`bind %s`)", b.Text))
		}
	}
	for _, i := range w.facts.Interfaces {
		if i.Loopback {
			continue
		}
		for _, p := range i.Prefixes {
			if ip := p.Addr(); ip.Is4() || p.IsSingleIP() { // of IPv6 a machine has many of its own
				before := len(found)
				add(ip, "on "+i.Name+" of this node beside its own address")
				if len(found) > before {
					c := &found[before]
					c.doubtful, c.against = true, "Is it a floating one?"
				}
			}
		}
	}
	w.name(found)
	return found
}

// floating says whether an address may be one that moves.
func (w *writer) floating(ip netip.Addr) bool {
	switch {
	case !ip.IsValid(), ip.IsUnspecified(), ip.IsLoopback(), ip.IsMulticast(), ip.IsLinkLocalUnicast(),
		ip == w.facts.Droplet.Anchor, ip.Is4() && ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return false
	}
	if _, err := param.ParseHostAddr(ip.String()); err != nil {
		return false // which hawser.yaml does not take
	}
	for _, m := range w.facts.Cluster.Members {
		if slices.Contains(m.Links, ip) {
			return false
		}
	}
	for _, i := range w.facts.Interfaces {
		if i.plain().Main(ip) {
			return false
		}
	}
	return true
}

// plain is the interface as preflight has it.
func (i Interface) plain() preflight.Interface {
	p := preflight.Interface{Name: i.Name, Loopback: i.Loopback}
	for _, a := range i.Prefixes {
		p.Addresses = append(p.Addresses, a.Addr())
	}
	return p
}

func (w *writer) candidate(ip netip.Addr, why string) candidate {
	c := candidate{ip: ip, why: why, provider: contract.LAN}
	if w.facts.Droplet.ID != "" {
		c.provider = contract.DigitalOcean
	}
	for _, i := range w.facts.Interfaces {
		for _, p := range i.Prefixes {
			if !i.Loopback && !p.IsSingleIP() && p.Contains(ip) && p.Bits() > c.network.Bits() {
				c.nic, c.network = i.Name, p.Masked()
			}
		}
	}
	if w.facts.Droplet.ID != "" && (ip.IsPrivate() || c.nic != "") &&
		!slices.Contains(w.facts.Droplet.Reserved, ip) {
		c.provider, c.doubtful = contract.LAN, true
		c.against = "DigitalOcean moves only reserved addresses, and its networks carry no other."
	}
	return c
}

var idPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

// name names the candidates: as the resource that holds one, else VIP, VIP-2, VIP6 …
func (w *writer) name(found []candidate) {
	taken := slices.Clone(w.facts.Cluster.IDs)
	for i := range found {
		c := &found[i]
		if holder, ok := w.facts.Cluster.Holders[c.ip]; ok {
			c.why += ", and the cluster has it already, as " + holder
			c.doubtful, c.against = true, "What the cluster has, `hawser adopt` takes over."
			if w.facts.Cluster.Setup.Maker == Hawser {
				c.against = "The hawser.yaml that was applied may have it."
			}
			if idPattern.MatchString(holder) && holder != contract.HAProxyID {
				c.name = holder
				continue
			}
		}
		base := "VIP"
		if c.ip.Is6() {
			base = "VIP6"
		}
		c.name = base
		for n := 2; slices.Contains(taken, c.name); n++ {
			c.name = fmt.Sprintf("%s-%d", base, n)
		}
		taken = append(taken, c.name)
	}
}

// addresses writes the floating addresses.
func (w *writer) addresses(found []candidate) {
	w.line("")
	sure := slices.DeleteFunc(slices.Clone(found), func(c candidate) bool { return c.doubtful })
	doubtful := slices.DeleteFunc(slices.Clone(found), func(c candidate) bool { return !c.doubtful })
	if len(sure) == 0 {
		w.say("", "Floating addresses. None was found: %s.", w.whyNone())
		w.keys("", "floating_ips:")
		if len(doubtful) == 0 {
			w.example()
			return
		}
	} else {
		w.say("", "Floating addresses: each is on one node, where HAProxy serves.")
		w.line("floating_ips:")
	}
	for i, c := range sure {
		w.address("  ", c, i == 0)
	}
	defer w.otherFamily(found)
	for _, c := range doubtful {
		if len(sure) == 0 {
			w.say("", "%s", c.doubt())
			w.keys("", c.lines("  ")...)
			continue
		}
		w.say("  ", "%s", c.doubt())
		w.keys("  ", c.lines("")...)
	}
}

// doubt says what speaks for an address, and what against it.
func (c candidate) doubt() string { return fmt.Sprintf("%s: %s. %s", c.ip, c.why, c.against) }

// other is an example of an address of the family of which none was found; false if both were, or
// neither.
func (w *writer) other(found []candidate) (candidate, bool) {
	is6 := func(c candidate) bool { return c.ip.Is6() }
	has6 := slices.ContainsFunc(found, is6)
	if len(found) == 0 || has6 && slices.ContainsFunc(found, func(c candidate) bool { return !is6(c) }) {
		return candidate{}, false
	}
	ip := netip.MustParseAddr("2001:db8::10")
	if has6 {
		ip = netip.MustParseAddr("192.0.2.10")
	}
	example := []candidate{{ip: ip, provider: found[0].provider}}
	w.name(example)
	return example[0], true
}

// otherFamily writes that example.
func (w *writer) otherFamily(found []candidate) {
	c, ok := w.other(found)
	if !ok {
		return
	}
	indent, family := "  ", "IPv4"
	if c.ip.Is6() {
		family = "IPv6"
	}
	if !slices.ContainsFunc(found, func(c candidate) bool { return !c.doubtful }) {
		indent = ""
	}
	w.say(indent, "One of %s, as an example:", family)
	w.keys(indent, c.lines("  "[len(indent):])...)
}

// whyNone says where was looked for addresses.
func (w *writer) whyNone() string {
	if w.facts.HAProxy.Sources == nil {
		return "there is no configuration of HAProxy to find them in"
	}
	return "HAProxy binds no address but this machine's own, or all of them; then choose a free one of " +
		"the nodes' network"
}

// example writes addresses where nothing is known of any.
func (w *writer) example() {
	if w.facts.Droplet.ID != "" {
		w.keys("", "  - name: VIP", "    ip: 203.0.113.10          # a reserved address of your account",
			"    provider: digitalocean", "    token_file: /etc/hawser/token")
		return
	}
	ip, ip6 := "192.0.2.10", "\"2001:db8::10\""
	w.keys("", "  - name: VIP", "    ip: "+ip, "    provider: lan             # or digitalocean",
		"    prefer: "+flow(w.examples(1)[:1])+"            # best first; none: wherever it is",
		"  - {name: VIP6, ip: "+ip6+", provider: lan}")
}

// lines are the keys of an address in a list at the indentation.
func (c candidate) lines(indent string) []string {
	all := []string{
		indent + "- name: " + quoted(c.name),
		indent + "  ip: " + ipText(c.ip),
		indent + "  provider: " + c.provider,
	}
	if c.provider == contract.DigitalOcean {
		all = append(all, indent+"  token_file: /etc/hawser/token")
	}
	return all
}

// ipText is an address as YAML has it: IPv6 may look like a mapping.
func ipText(ip netip.Addr) string {
	if ip.Is6() {
		return `"` + ip.String() + `"`
	}
	return ip.String()
}

// address writes one address, and behind the first one what can be said of each.
func (w *writer) address(indent string, c candidate, first bool) {
	w.say(indent, "%s.", sentence(c.why))
	switch {
	case c.provider == contract.DigitalOcean:
		w.say(indent, "The token: 0600, on every node (install.md).")
	case c.nic != "":
		w.say(indent, "Its network %s is on %s here. Each node finds its own interface and the prefix by "+
			"its routes; write them only if that finds the wrong ones.", c.network, c.nic)
	default:
		w.say(indent, "It is in none of this node's networks: here, and on nodes with the same networks, it "+
			"needs nic and cidr_netmask.")
	}
	for _, l := range c.lines(indent) {
		w.line("%s", l)
	}
	in := indent + "  "
	if c.provider == contract.LAN {
		nic, bits := nicOf(c, w.facts.Interfaces), c.network.Bits()
		if c.nic == "" {
			bits = c.ip.BitLen()
		}
		w.keys(in, "nic: "+nic, fmt.Sprintf("cidr_netmask: %d", bits))
	}
	if !first {
		return
	}
	w.say(in, "Where it goes first, best first: nodes or sites (places.md). It goes back to a better "+
		"node only with failback, which interrupts its users.")
	w.keys(in, "prefer: "+flow(w.examples(1)[:1]), "failback: on", "failback_after: 5m")
}

// nicOf is the interface of the address's network, or else the first one that is no loopback.
func nicOf(c candidate, all []Interface) string {
	if c.nic != "" {
		return quoted(c.nic)
	}
	for _, i := range all {
		if !i.Loopback {
			return quoted(i.Name)
		}
	}
	return "eth0"
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
