package haproxy

import (
	"slices"
	"strings"
)

// Backends returns the names of the configuration's sections backend and listen that name servers,
// in their order. A section counts even where a condition (.if) may leave it out. Variables stand in
// its name as they are.
func Backends(sources []Source) []string {
	var all []string
	section := ""
	asIs := func(name string) string { return "${" + name + "}" }
	listed, others := map[string]bool{}, sections()
	for l := range linesOf(sources, asIs) {
		switch {
		case len(l.words) > 1 && (l.words[0] == "backend" || l.words[0] == "listen"):
			section = strings.ReplaceAll(l.words[1], vague, "${?}")
		case slices.Contains(others, l.words[0]):
			section = ""
		case section != "" && (l.words[0] == "server" || l.words[0] == "server-template") &&
			!listed[section]:
			all, listed[section] = append(all, section), true
		}
	}
	return all
}

// sections begin a part of the configuration that has no servers of a backend (HAProxy's
// configuration manual, 2.1 and 3).
func sections() []string {
	return strings.Fields("global defaults frontend backend listen peers resolvers userlist mailers " +
		"cache ring log-forward http-errors fcgi-app program log-profile crt-store traces acme")
}
