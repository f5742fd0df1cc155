package config

import (
	"bytes"
	"regexp"
)

// foreign are files that are given for a hawser.yaml by mistake, and what they begin a line with.
// Not one of these lines may stand in a hawser.yaml.
var foreign = []struct {
	what  string
	lines *regexp.Regexp
}{
	{
		"a configuration of keepalived: the addresses that it moves belong in floating_ips",
		regexp.MustCompile(`(?m)^(global_defs|vrrp_instance|vrrp_script|vrrp_sync_group|` +
			`virtual_server|static_ipaddress)\b[^:{\n]*\{?[ \t\r]*$`),
	},
	{
		"a configuration of HAProxy: name it in haproxy.config",
		regexp.MustCompile(`(?m)^(global|defaults|(defaults|frontend|backend|listen)[ \t]+[^:\n]+)` +
			`[ \t\r]*$`),
	},
	{
		"a corosync.conf: hawser.yaml says what Pacemaker should run",
		regexp.MustCompile(`(?m)^(totem|nodelist|quorum|logging)[ \t]*\{[ \t\r]*$`),
	},
	{
		"written for crmsh: `hawser configure load` reads it",
		regexp.MustCompile(`(?m)^(primitive|clone|group|colocation|order|location)[ \t]+[^:\n \t]+` +
			`[ \t]+[^\n]+$|^(property|rsc_defaults)[ \t]+[^:\n \t]+=[^\n]+$`),
	},
	{"XML", regexp.MustCompile(`^\s*<[?a-zA-Z]`)},
}

// mistaken says which other kind of file a text is, or "".
func mistaken(text []byte) string {
	if bytes.IndexByte(text, 0) >= 0 {
		return "not text"
	}
	for _, f := range foreign {
		if f.lines.Match(text) {
			return f.what
		}
	}
	return ""
}
