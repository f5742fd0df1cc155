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

// copyTargets returns the text for each copy, nil if the configuration would not mean the same in
// another place. Sources that are not files, such as check_url, are left out.
func (in *Instance) copyTargets(sources []client.Source) map[string]string {
	sources, ok := client.Relocated(sources)
	if !ok {
		return nil
	}
	targets := map[string]string{}
	for i, path := range in.UserFiles() {
		to := in.CopyOf(i, path)
		for _, source := range sources {
			switch {
			case source.File == path:
				targets[to] = source.Text
			case filepath.Dir(source.File) == filepath.Clean(path): // which may end in a slash
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

// KeepCopies replaces the copies with the sources, all at once. undo puts the previous ones back.
func (in *Instance) KeepCopies(sources []client.Source) (undo func() error, err error) {
	nothing := func() error { return nil }
	targets := in.copyTargets(sources)
	if targets == nil {
		return nothing, os.RemoveAll(in.Copies())
	}
	if same, _ := in.Copied(sources); same {
		return nothing, nil
	}
	fresh := in.Copies() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return nothing, fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	if err := in.writeCopies(fresh, targets); err != nil {
		return nothing, fmt.Errorf("cannot keep a copy of the configuration: %w",
			errors.Join(err, os.RemoveAll(fresh)))
	}
	return in.exchangeCopies, in.exchangeCopies()
}

// writeCopies writes the copies below another directory than theirs.
func (in *Instance) writeCopies(below string, targets map[string]string) error {
	elsewhere := func(path string) string { return below + strings.TrimPrefix(path, in.Copies()) }
	for path, text := range targets {
		err := os.MkdirAll(filepath.Dir(elsewhere(path)), 0o700)
		if err == nil {
			err = os.WriteFile(elsewhere(path), []byte(text), 0o600)
		}
		if err != nil {
			return err
		}
	}
	for i, path := range in.UserFiles() { // what is no file is a directory, and may be empty
		to := in.CopyOf(i, path)
		if _, file := targets[to]; !file {
			if err := os.MkdirAll(elsewhere(to), 0o700); err != nil {
				return err
			}
		}
	}
	return nil
}

// exchangeCopies swaps the copies and the new ones, so that a reload that fails can swap them back.
func (in *Instance) exchangeCopies() error {
	fresh := in.Copies() + ".new"
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
	args, files := in.Args(), in.UserFiles()
	n := 0
	replace := func(i int) {
		if args[i] != in.Fragment() && args[i] != in.LastFragment() {
			args[i] = in.CopyOf(n, files[n])
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

// lastGood returns the command line with the configuration that HAProxy loaded last, and whether
// that differs from the user's files. Without copies, the user's files are used. Files that cannot
// be read at once are not waited for: clients are waiting, and HAProxy would hang on them too.
func (in *Instance) lastGood() (args []string, changed bool) {
	sources, err := in.ReadBriefly()
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
