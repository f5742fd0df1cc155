package firewall

import (
	"slices"
	"strings"
)

// Hooks of linux/netfilter.h.
const (
	hookPrerouting  = 0
	hookInput       = 1
	hookOutput      = 3
	hookPostrouting = 4
	hookInetIngress = 5
	noHook          = -1
)

// Families of linux/netfilter.h.
const (
	familyInet   = 1
	familyIPv4   = 2
	familyNetdev = 5
	familyIPv6   = 10
)

var familyNames = map[uint8]string{
	familyInet: "inet", familyIPv4: "ip", familyNetdev: "netdev", familyIPv6: "ip6", 3: "arp",
	7: "bridge",
}

// Ruleset is what the kernel has.
type Ruleset struct {
	Chains []*Chain
	// Legacy is true where the older ip_tables holds tables of its own, which are not among the
	// chains.
	Legacy bool

	sets map[setID]*set
}

type setID struct {
	family      uint8
	table, name string
}

// Chain is one chain with its rules.
type Chain struct {
	Family      uint8
	Table, Name string
	Rules       []Rule
	// Hook is where a base chain begins, noHook in every other chain.
	Hook     int
	Priority int32
	Drops    bool // its policy
	Devices  []string
}

func (c *Chain) place() Place { return Place{familyNames[c.Family], c.Table, c.Name} }

// Rule is what a rule does, step by step.
type Rule []Expr

// Expr is one step with the attributes that the kernel gave it.
type Expr struct {
	Name  string
	attrs attributes
}

func (r *Ruleset) chain(family uint8, table, name string) *Chain {
	for _, c := range r.Chains {
		if c.Family == family && c.Table == table && c.Name == name {
			return c
		}
	}
	return nil
}

// at lists the base chains that a packet passes at a hook, in order.
func (r *Ruleset) at(hook int, ipv6 bool) []*Chain {
	family := uint8(familyIPv4)
	if ipv6 {
		family = familyIPv6
	}
	var out []*Chain
	for _, c := range r.Chains {
		if c.Hook == hook && (c.Family == family || c.Family == familyInet) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Chain) int { return int(a.Priority) - int(b.Priority) })
	return out
}

// onDevice lists the base chains of the packet's interface: ingress for what comes in, egress for
// what goes out.
func (r *Ruleset) onDevice(p Packet) []*Chain {
	var out []*Chain
	for _, c := range r.Chains {
		ingress := c.Family == familyNetdev && c.Hook == 0 ||
			c.Family == familyInet && c.Hook == hookInetIngress
		egress := c.Family == familyNetdev && c.Hook == 1
		if (ingress && !p.Out || egress && p.Out) && slices.Contains(c.Devices, p.Interface) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Chain) int { return int(a.Priority) - int(b.Priority) })
	return out
}

// Manager names the program that wrote the rules, by the names that it gives its tables and chains:
// "firewalld", "ufw", or "".
func (r *Ruleset) Manager() string {
	for _, c := range r.Chains {
		switch {
		case c.Table == "firewalld":
			return "firewalld"
		case strings.HasPrefix(c.Name, "ufw-"), strings.HasPrefix(c.Name, "ufw6-"):
			return "ufw"
		}
	}
	return ""
}

// IPTables says whether the place is a table of iptables-nft: those have the names of the old
// built-in tables and chains.
func (p Place) IPTables() bool {
	return (p.Family == "ip" || p.Family == "ip6") && slices.Contains([]string{
		"filter", "raw", "mangle", "nat", "security",
	}, p.Table) &&
		p.Chain == strings.ToUpper(p.Chain)
}
