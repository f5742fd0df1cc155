package variables

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// A node comes to another site while its HAProxy runs, and a reload does not change the environment of
// a process. So the agent's part of the configuration sets the variable, for what HAProxy reads after
// it and for what its workers run.

// SiteIn returns the site of an environment, "" if it has none.
func SiteIn(env []string) string { return procfs.Lookup(env, contract.SiteVariable) }

// WithSite returns the environment with another site.
func WithSite(env []string, site string) []string {
	const prefix = contract.SiteVariable + "="
	other := slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		return strings.HasPrefix(entry, prefix)
	})
	return append(other, prefix+site)
}

// SiteLine returns the line of the section global that has HAProxy use the site of the environment.
// HAProxy sets no variable to an empty word, so that for a node in no site there is only one that
// unsets it, where the part that was there before has had a site; the environment says the same.
func SiteLine(env []string, before []byte) string {
	switch site := SiteIn(env); {
	case site != "":
		return fmt.Sprintf("\tsetenv %s %s\n", contract.SiteVariable, site)
	case bytes.Contains(before, []byte("setenv "+contract.SiteVariable)):
		return fmt.Sprintf("\tunsetenv %s\n", contract.SiteVariable)
	}
	return ""
}
