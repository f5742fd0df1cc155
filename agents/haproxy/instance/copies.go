package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// The configuration that HAProxy has loaded is kept as copies, one directory for each of the user's
// paths, in their order. A HAProxy that has to be restarted after its files were edited runs from
// the copies: an edit that may be half done, and that nobody has asked to load, must not take
// effect because of a crash. HAProxy then keeps running from the copies, since it reloads by
// executing itself with the same command line; so a later reload first writes the new configuration
// into the copies.

// CopyOf returns the path of a copy. The last element stays the same, for HAProxy's messages and
// for the suffix that it expects of files in directories.
func (in *Instance) CopyOf(i int, path string) string {
	return filepath.Join(in.Copies(), strconv.Itoa(i), filepath.Base(path))
}

// copyable reports whether the configuration means the same in another place.
func copyable(sources []client.Source) bool {
	for _, source := range sources {
		for _, words := range source.Lines(func(string) string { return "" }) {
			if len(words) > 1 && words[0] == "default-path" &&
				(words[1] == "config" || words[1] == "parent") {
				return false
			}
		}
	}
	return true
}

// copyTargets returns the text for each copy. Sources that are not files, such as check_url, are
// left out.
func (in *Instance) copyTargets(sources []client.Source) map[string]string {
	targets := map[string]string{}
	for i, path := range in.UserFiles() {
		to := in.CopyOf(i, path)
		for _, source := range sources {
			switch {
			case source.File == path:
				targets[to] = source.Text
			case filepath.Dir(source.File) == path:
				targets[filepath.Join(to, filepath.Base(source.File))] = source.Text
			}
		}
	}
	return targets
}

// Copied reports whether the copies are the same as the sources, and whether there are any.
func (in *Instance) Copied(sources []client.Source) (same, there bool) {
	kept := map[string]string{}
	err := filepath.WalkDir(in.Copies(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		kept[path] = string(text)
		return err
	})
	if err != nil || len(kept) == 0 {
		return false, false
	}
	targets := in.copyTargets(sources)
	same = len(targets) == len(kept)
	for path, text := range targets {
		if old, ok := kept[path]; !ok || old != text {
			same = false
		}
	}
	return same, true
}

// KeepCopies replaces the copies with the sources, all at once.
func (in *Instance) KeepCopies(sources []client.Source) error {
	fresh, err := in.prepareCopies(sources)
	if err != nil {
		return err
	}
	return in.commitCopies(fresh)
}

// freshCopies says what the copies of a configuration that is about to be loaded are.
type freshCopies string

const (
	// copiesStay are the ones that are there already.
	copiesStay freshCopies = ""
	// copiesNew are beside them, until commitCopies puts them in their place.
	copiesNew freshCopies = "new"
	// copiesNone says that the configuration means something else in another place.
	copiesNone freshCopies = "none"
)

// prepareCopies writes copies of the sources beside the present ones, which stay valid until
// HAProxy has loaded the sources.
func (in *Instance) prepareCopies(sources []client.Source) (freshCopies, error) {
	if !copyable(sources) {
		return copiesNone, nil
	}
	if same, _ := in.Copied(sources); same {
		return copiesStay, nil
	}
	fresh := in.newCopies()
	if err := os.RemoveAll(fresh); err != nil {
		return copiesStay, fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	for path, text := range in.copyTargets(sources) {
		path = fresh + strings.TrimPrefix(path, in.Copies())
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			return copiesStay, fmt.Errorf("cannot keep a copy of the configuration: %w",
				errors.Join(err, os.RemoveAll(fresh)))
		}
	}
	return copiesNew, nil
}

// commitCopies makes what was prepared the copies of what HAProxy serves. Calling it again undoes
// it.
func (in *Instance) commitCopies(fresh freshCopies) error {
	switch fresh {
	case copiesNew:
		return in.exchangeCopies()
	case copiesNone:
		return os.RemoveAll(in.Copies())
	}
	return nil
}

// newCopies returns the directory in which copies are prepared.
func (in *Instance) newCopies() string { return in.Copies() + ".new" }

// exchangeCopies swaps the copies and the new ones, so that a reload that fails can swap them back.
func (in *Instance) exchangeCopies() error {
	fresh := in.newCopies()
	err := unix.Renameat2(unix.AT_FDCWD, fresh, unix.AT_FDCWD, in.Copies(), unix.RENAME_EXCHANGE)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(fresh, in.Copies())
	}
	if err != nil {
		return fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	return nil
}

// OnCopies reports whether a HAProxy runs from the copies.
func (in *Instance) OnCopies(pid int) bool {
	return slices.ContainsFunc(procfs.Default.Args(pid), func(word string) bool {
		return strings.HasPrefix(word, in.Copies()+"/")
	})
}

// argsOnCopies is args with the user's files replaced by their copies.
func (in *Instance) argsOnCopies() []string {
	args := in.Args()
	n := 0
	replace := func(i int) {
		args[i] = in.CopyOf(n, args[i])
		n++
	}
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "--":
			for i++; i < len(args); i++ {
				replace(i)
			}
		case args[i] == "-f" && i+1 < len(args):
			if i++; args[i] != in.Fragment() {
				replace(i)
			}
		}
	}
	return args
}

// lastGood returns the command line with the configuration that HAProxy loaded last, and whether
// that differs from the user's files. Without copies, the user's files are used. Files that cannot
// be read at once are not waited for: clients are waiting, and HAProxy would hang on them too.
func (in *Instance) lastGood() (args []string, changed bool) {
	sources, err := in.ReadBriefly()
	if err == nil && !copyable(sources) {
		return in.Args(), false
	}
	if same, there := in.Copied(sources); there && (err != nil || !same) {
		return in.argsOnCopies(), true
	}
	return in.Args(), false
}

// ReadBriefly reads the user's files within diskTimeout. A read that hangs is left behind.
func (in *Instance) ReadBriefly() ([]client.Source, error) {
	type result struct {
		sources []client.Source
		err     error
	}
	read := make(chan result, 1)
	files := in.UserFiles()
	go func() {
		sources, err := client.ReadSources(files)
		read <- result{sources, err}
	}()
	select {
	case r := <-read:
		return r.sources, r.err
	case <-time.After(diskTimeout):
		return nil, fmt.Errorf("%s could not be read within %s", in.Conffile, diskTimeout)
	}
}
