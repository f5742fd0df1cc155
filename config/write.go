package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// YAML returns a hawser.yaml that says what the file says: read back, it gives the same.
func (c *File) YAML() []byte {
	var b strings.Builder
	switch c.Fencing.Way {
	case FencingUnset:
	case FencingOff:
		b.WriteString("fencing: off\n")
	case FencingOn:
		b.WriteString("fencing: on\n")
	case FencingSBD:
		section := text("    ", c.Fencing.sbdKeys())
		fmt.Fprintf(&b, "fencing:\n  sbd:%s", orEmpty(section))
	case FencingDroplet:
		fmt.Fprintf(&b, "fencing:\n  droplet:\n%s", c.Fencing.Droplet.text("    "))
	}
	b.WriteString(c.sitesText())
	if c.Quorum.Device != "" {
		fmt.Fprintf(&b, "quorum:\n%s", text("  ", c.Quorum.keys()))
	}
	fmt.Fprintf(&b, "haproxy:%s", orEmpty(c.HAProxy.text("  ")))
	if len(c.Addresses) > 0 {
		b.WriteString("floating_ips:\n")
	}
	for i := range c.Addresses {
		b.WriteString(element("  ", c.Addresses[i].text("    ")))
	}
	if len(c.Groups) > 0 {
		b.WriteString("groups:\n")
	}
	for _, g := range c.Groups {
		b.WriteString(element("  ", text("    ", g.keys())+
			"    addresses: "+flow(namesOf(g.Addresses))+"\n"))
	}
	if len(c.Resources) > 0 {
		b.WriteString("resources:\n")
	}
	for i := range c.Resources {
		b.WriteString(element("  ", text("    ", c.Resources[i].keys())))
	}
	return []byte(b.String())
}

func (c *File) sitesText() string {
	if len(c.Sites) == 0 {
		return ""
	}
	s := "sites:\n"
	for _, site := range c.Sites {
		s += "  " + quotedUnlessPlain(site.Name, false) + ": {nodes: " + flow(namesOf(site.Nodes)) + "}\n"
	}
	return s
}

// flow is a list of names in one line.
func flow(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = quotedUnlessPlain(n, false)
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// orEmpty completes "key:" with a section.
func orEmpty(section string) string {
	if section == "" {
		return " {}\n"
	}
	return "\n" + section
}

// element makes a section, which is indented by two more, an element of a list.
func element(indent, section string) string {
	return indent + "- " + strings.TrimPrefix(section, indent+"  ")
}

func (p *DropletFencing) text(indent string) string {
	s := text(indent, p.keys())
	if p.Delay == "" {
		s += indent + "delay: 0\n" // without it there would be one
	}
	if p.Droplets == nil {
		return s
	}
	s += indent + "droplets: {"
	for i, n := range p.Droplets {
		if i > 0 {
			s += ", "
		}
		s += quotedUnlessPlain(n.Node, false) + ": " + quotedUnlessPlain(n.Droplet, true)
	}
	return s + "}\n"
}

func (h *HAProxy) text(indent string) string {
	s := text(indent, h.keys())
	if len(h.Checks) > 0 {
		s += indent + "checks:\n"
	}
	for i := range h.Checks {
		s += element(indent+"  ", text(indent+"    ", h.Checks[i].keys()))
	}
	return s
}

func (ip *Address) text(indent string) string {
	s := text(indent, ip.keys())
	if len(ip.Prefer) > 0 {
		s += indent + "prefer: " + ip.preferText() + "\n"
	}
	if len(ip.Interfaces) > 0 {
		s += indent + "interfaces: " + flow(namesOf(ip.Interfaces)) + "\n"
	}
	if !ip.NeedsGiven {
		return s
	}
	names := make([]string, len(ip.Needs))
	for i, need := range ip.Needs {
		names[i] = need.Name
	}
	return s + indent + "needs: " + flow(names) + "\n"
}

func (ip *Address) preferText() string {
	names := make([]string, len(ip.Prefer))
	for i, p := range ip.Prefer {
		names[i] = p.Name
	}
	if !ip.Scored {
		return flow(names)
	}
	for i, p := range ip.Prefer {
		names[i] = quotedUnlessPlain(p.Name, false) + ": " + strconv.Itoa(p.Score)
	}
	return "{" + strings.Join(names, ", ") + "}"
}

// text returns the keys that have a value, a line each. Defaults that nothing depends on are left
// out.
func text(indent string, keys []key) string {
	var b strings.Builder
	for _, k := range keys {
		if len(k.kind.keys) > 0 && !k.list {
			if section := text(indent+"  ", k.kind.keys); section != "" {
				fmt.Fprintf(&b, "%s%s:\n%s", indent, k.name, section)
			}
			continue
		}
		if k.kind.text == nil || k.list {
			continue
		}
		value := k.kind.text()
		if value == "" || !k.written && k.isDefault(value) {
			continue
		}
		number := k.kind.numbers || k.kind.schema["type"] == "integer"
		fmt.Fprintf(&b, "%s%s: %s\n", indent, k.name, quotedUnlessPlain(value, number))
	}
	return b.String()
}

func (k key) isDefault(value string) bool {
	return k.def != "" && (value == k.def || k.kind.meaning != nil && k.same(value, ""))
}

// plain is what YAML reads as the text that it is, unless it is a number or one of words.
var (
	plain       = regexp.MustCompile(`^[A-Za-z0-9/_]([A-Za-z0-9/._+=@-]|:[A-Za-z0-9/._+=@-])*$`)
	yamlNumber  = regexp.MustCompile(`^[0-9]`) // or a date, or what looks like neither to us
	ipv4        = regexp.MustCompile(`^[0-9]+(\.[0-9]+){3}$`)
	yamlKeyword = regexp.MustCompile(`^(?i:y|n|yes|no|on|off|true|false|null)$`)
)

// quotedUnlessPlain is the value as YAML has it. number says that a number, or a truth value, may
// stand as it is.
func quotedUnlessPlain(value string, number bool) string {
	odd := yamlNumber.MatchString(value) && !ipv4.MatchString(value) ||
		yamlKeyword.MatchString(value)
	if plain.MatchString(value) && (number || !odd) {
		return value
	}
	return strconv.Quote(value)
}

// TakeParams sets the keys that parameters of the agent ocf:hawser:haproxy become. It returns those
// for which there is no key, or whose value the key does not accept.
func (h *HAProxy) TakeParams(given []Param) (left []Param) {
	for _, p := range given {
		var err error
		switch p.Name {
		case contract.ParamChecks:
			var checks []param.Check
			checks, err = param.ParseChecks(p.Value)
			for _, c := range checks {
				h.Checks = append(h.Checks, Check{Check: c})
			}
		case contract.ParamCheckURL:
			err = checkURL(&h.Check.URL).set(p.Value)
		case contract.ParamCheckTimeout:
			h.Check.Timeout = p.Value
		case contract.ParamMinServers:
			err = whole(&h.MinServers, 0, param.MostServers).set(p.Value)
		default:
			err = take(h.keys(), p)
		}
		if err != nil {
			left = append(left, p)
		}
	}
	if h.Check.URL == "" {
		h.Check = ShortCheck{} // a time alone means nothing
	}
	return left
}

// TakeParams sets the keys that parameters of the agent ocf:hawser:floatip become. It returns those
// for which there is no key, or whose value the key does not accept.
func (ip *Address) TakeParams(given []Param) (left []Param) {
	for _, p := range given {
		if take(ip.keys(), p) != nil {
			left = append(left, p)
		}
	}
	return left
}

// SetMonitor sets how often HAProxy is checked.
func (h *HAProxy) SetMonitor(every string) error { return length(&h.Monitor).set(every) }

// SetMonitor sets how often the address is checked.
func (ip *Address) SetMonitor(every string) error { return length(&ip.Monitor).set(every) }

// take sets the key that the parameter becomes.
func take(keys []key, p Param) error {
	for _, k := range keys {
		if k.param == p.Name && k.kind.set != nil {
			return k.kind.set(p.Value)
		}
	}
	return fmt.Errorf("there is no key for the parameter %s", p.Name)
}
