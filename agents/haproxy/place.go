package haproxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hawser-ha/hawser/internal/ownpath"
)

// place returns the real path of the configuration: of the file that conffile names, with symbolic
// links followed.
func (a *agent) place() (string, error) {
	path, err := ownpath.Follow(a.Conffile)
	var others *ownpath.OpenError
	if errors.As(err, &others) {
		err = nothingThere(others)
	}
	if err != nil {
		return "", fmt.Errorf("conffile=%s: %w", a.Conffile, err)
	}
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("conffile=%s is not a single file, so none can be put in its place",
			a.Conffile)
	}
	info, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("conffile=%s: %w", a.Conffile, err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return "", open(filepath.Dir(path), info)
	}
	return path, nil
}

// open is the error for a directory that users other than root can change.
func open(path string, info fs.FileInfo) error {
	return nothingThere(&ownpath.OpenError{Path: path, Mode: info.Mode(), UID: ownpath.UID(info)})
}

func nothingThere(err *ownpath.OpenError) error { return fmt.Errorf("%w: nothing is put there", err) }
