package haproxy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// place returns the real path of the configuration: of the file that conffile names, with symbolic
// links followed.
func (a *agent) place() (string, error) {
	path, err := follow(a.Conffile)
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

// mostLinks is how many symbolic links a path may lead through.
const mostLinks = 20

// follow returns the path without symbolic links. It refuses one on which anybody but root could put
// something else in place of a directory or a link. A directory with the sticky bit, such as /tmp, is
// acceptable if what is in it is root's. The last element need not exist.
func follow(path string) (string, error) {
	elements := func(path string) []string {
		return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	}
	at, rest := "/", elements(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if errors.Is(err, fs.ErrNotExist) && len(rest) == 0 {
			return next, nil
		}
		if err != nil {
			return "", err
		}
		isLink := info.Mode()&fs.ModeSymlink != 0
		if uid := info.Sys().(*syscall.Stat_t).Uid; (isLink || info.IsDir()) && uid != 0 &&
			int(uid) != os.Geteuid() {
			return "", open(next, info)
		}
		if info.IsDir() && info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return "", open(next, info)
		}
		if !isLink {
			at = next
			continue
		}
		if links++; links > mostLinks {
			return "", fmt.Errorf("%s leads through too many symbolic links", path)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(elements(target), rest...)
	}
	return at, nil
}

// open is the error for a directory or a link that users other than root can change.
func open(path string, info fs.FileInfo) error {
	return fmt.Errorf("users other than root can write to %s (%s of uid %d): nothing is put there", path,
		info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
}
