package unit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/param"
)

// Resource is a HAProxy of the cluster: its unit, and the files that it reads.
type Resource struct {
	Unit, Conffile string
	Extraconf      []string
}

// MissingFiles says which files HAProxy reads where its unit starts it and not under the cluster,
// and what to do; "" if there are none. A directory without a file in it is not missed, nor is
// anything by a resource that has nothing to do with the unit's configuration.
func (r Resource) MissingFiles(s systemd.Settings) string {
	theirs, ours := Files(s), contract.ConfigFiles(r.Conffile, r.Extraconf)
	mine := map[string]bool{}
	for _, path := range ours {
		for _, file := range filesBelow(path) {
			mine[file] = true
		}
	}
	var missing []string
	shared := false
	for _, path := range theirs {
		for _, file := range filesBelow(path) {
			if mine[file] {
				shared = true
			} else if !slices.Contains(missing, path) {
				missing = append(missing, path)
			}
		}
	}
	switch {
	case len(missing) == 0:
		return ""
	case !shared && r.Conffile != contract.DefaultConffile:
		return ""
	case !shared:
		return fmt.Sprintf("%s has HAProxy read %s, and the cluster's reads %s: set conffile=%s "+
			"(haproxy.config in hawser.yaml), or take the files out of the unit", r.Unit,
			strings.Join(theirs, " and "), strings.Join(ours, " and "), theirs[0])
	}
	var words []string
	for _, path := range missing {
		words = append(words, "-f", path)
	}
	return fmt.Sprintf("%s has HAProxy read %s too, and the cluster's does not: set extraconf=%q "+
		"(haproxy.extra in hawser.yaml)", r.Unit, strings.Join(missing, " and "),
		param.JoinWords(slices.Concat(r.Extraconf, words)))
}

// filesBelow returns the real paths of the files that HAProxy would read at a path. Those that
// cannot be found are not missed: HAProxy itself would report them.
func filesBelow(path string) []string {
	var files []string
	sources, _ := client.ReadSources([]string{path})
	for _, source := range sources {
		real, err := filepath.EvalSymlinks(source.File)
		if err != nil {
			real = source.File
		}
		files = append(files, real)
	}
	return files
}
