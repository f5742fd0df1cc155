package adopt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// CheckFree is an error if there is a file at the path. What cannot be looked at is not free.
func CheckFree(path string, root bool) error { return CheckFreeFor(path, root, "-f") }

// CheckFreeFor is CheckFree for a command that names the file with another option.
func CheckFreeFor(path string, root bool, option string) error {
	switch _, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return outcome.Usagef("%s cannot be looked at: %w%s; nothing was changed", path,
			outcome.Cause(err), outcome.AskRoot(root))
	}
	return outcome.Usagef("%s is there already, and is not overwritten: name another file with %s, "+
		"or give --force; nothing was changed", path, option)
}

// Mode is who may read the file: everybody, unless it holds arguments of programs, which may be
// secret. Tokens are never in it.
func Mode(file *config.File) fs.FileMode {
	if file.HAProxy.Extra != "" {
		return 0o600
	}
	for _, c := range file.HAProxy.Checks {
		if len(c.Exec) > 1 {
			return 0o600
		}
	}
	return 0o644
}

// Write puts a file at the path in one step, and returns when it is on the disk. Unless over is
// given nothing that is there is replaced. undo puts back what was there before.
func Write(path string, text []byte, mode fs.FileMode, over bool) (undo func() error, err error) {
	old, before := []byte(nil), mode
	info, err := os.Lstat(path)
	there := err == nil
	if there && over {
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is not a regular file", path)
		}
		before = info.Mode().Perm()
		if old, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	if err := put(path, text, mode, over); err != nil {
		return nil, err
	}
	return func() error {
		if there && over {
			return put(path, old, before, true)
		}
		return os.Remove(path)
	}, nil
}

func put(path string, text []byte, mode fs.FileMode, over bool) error {
	temporary := path + atomicfile.Suffix
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	switch {
	case err != nil:
	case over:
		err = os.Rename(temporary, path)
	default: // a link is never made over a file, and a rename would be
		if err = os.Link(temporary, path); err == nil {
			err = os.Remove(temporary)
		}
	}
	if err != nil {
		var link *os.LinkError
		if errors.As(err, &link) {
			err = &fs.PathError{Op: link.Op, Path: path, Err: link.Err}
		}
		if removing := os.Remove(temporary); !errors.Is(removing, fs.ErrNotExist) {
			err = errors.Join(err, removing)
		}
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(path))
}
