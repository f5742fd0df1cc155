package haproxy

import (
	"slices"
	"strings"
)

// BindLine is a `bind` line of a proxy: where clients reach HAProxy by it.
type BindLine struct {
	// Text is the address as it is written, variables and all.
	Text string
	// Reaches lists where it listens on TCP.
	Reaches []Reach
	// Unclear means that it listens somewhere else, too, or may do so, which only HAProxy knows: the
	// line has a host name, a descriptor or a variable of unknown value, or HAProxy may pass it over.
	Unclear bool
}

// BindLines returns the `bind` lines of frontends and the like. getenv returns the value of a
// variable, "" where it is not known.
func BindLines(sources []Source, getenv func(string) string) []BindLine {
	var all []BindLine
	byDefault := v6onlyByDefault()
	section := ""
	for l := range linesOf(sources, getenv) {
		switch words := l.words; words[0] {
		case "global", "defaults", "frontend", "listen", "backend", "peers", "ring",
			"log-forward", "resolvers", "mailers", "userlist", "cache", "program":
			section = words[0]
		case "bind":
			if len(words) < 2 || section == "peers" {
				continue
			}
			asWritten := splitLine(l.text, func(name string) (string, bool) {
				return "${" + name + "}", true
			})
			b := BindLine{Text: asWritten[1], Unclear: l.conditional ||
				strings.Contains(words[1], vague) || slices.Contains(words[2:], "namespace")}
			for text := range strings.SplitSeq(strings.ReplaceAll(words[1], vague, ""), ",") {
				reached := parseBind(text)
				b.Unclear = b.Unclear || len(reached) == 0 && !elsewhere(text)
				for _, addr := range reached {
					b.Reaches = append(b.Reaches, reachOf(addr, slices.Contains(words[2:], "v6only"),
						slices.Contains(words[2:], "v4v6"), byDefault))
				}
			}
			all = append(all, b)
		}
	}
	return all
}

// elsewhere reports whether an address is certainly not one of TCP.
func elsewhere(text string) bool {
	prefix, _, ok := strings.Cut(text, "@")
	return strings.HasPrefix(text, "/") || ok && slices.Contains([]string{
		"unix", "abns", "abnsz", "uxst", "uxdg", "sockpair", "quic4", "quic6", "udp", "udp4", "udp6",
		"rhttp", "rev",
	}, prefix)
}
