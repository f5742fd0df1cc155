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
	for _, source := range sources {
		for _, words := range source.Lines(asIs) {
			switch {
			case len(words) > 1 && (words[0] == "backend" || words[0] == "listen"):
				section = words[1]
			case slices.Contains(sections(), words[0]):
				section = ""
			case section != "" && (words[0] == "server" || words[0] == "server-template") &&
				!slices.Contains(all, section):
				all = append(all, section)
			}
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
