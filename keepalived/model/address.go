package model

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// longestName is that of an interface's or a label's name.
const longestName = 15

// addresses adds the entries of a virtual_ipaddress or virtual_ipaddress_excluded.
func (c *Config) addresses(i *Instance, list *syntax.Statement) {
	excluded := list.Words[0] == "virtual_ipaddress_excluded"
	for _, s := range list.Body {
		a, why := parseAddress(s)
		switch {
		case why != "":
			c.note(s, "keepalived leaves the address out: %s", why)
			s.Passed = why
			continue
		case !excluded && !i.family:
			i.IPv6, i.family = a.Prefix.Addr().Is6(), true
		case !excluded && i.IPv6 != a.Prefix.Addr().Is6():
			c.note(s, "keepalived leaves the address out: those of virtual_ipaddress are of one family")
			s.Passed = "those of virtual_ipaddress are of one family"
			continue
		}
		for _, other := range i.Addresses {
			if other.Prefix.Addr() == a.Prefix.Addr() && other.Dev == a.Dev {
				c.note(s, "the address is there twice: the first is in line %d", other.At.Line)
				s.Passed = "the address is there twice"
			}
		}
		if s.Passed == "" {
			a.Excluded = excluded
			i.Addresses = append(i.Addresses, a)
		}
	}
}

// parseAddress reads IP[/LENGTH] and options; why says what is wrong.
func parseAddress(s *syntax.Statement) (a *Address, why string) {
	a = &Address{At: s}
	text, length, written := strings.Cut(s.Words[0], "/")
	ip, err := netip.ParseAddr(text)
	if err != nil || ip.Zone() != "" {
		return nil, "\"" + s.Words[0] + "\" is no address"
	}
	bits := ip.BitLen()
	if n, err := strconv.Atoi(length); written && err == nil && n >= 0 && n <= bits {
		bits, a.Written = n, true
	}
	for at := 1; at < len(s.Words); at++ {
		option, value := s.Words[at], s.Word(at+1)
		switch option {
		case "dev", "scope", "broadcast", "brd", "label", "peer", "preferred_lft":
			if value == "" {
				return nil, option + " has no value"
			}
			at++
		}
		switch option {
		case "dev":
			if a.Dev != "" {
				return nil, "it has two interfaces"
			}
			a.Dev = value
		case "label":
			if len(value) > longestName {
				return nil, "its label is too long"
			}
			a.Label = value
		case "broadcast", "brd":
			if ip.Is6() {
				return nil, "an IPv6 address has no broadcast"
			}
			if at, err := netip.ParseAddr(value); (err != nil || !at.Is4()) && value != "+" && value != "-" {
				return nil, "its broadcast is no address"
			}
			a.Others = append(a.Others, option+" "+value)
		case "scope", "peer", "preferred_lft":
			a.Others = append(a.Others, option+" "+value)
		default:
			a.Others = append(a.Others, option)
		}
	}
	a.Prefix = netip.PrefixFrom(ip, bits)
	return a, ""
}
