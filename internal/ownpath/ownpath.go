// Package ownpath follows a path that nobody but root and this user can lead elsewhere.
//
// It imports nothing of hawser. There is only this file.
package ownpath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrLinks says that a path leads through too many symbolic links, or around in a circle.
var ErrLinks = errors.New("it leads through too many symbolic links")

// mostLinks is how many symbolic links a path may lead through.
const mostLinks = 20

// OpenError is a directory or a symbolic link on the path that others could change.
type OpenError struct {
	Path string
	Mode fs.FileMode
	UID  int
	// Foreign says that it belongs to another user; otherwise others may write to it.
	Foreign bool
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("users other than root can write to %s (%s of uid %d)", e.Path, e.Mode, e.UID)
}

// Follow returns the path without symbolic links. The error is an *OpenError if a directory or link
// on it can be changed by others than root and this user; a directory with the sticky bit, such as
// /tmp, is acceptable if what is in it is ours. The last element need not exist, and what it is is
// left to the caller.
func Follow(path string) (string, error) {
	at, rest := "/", split(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case ".":
			continue
		case "..":
			at = filepath.Dir(at) // at has no links, so this is its parent, which has been checked
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
		if (isLink || info.IsDir()) && !Own(info) {
			return "", &OpenError{next, info.Mode(), UID(info), true}
		}
		if info.IsDir() && info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return "", &OpenError{next, info.Mode(), UID(info), false}
		}
		if !isLink {
			at = next
			continue
		}
		if links++; links > mostLinks {
			return "", fmt.Errorf("%s: %w", path, ErrLinks)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(split(target), rest...)
	}
	return at, nil
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// UID is the user that the file belongs to.
func UID(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

// Own reports whether the file belongs to root or to the user that runs this program, who is root on
// a cluster node.
func Own(info fs.FileInfo) bool { return UID(info) == 0 || UID(info) == os.Geteuid() }
