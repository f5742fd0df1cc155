// Command changelog turns CHANGELOG.md into the changelog of a Debian package (deb-changelog(5)):
//
//	changelog -package hawser -version 1.2.3-1 -date @1700000000 CHANGELOG.md
//
// What is under "Unreleased" becomes the entry of the version that is built; the headings of
// releases are "## 1.2.3 - 2026-11-21".
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/internal/words"
)

// maintainer is the one of the packages: packaging/*.yaml.
const maintainer = "hawser maintainers <hawser-ha@users.noreply.github.com>"

func main() {
	name := flag.String("package", "hawser", "`NAME` of the package")
	version := flag.String("version", "", "its `VERSION`")
	date := flag.String("date", "", "@SECONDS since 1970: `WHEN` it was made")
	flag.Parse()
	if err := run(os.Stdout, *name, *version, *date, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "changelog:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, name, version, date, file string) error {
	seconds, err := strconv.ParseInt(strings.TrimPrefix(date, "@"), 10, 64)
	if err != nil {
		return fmt.Errorf("-date %q: want @SECONDS", date)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	entries, err := parse(string(text), version, time.Unix(seconds, 0).UTC())
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return write(w, name, entries)
}

// entry is what one version changed.
type entry struct {
	version string
	date    time.Time
	changes []string
}

var heading = regexp.MustCompile(`^## (?:Unreleased|\[?v?([0-9][^\] ]*)\]? - ` +
	`([0-9]{4}-[0-9]{2}-[0-9]{2}))$`)

// parse reads the headings and the items of the lists below them. version and now are of what has
// not been released.
func parse(text, version string, now time.Time) ([]entry, error) {
	var entries []entry
	for number, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "## "):
			m := heading.FindStringSubmatch(line)
			if m == nil {
				return nil, fmt.Errorf(
					`line %d: %q is neither "## Unreleased" nor "## 1.2.3 - 2026-11-21"`, number+1,
					line)
			}
			e := entry{version: version, date: now}
			if m[1] != "" {
				at, err := time.Parse(time.DateOnly, m[2])
				if err != nil {
					return nil, fmt.Errorf("line %d: %w", number+1, err)
				}
				e = entry{version: strings.Replace(m[1], "-", "~", 1) + "-1", date: at}
				if len(entries) == 0 &&
					strings.TrimSuffix(version, "-1") != strings.TrimSuffix(e.version, "-1") {
					// commits after the release
					entries = append(entries, entry{
						version: version, date: now,
						changes: []string{"A build between two releases."},
					})
				}
			}
			entries = append(entries, e)
		case len(entries) == 0:
		case strings.HasPrefix(line, "- "):
			e := &entries[len(entries)-1]
			e.changes = append(e.changes, strings.TrimPrefix(line, "- "))
		case strings.HasPrefix(line, "  "):
			e := &entries[len(entries)-1]
			if n := len(e.changes); n > 0 {
				e.changes[n-1] += " " + strings.TrimSpace(line)
			}
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("no heading: want ## Unreleased")
	}
	return entries, nil
}

func write(w io.Writer, name string, entries []entry) error {
	var b strings.Builder
	for i, e := range entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s (%s) unstable; urgency=medium\n\n", name, e.version)
		changes := e.changes
		if len(changes) == 0 {
			changes = []string{"No change that users notice."}
		}
		for _, c := range changes {
			for j, line := range words.Wrap(strings.ReplaceAll(c, "**", ""), 74) {
				if j == 0 {
					fmt.Fprintf(&b, "  * %s\n", line)
				} else {
					fmt.Fprintf(&b, "    %s\n", line)
				}
			}
		}
		fmt.Fprintf(&b, "\n -- %s  %s\n", maintainer, e.date.Format(time.RFC1123Z))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
