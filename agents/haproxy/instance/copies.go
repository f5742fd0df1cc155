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

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// The configuration that HAProxy has taken is kept as copies, one directory for each of the user's paths, in their order. A HAProxy
// that has to be brought back after its files were edited runs from the copies: an edit that nobody has asked to be loaded, and that may
// be half done, must not take effect by a crash. It then goes on running from them, since HAProxy's reload is to execute itself with the
// same command line, so a later reload writes what is new into the copies first.

// CopyOf returns where the copy of a path is. The last element stays, for HAProxy's messages and for the suffix that it asks of files in
// directories.
func (in *Instance) CopyOf(i int, path string) string {
	return filepath.Join(in.Copies(), strconv.Itoa(i), filepath.Base(path))
}

// copyable reports whether the configuration means the same in another place.
func copyable(sources []client.Source) bool {
	for _, source := range sources {
		for _, words := range source.Lines(func(string) string { return "" }) {
			if len(words) > 1 && words[0] == "default-path" && (words[1] == "config" || words[1] == "parent") {
				return false
			}
		}
	}
	return true
}

// copyTargets says where each source is copied to. Sources that are no files, such as check_url, are left out.
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

// Copied reports whether the copies are those of the sources, and whether there are any.
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

// KeepCopies makes the copies those of the sources, all at once. undo puts the former ones back.
func (in *Instance) KeepCopies(sources []client.Source) (undo func() error, err error) {
	nothing := func() error { return nil }
	if !copyable(sources) {
		return nothing, os.RemoveAll(in.Copies())
	}
	if same, _ := in.Copied(sources); same {
		return nothing, nil
	}
	fresh := in.Copies() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return nothing, fmt.Errorf("cannot keep a copy of the configuration: %w", err)
	}
	for path, text := range in.copyTargets(sources) {
		path = fresh + strings.TrimPrefix(path, in.Copies())
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			return nothing, fmt.Errorf("cannot keep a copy of the configuration: %w", errors.Join(err, os.RemoveAll(fresh)))
		}
	}
	return in.exchangeCopies, in.exchangeCopies()
}

// exchangeCopies makes the new copies the copies and the other way round, so that a reload that fails can do it again.
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
	return slices.ContainsFunc(procfs.Default.Args(pid), func(word string) bool { return strings.HasPrefix(word, in.Copies()+"/") })
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

// lastGood returns the command line with the configuration that HAProxy had last taken, and whether that is another one than the user's
// files have now. Where there are no copies, the files are what there is.
func (in *Instance) lastGood() (args []string, changed bool) {
	sources, err := client.ReadSources(in.UserFiles())
	if err == nil && !copyable(sources) {
		return in.Args(), false
	}
	if same, there := in.Copied(sources); there && (err != nil || !same) {
		return in.argsOnCopies(), true
	}
	return in.Args(), false
}
