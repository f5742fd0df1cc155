package param

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Site is a place where nodes are, such as a data centre.
type Site struct {
	Name  string
	Nodes []string
}

var siteName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]{0,62}$`)

// ParseSiteName reads the name of a site.
func ParseSiteName(text string) (string, error) {
	if !siteName.MatchString(text) {
		return "", errors.New("cannot be the name of a site: write a letter or _, then letters, " +
			"digits, dots, dashes and underscores, at most 63")
	}
	return text, nil
}

// ParseSites reads sites as FormatSites writes them. No node is in two.
func ParseSites(text string) ([]Site, error) {
	var all []Site
	at := map[string]string{}
	for word := range strings.FieldsSeq(text) {
		name, list, ok := strings.Cut(word, "=")
		if _, err := ParseSiteName(name); !ok || err != nil {
			return nil, fmt.Errorf("has %q where a site is expected: write SITE=NODE,NODE …", word)
		}
		if slices.ContainsFunc(all, func(s Site) bool { return s.Name == name }) {
			return nil, fmt.Errorf("has the site %s twice", name)
		}
		nodes := strings.Split(list, ",")
		for _, node := range nodes {
			if node == "" {
				return nil, fmt.Errorf("has a node without a name in the site %s", name)
			}
			if other, ok := at[node]; ok {
				return nil, fmt.Errorf("has the node %s twice: in %s and in %s", node, other, name)
			}
			at[node] = name
		}
		all = append(all, Site{name, nodes})
	}
	return all, nil
}

// FormatSites returns the text that ParseSites reads: "main=lb-1,lb-2 reserve=lb-3,lb-4".
func FormatSites(all []Site) string {
	var words []string
	for _, s := range all {
		words = append(words, s.Name+"="+strings.Join(s.Nodes, ","))
	}
	return strings.Join(words, " ")
}

// SiteOf returns the site that a node is in, "" if in none.
func SiteOf(all []Site, node string) string {
	for _, s := range all {
		if slices.Contains(s.Nodes, node) {
			return s.Name
		}
	}
	return ""
}
