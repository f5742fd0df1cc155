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
	// line has a host name, a descriptor, or a variable of unknown value.
	Unclear bool
}

// BindLines returns the `bind` lines of frontends and the like. getenv returns the value of a
// variable, and whether it is known.
func BindLines(sources []Source, getenv func(string) (value string, known bool)) []BindLine {
	var all []BindLine
	byDefault := v6onlyByDefault()
	section := ""
	for _, source := range sources {
		for line := range strings.Lines(source.Text) {
			line = strings.TrimRight(line, "\r\n")
			known := true
			words := splitLine(line, func(name string) string {
				value, ok := getenv(name)
				known = known && ok
				return value
			})
			if len(words) == 0 {
				continue
			}
			switch words[0] {
			case "global", "defaults", "frontend", "listen", "backend", "peers", "ring",
				"log-forward", "resolvers", "mailers", "userlist", "cache", "program":
				section = words[0]
				continue
			}
			if words[0] != "bind" || len(words) < 2 || section == "peers" {
				continue
			}
			asWritten := splitLine(line, func(name string) string { return "${" + name + "}" })
			b := BindLine{
				Text: asWritten[1], Unclear: !known || slices.Contains(words[2:], "namespace"),
			}
			for text := range strings.SplitSeq(words[1], ",") {
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
