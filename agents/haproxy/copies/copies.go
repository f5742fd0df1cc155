// Package copies keeps the configuration that HAProxy has loaded, one directory for each of the user's
// paths, in their order. A HAProxy that has to be restarted after its files were edited runs from
// the copies: an edit that may be half done, and that nobody has asked to load, must not take
// effect because of a crash. HAProxy then keeps running from the copies, since it reloads by
// executing itself with the same command line; so a later reload first writes the new configuration
// into the copies.
//
// It imports the client of HAProxy. There is only this file.
package copies

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
)

// Copies are the copies of one HAProxy.
type Copies struct {
	// Dir is their directory, Paths are the files and directories that are copied.
	Dir   string
	Paths []string
}

// Of returns the path of a copy. The last element stays the same, for HAProxy's messages and
// for the suffix that it expects of files in directories.
func (c Copies) Of(i int, path string) string {
	return filepath.Join(c.Dir, strconv.Itoa(i), filepath.Base(path))
}

// targets returns the text for each copy, nil if the configuration would not mean the same in
// another place, and the texts of files that had to be written in other words there. Sources that are
// not files, such as check_url, are left out.
func (c Copies) targets(sources []client.Source) (targets, originals map[string]string) {
	moved, ok := client.Relocated(sources)
	if !ok {
		return nil, nil
	}
	targets, originals = map[string]string{}, map[string]string{}
	for i, path := range c.Paths {
		to := c.Of(i, path)
		for n, source := range moved {
			name := to
			if source.File != path {
				if filepath.Dir(source.File) != filepath.Clean(path) { // which may end in a slash
					continue
				}
				name = filepath.Join(to, filepath.Base(source.File))
			}
			targets[name] = source.Text
			if was := sources[n].Text; was != source.Text {
				originals[c.original(name)] = was
			}
		}
	}
	return targets, originals
}

// original returns the path of the text of which a copy is the same in other words.
func (c Copies) original(of string) string {
	return filepath.Join(c.Dir, originals, strings.TrimPrefix(of, c.Dir))
}

// originals is the directory of these texts, beside the numbers.
const originals = "as-written"

// Text returns what a file said that was copied.
func (c Copies) Text(i int, path string) ([]byte, error) {
	text, err := os.ReadFile(c.original(c.Of(i, path)))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = os.ReadFile(c.Of(i, path))
	}
	return text, err
}

// Same reports whether the copies are the same as the sources, and whether there are any.
func (c Copies) Same(sources []client.Source) (same, there bool) {
	kept := map[string]string{}
	err := filepath.WalkDir(c.Dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path == filepath.Join(c.Dir, originals):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		text, err := os.ReadFile(path)
		kept[path] = string(text)
		return err
	})
	if err != nil || len(kept) == 0 {
		return false, false
	}
	wanted, _ := c.targets(sources)
	same = len(wanted) == len(kept)
	for path, text := range wanted {
		if old, ok := kept[path]; !ok || old != text {
			same = false
		}
	}
	return same, true
}

// Keep replaces the copies with the sources, all at once.
func (c Copies) Keep(sources []client.Source) error {
	fresh, err := c.Prepare(sources, "")
	if err != nil {
		return err
	}
	return c.Commit(fresh, "")
}

// Fresh says what the copies of a configuration that is about to be loaded are.
type Fresh string

const (
	// Stay are the ones that are there already.
	Stay Fresh = ""
	// New are beside them, until Commit puts them in their place.
	New Fresh = "new"
	// None says that the configuration means something else in another place.
	None Fresh = "none"
)

// Prepare writes copies of the sources beside the present ones, which stay valid until
// HAProxy has loaded the sources. The name is one that only these have, or "".
func (c Copies) Prepare(sources []client.Source, name string) (Fresh, error) {
	wanted, originals := c.targets(sources)
	if wanted == nil {
		return None, nil
	}
	if same, _ := c.Same(sources); same {
		return Stay, nil
	}
	fresh := c.Next()
	if err := os.RemoveAll(fresh); err != nil {
		return Stay, fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	maps.Copy(wanted, originals)
	if name != "" {
		wanted[c.nameFile()] = name
	}
	if err := c.write(fresh, wanted); err != nil {
		return Stay, fmt.Errorf("cannot keep a copy of the configuration: %w",
			errors.Join(err, os.RemoveAll(fresh)))
	}
	return New, nil
}

// write writes the copies below another directory than theirs.
func (c Copies) write(below string, targets map[string]string) error {
	elsewhere := func(path string) string { return below + strings.TrimPrefix(path, c.Dir) }
	for path, text := range targets {
		err := os.MkdirAll(filepath.Dir(elsewhere(path)), 0o700)
		if err == nil {
			err = os.WriteFile(elsewhere(path), []byte(text), 0o600)
		}
		if err != nil {
			return err
		}
	}
	for i, path := range c.Paths { // what is no file is a directory, and may be empty
		to := c.Of(i, path)
		if _, file := targets[to]; !file {
			if err := os.MkdirAll(elsewhere(to), 0o700); err != nil {
				return err
			}
		}
	}
	return nil
}

// Commit makes what was prepared by a name the copies of what HAProxy serves. Calling it again changes
// nothing: whoever was killed before he could note it does it twice.
func (c Copies) Commit(fresh Fresh, name string) error {
	switch {
	case fresh == None:
		return os.RemoveAll(c.Dir)
	case fresh != New || name != "" && c.named(c.Dir, name):
		return nil
	case name != "" && !c.named(c.Next(), name):
		return fmt.Errorf("cannot keep a copy of the configuration: what was prepared in %s is gone",
			c.Next())
	}
	return c.exchange()
}

// Undo takes back a Commit, if there was one. What was prepared without a name, by an earlier version,
// is taken back each time.
func (c Copies) Undo(fresh Fresh, name string) error {
	if fresh != New || name != "" && !c.named(c.Dir, name) {
		return nil
	}
	if _, err := os.Lstat(c.Next()); errors.Is(err, fs.ErrNotExist) { // there were none before
		return os.Rename(c.Dir, c.Next())
	}
	return c.exchange()
}

// nameFile returns the path of the name of the copies. It is where no copy is, also for versions that
// know no names.
func (c Copies) nameFile() string { return filepath.Join(c.Dir, originals, "name") }

// named reports whether the copies in a directory have a name.
func (c Copies) named(dir, name string) bool {
	text, err := os.ReadFile(dir + strings.TrimPrefix(c.nameFile(), c.Dir))
	return err == nil && string(text) == name
}

// Next returns the directory in which copies are prepared.
func (c Copies) Next() string { return c.Dir + ".new" }

// exchange swaps the copies and the new ones, so that a reload that fails can swap them back.
func (c Copies) exchange() error {
	fresh := c.Next()
	err := unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, c.Dir, unix.RENAME_EXCHANGE)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(fresh, c.Dir)
	}
	if err != nil {
		return fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	return nil
}

// Read reads the copies. They may say the same in other words than the files.
func (c Copies) Read() ([]client.Source, error) {
	var paths []string
	for i, path := range c.Paths {
		paths = append(paths, c.Of(i, path))
	}
	return client.ReadSources(paths)
}

// Run reports whether a command line is that of a HAProxy that runs from the copies.
func (c Copies) Run(args []string) bool {
	return slices.ContainsFunc(args, func(word string) bool {
		return strings.HasPrefix(word, c.Dir+"/")
	})
}

// Args returns a command line with the user's files replaced by their copies. own are the files on it
// that are not the user's.
func (c Copies) Args(args []string, own ...string) []string {
	args = slices.Clone(args)
	n := 0
	replace := func(i int) {
		if !slices.Contains(own, args[i]) {
			args[i] = c.Of(n, c.Paths[n])
			n++
		}
	}
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			for i++; i < len(args); i++ {
				replace(i)
			}
		case args[i] == "-f" && i+1 < len(args):
			i++
			replace(i)
		}
	}
	return args
}
