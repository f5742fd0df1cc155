package draft

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
)

// standIn stands for the anchor address while a configuration is read, where this machine has none.
const standIn = "127.255.255.254"

// getenv is HAProxy's environment, as far as it is known.
func (w *writer) getenv(name string) string {
	switch {
	case name != contract.AnchorIPVariable:
		return ""
	case w.facts.Droplet.Anchor.IsValid():
		return w.facts.Droplet.Anchor.String()
	}
	return standIn
}

// known is getenv, with a name that is none of a host's for what is not known: a line with it says
// nothing about where HAProxy listens.
func (w *writer) known(name string) string {
	if value := w.getenv(name); value != "" {
		return value
	}
	return "not..known"
}

// binds are the lines of the configuration.
func (w *writer) binds() []haproxy.BindLine {
	return haproxy.BindLines(w.facts.HAProxy.Sources, w.getenv)
}

// aboutHAProxy are remarks on its configuration.
func (w *writer) aboutHAProxy() []string {
	h := w.facts.HAProxy
	var all []string
	if h.Sources == nil {
		return nil
	}
	if h.Complaint != "" {
		all = append(all, fmt.Sprintf("`hawser plan` will refuse %s as it is: %s", h.File, h.Complaint))
	}
	var unclear []string
	for _, b := range w.binds() {
		if b.Unclear && len(unclear) < 8 {
			unclear = append(unclear, "`bind "+b.Text+"`")
		}
	}
	if len(unclear) > 0 {
		all = append(all, fmt.Sprintf("Where HAProxy listens by %s, only HAProxy knows: if that is a "+
			"floating address, add it to floating_ips.", strings.Join(unclear, ", ")))
	}
	return all
}

// haproxy writes the section haproxy.
func (w *writer) haproxy() {
	h := w.facts.HAProxy
	w.line("")
	if h.Sources == nil {
		w.say("", "HAProxy, on every node. No configuration was found at %s: each node needs one, the same "+
			"everywhere.", h.File)
	} else {
		w.say("", "HAProxy, on every node, with the same configuration.")
	}
	w.line("haproxy:")
	if h.File == contract.DefaultConffile && h.Sources == nil {
		w.keys("  ", "config: "+quoted(h.File))
	} else {
		w.line("  config: %s", quoted(h.File))
	}
	w.checks("  ")
}

// checks writes an example of checks, with what the configuration offers for one.
func (w *writer) checks(indent string) {
	w.say(indent, "What a node must be able to do for an address to be there (checks.md): one that fails "+
		"here and holds elsewhere moves the addresses. Examples:")
	url := "http://127.0.0.1/healthz"
	defer func() {
		w.keys(indent, "checks:", "  - {name: web, url: "+quoted(url)+"}",
			"  - {name: upstream, tcp: \"192.0.2.1:5432\"}")
	}()
	if m, ok := w.monitor(); ok {
		w.say(indent, "%s answers %s, for as long as HAProxy runs unless `monitor fail` says more.", m.proxy,
			m.uri)
		switch {
		case m.url != "":
			url = m.url
		default:
			w.say(indent, "It listens at no address that each node asks itself at: add one, such as "+
				"`bind 127.0.0.1:8080`.")
			url = "http://127.0.0.1:8080" + m.uri
		}
	}
}

// monitor is a page by which a proxy says that it works.
type monitor struct{ proxy, uri, url string }

// monitor finds the first `monitor-uri` of the configuration.
func (w *writer) monitor() (monitor, bool) {
	var best monitor
	var inherited, uri, proxy, url string
	end := func() {
		if proxy != "" && uri != "" && (best.uri == "" || best.url == "" && url != "") {
			best = monitor{proxy: proxy, uri: uri}
			if url != "" {
				best.url = url + uri
			}
		}
		proxy, url = "", ""
	}
	inDefaults := false
	for _, source := range w.facts.HAProxy.Sources {
		for _, line := range source.Lines(w.known) {
			switch word := line[0]; {
			case slices.Contains([]string{"defaults", "frontend", "listen", "backend", "global", "peers",
				"resolvers", "mailers", "userlist", "cache", "program", "ring", "log-forward"}, word):
				end()
				inDefaults, uri = word == "defaults", inherited
				if inDefaults {
					inherited, uri = "", ""
				}
				if len(line) > 1 && (word == "frontend" || word == "listen") {
					proxy = word + " " + line[1]
				}
			case word == "monitor-uri" && len(line) > 1:
				uri = line[1]
				if inDefaults {
					inherited = uri
				}
			case word == "bind" && len(line) > 1 && proxy != "" && url == "":
				url = w.ownURL(source, line)
			}
		}
	}
	end()
	return best, best.uri != "" && strings.HasPrefix(best.uri, "/")
}

// ownURL is the beginning of the URL at which a node asks itself by a `bind` line, "" if it listens only
// at an address that may be on another node.
func (w *writer) ownURL(source haproxy.Source, line []string) string {
	scheme := "http"
	if slices.Contains(line, "ssl") {
		scheme = "https"
	}
	words := []string{"listen x\n", "bind", quotedWord(line[1])}
	for _, option := range line[2:] {
		if option == "v4v6" || option == "v6only" {
			words = append(words, option)
		}
	}
	text := strings.Join(words, " ") + "\n"
	for _, b := range haproxy.BindLines([]haproxy.Source{{File: source.File, Text: text}}, w.getenv) {
		for _, r := range b.Reaches {
			at, port := r.Addr.Addr(), r.Addr.Port()
			switch {
			case port == 0:
			case at.String() == w.getenv(contract.AnchorIPVariable):
				return fmt.Sprintf("%s://${%s}:%d", scheme, contract.AnchorIPVariable, port)
			case at == netip.IPv4Unspecified(), r.Both:
				return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
			case at == netip.IPv6Unspecified():
				return fmt.Sprintf("%s://[::1]:%d", scheme, port)
			case at.IsLoopback():
				return fmt.Sprintf("%s://%s", scheme, r.Addr)
			}
		}
	}
	return ""
}

// quotedWord is a word of HAProxy's configuration whatever is in it.
func quotedWord(word string) string { return "'" + strings.ReplaceAll(word, "'", "") + "'" }
