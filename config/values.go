package config

import (
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/hawser-ha/hawser/ocf"
)

// The kinds of values in hawser.yaml. Each reads one into a variable, or reports what is wrong with it; what names it in messages.

var idPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

func (d *document) id(n ast.Node, what string, to *string) {
	const accepted = "a letter or _, then letters, digits, dots, dashes and underscores, as XML has it"
	text, at, ok := d.text(n, what, accepted)
	switch {
	case !ok:
	case !idPattern.MatchString(text) || len(text) > 200:
		d.Add(at, "%s is %q, which cannot be the id of an object of the cluster: accepted is %s", what, text, accepted)
	default:
		*to = text
	}
}

// The names of nodes and of droplets, as far as pcmk_host_map, "node:droplet;node:droplet", can hold them.
var (
	nodePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	dropletPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)
	tagPattern     = regexp.MustCompile(`^[A-Za-z0-9:_-]{1,255}$`) // the API's own rule
)

func (d *document) dropletTag(n ast.Node, what string, to *string) {
	const accepted = "the tag of droplets: letters, digits, colons, dashes and underscores"
	text, at, ok := d.text(n, what, accepted)
	switch {
	case !ok:
	case !tagPattern.MatchString(text):
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
	default:
		*to = text
	}
}

// onOff reads a truth value in any of YAML's and Pacemaker's words.
func (d *document) onOff(n ast.Node, what string, to *string) {
	const accepted = "on or off"
	word, at, ok := d.scalar(n, what, accepted)
	if !ok {
		return
	}
	switch strings.ToLower(word) {
	case "on", "true", "yes":
		*to = "true"
	case "off", "false", "no":
		*to = "false"
	default:
		d.Add(at, "%s is %q: accepted is %s", what, word, accepted)
	}
}

func (d *document) service(n ast.Node, what string, to *string) {
	const accepted = "the whole name of a systemd service, such as haproxy.service, or none"
	text, at, ok := d.text(n, what, accepted)
	if ok && text != "none" && (!strings.HasSuffix(text, ".service") || text == ".service" || strings.ContainsAny(text, "/ ")) {
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
		return
	}
	if ok {
		*to = text
	}
}

func (d *document) path(n ast.Node, what string, to *string) {
	const accepted = "an absolute path"
	text, at, ok := d.text(n, what, accepted)
	switch {
	case !ok:
	case !filepath.IsAbs(text):
		d.Add(at, "%s is %q: accepted is %s, because it is used on every node", what, text, accepted)
	default:
		*to = filepath.Clean(text)
	}
}

func (d *document) words(n ast.Node, what string, to *string) {
	text, at, ok := d.text(n, what, "arguments for HAProxy, separated by spaces")
	if !ok {
		return
	}
	if _, err := ocf.SplitWords(text); err != nil {
		d.Add(at, "%s %q %v", what, text, err)
		return
	}
	*to = text
}

// duration keeps the length of time as it is written, because that is what Pacemaker shows later; a bare number is in seconds.
func (d *document) duration(n ast.Node, what string, to *string) {
	const accepted = "a length of time such as 500ms, 15s or 2min"
	text, at, ok := d.scalar(n, what, accepted)
	if !ok {
		return
	}
	length, err := ocf.ParseDuration(text)
	switch {
	case err != nil:
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
	case length < time.Millisecond || length > 24*time.Hour:
		d.Add(at, "%s is %q: accepted is from 1ms to 24h", what, text)
	case strings.Trim(text, "0123456789") == "":
		*to = text + "s"
	default:
		*to = text
	}
}

func (d *document) address(n ast.Node, what, accepted string, to *netip.Addr) {
	text, at, ok := d.text(n, what, accepted)
	if !ok {
		return
	}
	ip, err := netip.ParseAddr(text)
	switch prefix, prefixErr := netip.ParsePrefix(text); {
	case err != nil && prefixErr == nil:
		d.Add(at, "%s is %q: accepted is the address alone (the length of its prefix goes into cidr_netmask: %d)", what, text, prefix.Bits())
	case err != nil:
		d.Add(at, "%s is %q, which is not an address: accepted is %s", what, text, accepted)
	case ip.Zone() != "" || ip.IsUnspecified() || ip.IsLoopback() || ip.IsMulticast() || ip.IsLinkLocalUnicast():
		d.Add(at, "%s is %s, which no client could reach: accepted is %s", what, text, accepted)
	default:
		*to = ip.Unmap()
	}
}

func (d *document) hostAddress(n ast.Node, what string, to *string) {
	const accepted = "an IPv4 or IPv6 address"
	text, at, ok := d.text(n, what, accepted)
	if !ok {
		return
	}
	if _, err := netip.ParseAddr(text); err != nil {
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
		return
	}
	*to = text
}

func (d *document) choice(n ast.Node, what string, to *string, choices ...string) {
	accepted := strings.Join(choices, " or ")
	text, at, ok := d.text(n, what, accepted)
	if !ok {
		return
	}
	for _, c := range choices {
		if text == c {
			*to = text
			return
		}
	}
	d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
}

func (d *document) nic(n ast.Node, what string, to *string) {
	const accepted = "the name of a network interface, such as eth0"
	text, at, ok := d.text(n, what, accepted)
	switch {
	case !ok:
	case len(text) > 15 || strings.ContainsAny(text, " /:"): // IFNAMSIZ, dev_valid_name() of Linux
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
	default:
		*to = text
	}
}

func (d *document) url(n ast.Node, what string, to *string) {
	const accepted = "an http:// or https:// address"
	text, at, ok := d.text(n, what, accepted)
	if !ok {
		return
	}
	// The agent fills in the variables that HAProxy's configuration may use too; whatever they hold is a host.
	u, err := url.Parse(variables.ReplaceAllString(text, "host"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
		return
	}
	*to = text
}

var variables = regexp.MustCompile(`\$\{[A-Z_]+\}`)

func (d *document) origin(n ast.Node, what string, to *string) {
	const accepted = "scheme, host and port and nothing after them, such as https://api.digitalocean.com"
	text, at, ok := d.text(n, what, accepted)
	if !ok {
		return
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		d.Add(at, "%s is %q: accepted is %s", what, text, accepted)
		return
	}
	*to = strings.TrimRight(text, "/")
}
