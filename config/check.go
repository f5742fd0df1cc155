package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/param"
)

// Check is one of haproxy.checks, or what haproxy.check and haproxy.min_servers are short for.
type Check struct {
	At, NameAt, BackendAt, ExecAt, UserAt, CAFileAt, InterfaceAt Position
	param.Check
}

// ShortCheck is haproxy.check, a check by a request in short.
type ShortCheck struct{ URL, Timeout, Every string }

// AllChecks returns the checks of the file, those that are given in short included.
func (h *HAProxy) AllChecks() []Check {
	all := append([]Check(nil), h.Checks...)
	if h.Check.URL != "" {
		c := Check{At: h.CheckAt, Check: param.URLCheck(contract.CheckURLName, h.Check.URL,
			contract.DefaultCheckTimeout)}
		if every, err := param.ParseCheckEvery(h.Check.Every); err == nil {
			c.Every = every
		}
		if timeout, err := param.ParseCheckTime(h.Check.Timeout); err == nil {
			c.Timeout = timeout
		}
		all = append(all, c)
	}
	if h.MinServers > 0 {
		all = append(all, Check{At: h.MinServersAt,
			Check: param.ServersCheck(contract.MinServersName, h.MinServers)})
	}
	return append(all, h.links...)
}

// linkChecks are the checks that interfaces of addresses are short for, one for each interface.
func (c *File) linkChecks() []Check {
	var all []Check
	for _, ip := range c.Addresses {
		for _, n := range ip.Interfaces {
			name := linkName(n.Name)
			if !slices.ContainsFunc(all, func(c Check) bool { return c.Name == name }) {
				check := param.NewCheck()
				check.Name, check.Interface = name, n.Name
				check.Complete()
				all = append(all, Check{At: n.At, InterfaceAt: n.At, Check: check})
			}
		}
	}
	return all
}

// linkName is the name of the check of an interface that an address names.
func linkName(nic string) string {
	return "link-" + strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '_'
	}, nic)
}

// formatChecks is the parameter checks.
func (h *HAProxy) formatChecks() string {
	var all []param.Check
	for _, c := range h.AllChecks() {
		all = append(all, c.Check)
	}
	return param.FormatChecks(all)
}

func (c *Check) keys() []key {
	return []key{
		{
			name: "name",
			kind: one("letters, digits, dashes and underscores", &c.Name, param.ParseCheckName).
				with(schema{"pattern": "^[A-Za-z0-9_-]{1,60}$"}),
			at:       &c.NameAt,
			doc:      "what status, and needs of an address, call it",
			required: true,
			effect:   reload,
		},
		{
			name: "url",
			kind: checkURL(&c.URL),
			doc: "what is requested. It may mention ${HAWSER_ANCHOR_IP} and other variables of " +
				"HAProxy's environment",
			effect: reload,
		},
		{
			name:   "method",
			kind:   choice(&c.Method, "GET", "HEAD", "OPTIONS"),
			doc:    "with url: the request's method",
			def:    param.DefaultMethod,
			effect: reload,
		},
		{
			name:      "host",
			kind:      hostName(&c.Host),
			doc:       "with url: the Host header, and the name that TLS asks for",
			otherwise: "the host of url",
			effect:    reload,
		},
		{
			name:   "status",
			kind:   statuses(&c.Statuses),
			doc:    "with url: the statuses of a good answer",
			def:    param.DefaultStatuses().String(),
			effect: reload,
		},
		{
			name: "tls",
			kind: mapping(c.tlsKeys()...),
			doc:  "with url: what TLS verifies",
		},
		{
			name: "backend",
			kind: one("the name of a backend, or *", &c.Backend, param.ParseBackend).
				with(schema{"pattern": `^(\*|[A-Za-z0-9.:_-]+)$`}),
			at: &c.BackendAt,
			doc: "a backend of HAProxy of which min_servers servers must be up; * is each that " +
				"has servers",
			effect: reload,
		},
		{
			name:   "min_servers",
			kind:   whole(&c.MinServers, 1, param.MostServers),
			doc:    "with backend: how many servers must be up",
			def:    "1",
			effect: reload,
		},
		{
			name: "tcp",
			kind: one("host:port, such as 192.0.2.1:5432", &c.TCP, param.ParseHostPort).
				with(schema{"pattern": `^[^\s/]+:0*[1-9][0-9]{0,4}$`}),
			doc:    "where a connection must be possible",
			effect: reload,
		},
		{
			name: "exec",
			kind: program(&c.Exec),
			at:   &c.ExecAt,
			doc: "a program by its absolute path, and its arguments, quoted as for a shell, which " +
				"none sees; it must exit with 0",
			effect: reload,
		},
		{
			name: "user",
			kind: one("the name of a user", &c.User, param.ParseUser).
				with(schema{"pattern": `^[A-Za-z_][A-Za-z0-9_.@-]{0,63}\$?$`}),
			at:     &c.UserAt,
			doc:    "with exec: as whom the program runs; must be given",
			effect: reload,
		},
		{
			name:   "interface",
			kind:   nic(&c.Interface),
			at:     &c.InterfaceAt,
			doc:    "a network interface that must be there and have a carrier",
			effect: reload,
		},
		{
			name:   "every",
			kind:   duration(&c.Every, param.ParseCheckEvery, param.ShortestEvery, param.LongestEvery),
			doc:    "how often it is done, at least 1s",
			def:    param.FormatDuration(param.DefaultCheckEvery),
			effect: reload,
		},
		{
			name: "timeout",
			kind: unless(func() bool { return c.Timeout == 0 }, duration(&c.Timeout,
				param.ParseCheckTime, param.ShortestCheckTimeout, param.LongestCheckTimeout)),
			doc:       "how long it may take",
			otherwise: "as every, at most " + param.FormatDuration(param.LongestTimeout),
			effect:    reload,
		},
		{
			name:   "rise",
			kind:   whole(&c.Rise, 1, param.MostInARow),
			doc:    "good results in a row after which it holds again",
			def:    strconv.Itoa(param.DefaultRise),
			effect: reload,
		},
		{
			name: "fall",
			kind: unless(func() bool { return c.Fall == c.DefaultFall() },
				whole(&c.Fall, 1, param.MostInARow)),
			doc: "bad results in a row after which it fails",
			otherwise: fmt.Sprintf("%d; %d with interface", param.DefaultFall,
				param.DefaultInterfaceFall),
			effect: reload,
		},
	}
}

// unless is a kind that is not written where that holds: the check's own kind says as much.
func unless(holds func() bool, k kind) kind {
	text := k.text
	k.text = func() string {
		if holds() {
			return ""
		}
		return text()
	}
	return k
}

func (c *Check) tlsKeys() []key {
	return []key{
		{
			name:   "verify",
			kind:   truth(&c.Verify),
			doc:    "whether the certificate must be valid",
			def:    onOffWord(false),
			effect: reload,
		},
		{
			name:      "sni",
			kind:      hostName(&c.SNI),
			doc:       "the name that is asked for",
			otherwise: "host",
			effect:    reload,
		},
		{
			name:      "ca_file",
			kind:      path(&c.CAFile),
			at:        &c.CAFileAt,
			doc:       "the authorities that verify trusts, in PEM form, on every node",
			otherwise: "the system's",
			effect:    reload,
		},
	}
}

// kindKeys are the keys of which a check has one, and those that mean something beside it.
func kindKeys() map[string][]string {
	return map[string][]string{
		"url":     {"method", "host", "status", "tls"},
		"backend": {"min_servers"},
		"tcp":     nil,
		"exec":    {"user"},

		"interface": nil,
	}
}

const checkKinds = "url, backend, tcp, exec or interface"

// read reads one element and compares its keys with each other.
func (c *Check) read(d *document, n ast.Node, what string) {
	c.Check = param.NewCheck()
	before := len(d.List)
	given := d.section(n, what, c.keys())
	if len(d.List) > before {
		return
	}
	var kinds []string
	for _, k := range c.keys() {
		if _, ok := kindKeys()[k.name]; ok && !given[k.name].isZero() {
			kinds = append(kinds, k.name)
		}
	}
	switch len(kinds) {
	case 0:
		d.Add(c.At, "%s checks nothing: expected one of %s", what, checkKinds)
		return
	case 1:
	default:
		d.Add(given[kinds[1]], "%s has %s: expected only one of %s", what,
			strings.Join(kinds, " and "), checkKinds)
		return
	}
	for kind, keys := range kindKeys() {
		for _, name := range keys {
			if at := given[name]; !at.isZero() && kind != kinds[0] {
				d.Add(at, "%s.%s means nothing to a check by %s: remove it", what, name, kinds[0])
			}
		}
	}
	if kinds[0] == "exec" && c.User == "" {
		d.Add(given["exec"], "%s has no user: expected the user as whom the program runs, such as "+
			"`user: nobody`", what)
	}
	if at := given["timeout"]; !at.isZero() && kinds[0] == "interface" {
		d.Add(at, "%s.timeout means nothing to a check by interface: remove it", what)
	}
	c.Complete()
}

func (p Position) isZero() bool { return p == Position{} }

// checkList is the list haproxy.checks. The parameter that it becomes has the short forms too.
func checkList(h *HAProxy) kind {
	return kind{
		words: "a list",
		keys:  new(Check).keys(),
		text:  h.formatChecks,
		meaning: func(text string) string {
			if checks, err := param.ParseChecks(text); err == nil {
				return param.FormatChecks(checks)
			}
			return text
		},
		read: func(d *document, n ast.Node, what string) {
			names := map[string]Position{}
			d.list(n, what, func(i int, n ast.Node) {
				c := Check{At: place(n)}
				c.read(d, n, fmt.Sprintf("%s[%d]", what, i))
				if first, ok := names[c.Name]; ok && c.Name != "" {
					d.Add(c.NameAt, "the check %s is given twice: the first is in line %d", c.Name,
						first.Line)
				}
				names[c.Name] = c.NameAt
				h.Checks = append(h.Checks, c)
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": checkSection(),
			"maxItems": param.MostChecks},
	}
}

// checkSection is the schema of one element, which has one of the kinds and what belongs to it.
func checkSection() schema {
	var kinds []schema
	for _, k := range new(Check).keys() {
		of, ok := kindKeys()[k.name]
		if !ok {
			continue
		}
		foreign := schema{}
		for other, keys := range kindKeys() {
			if other == k.name {
				continue
			}
			foreign[other] = false
			for _, name := range keys {
				foreign[name] = false
			}
		}
		if k.name == "interface" {
			foreign["timeout"] = false
		}
		required := []string{k.name}
		if k.name == "exec" {
			required = append(required, of...)
		}
		kinds = append(kinds, schema{"required": required, "properties": foreign})
	}
	return section(new(Check).keys()).with(schema{"oneOf": kinds})
}

// checkChecks compares the names of the checks with each other and with those that addresses need.
func (c *File) checkChecks(d *document) {
	all := c.HAProxy.AllChecks()
	names := map[string]bool{}
	for _, check := range all {
		if check.Name == "" {
			continue // which has been reported
		}
		if names[check.Name] && check.NameAt.isZero() && c.isLink(check.Name) {
			d.Add(check.At, "one of haproxy.checks has the name %q, which that of this interface "+
				"needs: give it another name", check.Name)
		} else if names[check.Name] && check.NameAt.isZero() {
			d.Add(check.At, "one of haproxy.checks has the name %q, which haproxy.%s has: give it another "+
				"name", check.Name, shortKey(check.Name))
		}
		names[check.Name] = true
	}
	c.HAProxy.checkWritable(d)
	if len(all) > param.MostChecks {
		d.Add(all[param.MostChecks].At, "there are %d checks: expected at most %d", len(all),
			param.MostChecks)
	}
	for _, ip := range c.Addresses {
		for _, need := range ip.Needs {
			if names[need.Name] {
				continue
			}
			known := make([]string, 0, len(all))
			for _, check := range all {
				known = append(known, check.Name)
			}
			have := "haproxy.checks has none"
			if len(known) > 0 {
				have = "known are " + strings.Join(known, ", ")
			}
			d.Add(need.At, "%s needs the check %s, which is not known: %s", ip.Name, need.Name, have)
		}
	}
}

// checkWritable reports a character that Pacemaker cannot write, because what comes behind it in the
// parameter, perhaps that of another check, has to be escaped in XML (crm, checkText).
func (h *HAProxy) checkWritable(d *document) {
	beyond := func(text string) int {
		return strings.IndexFunc(text, func(r rune) bool { return r > 0x7f })
	}
	text := h.formatChecks()
	i := beyond(text)
	if i < 0 || !strings.ContainsAny(text[i:], `&<>"'`) {
		return
	}
	for _, c := range h.AllChecks() {
		one := param.FormatChecks([]param.Check{c.Check})
		if i := beyond(one); i >= 0 {
			d.Add(c.At, "the check %s has the character %q, which the cluster's configuration cannot "+
				"hold before a quote, & or <: expected ASCII", c.Name, string([]rune(one[i:])[:1]))
			return
		}
	}
}

func shortKey(name string) string {
	if name == contract.MinServersName {
		return "min_servers"
	}
	return "check"
}

// Need is one of an address's needs.
type Need struct {
	At   Position
	Name string
}

// ChecksOf returns the checks that an address needs, or one of those that move with it: all, unless
// they say which.
func (c *File) ChecksOf(ip *Address) []Check {
	together := c.Together(ip)
	return slices.DeleteFunc(c.HAProxy.AllChecks(), func(check Check) bool {
		return !slices.ContainsFunc(together, func(ip *Address) bool {
			return ip.needsLink(check.Name) || !c.isLink(check.Name) && ip.needs(check.Name)
		})
	})
}

// isLink reports whether it is the name of a check that interfaces of an address are short for.
func (c *File) isLink(check string) bool {
	return slices.ContainsFunc(c.HAProxy.links, func(l Check) bool { return l.Name == check })
}

func (ip *Address) needsLink(check string) bool {
	return slices.ContainsFunc(ip.Interfaces, func(n Named) bool { return linkName(n.Name) == check })
}

func (ip *Address) needs(check string) bool {
	return !ip.NeedsGiven || slices.ContainsFunc(ip.Needs, func(n Need) bool { return n.Name == check })
}

// needsOf is the list needs of an address.
func needsOf(ip *Address) kind {
	words := "a list of the names of checks, such as [web, db]"
	return kind{
		words: words,
		read: func(d *document, n ast.Node, what string) {
			if r := d.resolve(n); r == nil || r.Type() == ast.NullType {
				return // as if the key were not there
			}
			ip.NeedsGiven = true
			d.list(n, what, func(i int, n ast.Node) {
				name, at, ok := d.text(n, fmt.Sprintf("%s[%d]", what, i), "the name of a check")
				if ok {
					ip.Needs = append(ip.Needs, Need{at, name})
				}
			})
		},
		schema: schema{"type": []string{"array", "null"}, "items": schema{"type": "string"}},
	}
}

// hostName is a Host header, or a server's name.
func hostName(to *string) kind {
	return one("the name of a host, such as www.example.org", to, param.ParseHostHeader).
		with(schema{"pattern": `^[!$%&'()*+,.0-:;=A-Z\[\]^_` + "`" + `a-z{|}~-]{1,255}$`})
}

// statuses are HTTP statuses; one alone may be a number.
func statuses(to *param.Statuses) kind {
	const one = `[1-5][0-9]{2}(-[1-5][0-9]{2})?\s*`
	return kind{
		words:   "HTTP statuses, such as 200-299,401",
		numbers: true,
		set: func(text string) error {
			all, err := param.ParseStatuses(text)
			if err == nil {
				*to = all
			}
			return err
		},
		text: func() string { return to.String() },
		schema: schema{"anyOf": []schema{
			{"type": "integer", "minimum": 100, "maximum": 599},
			{"type": "string", "pattern": `^\s*` + one + `(,\s*` + one + `)*$`},
		}},
	}
}

// program is a program and its arguments.
func program(to *[]string) kind {
	return kind{
		words: "a program's absolute path and its arguments",
		set: func(text string) error {
			words, err := param.ParseProgram(text)
			if err == nil {
				*to = words
			}
			return err
		},
		text:   func() string { return param.JoinWords(*to) },
		schema: schema{"type": "string", "pattern": `^\s*['"\\]*/`},
	}
}

// truth is onOff for a variable of Go's.
func truth(to *bool) kind {
	var word string
	k := onOff(&word)
	set := k.set
	k.set = func(text string) error {
		err := set(text)
		*to = word == "true"
		return err
	}
	k.text = func() string { return strconv.FormatBool(*to) }
	return k
}

// number lets a length of time be written as a number of seconds.
func (k kind) number(shortest, longest time.Duration) kind {
	k.numbers = true
	k.words = fmt.Sprintf("a length of time from %s to %s", param.FormatDuration(shortest),
		param.FormatDuration(longest))
	return k.with(schema{"type": []string{"string", "integer"},
		"pattern": lengths("0*[1-9][0-9]*"),
		"minimum": max(1, int(shortest/time.Second)), "maximum": int(longest / time.Second)})
}

// duration is a length of time between two others.
func duration(to *time.Duration, parse func(string) (time.Duration, error),
	shortest, longest time.Duration) kind {
	var text string
	k := one("", &text, as(parse)).number(shortest, longest)
	k.set = func(text string) error {
		parsed, err := parse(text)
		if err == nil {
			*to = parsed
		}
		return err
	}
	k.text = func() string { return param.FormatDuration(*to) }
	return k
}
