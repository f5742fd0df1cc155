// Package tokenfile reads the file that holds a token, if only root can have read or written it.
//
// It imports internal/fault. There is only this file.
package tokenfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hawser-ha/hawser/internal/fault"
)

// maxToken is longer than any token, in bytes.
const maxToken = 4096

// Read reads the file that holds the token. It refuses a file that others could have read, and a
// path on which others could have put another file in its place.
func Read(path string) (string, error) {
	real, err := trusted(path)
	if err != nil {
		return "", err
	}
	// Non-blocking, so that a FIFO in its place cannot block the agent.
	file, err := os.OpenFile(real, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", unreadable(path, err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return "", unreadable(path, err)
	case !info.Mode().IsRegular():
		return "", fault.Errorf(fault.NotInstalled, "token file %s is not a file but %s", path,
			info.Mode())
	case !own(info):
		return "", fault.Errorf(fault.Denied, "token file %s belongs to uid %d: chown root:root %s",
			path, uid(info), path)
	case info.Mode().Perm()&0o177 != 0:
		return "", fault.Errorf(fault.Denied,
			"token file %s is open to others (mode %04o): chmod 0600 %s, and replace the token "+
				"if it "+
				"may have been read", path, info.Mode().Perm(), path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	if err != nil {
		return "", unreadable(path, err)
	}
	return Parse("token file "+path, text)
}

func unreadable(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Errorf(fault.NotInstalled,
			"token file %s is missing on this node: write the token into it (mode 0600, owner "+
				"root)", path)
	}
	var named *fs.PathError
	if errors.As(err, &named) {
		err = named.Err // the sentence names the file itself
	}
	return fault.Errorf(fault.NotInstalled, "token file %s cannot be read: %w", path, err)
}

// Parse extracts the token from a text: one word, with white space around it allowed. where
// completes "... is empty".
func Parse(where string, text []byte) (string, error) {
	token := string(bytes.TrimSpace(text))
	switch {
	case token == "":
		return "", fault.Errorf(fault.NotInstalled, "%s is empty: write the token into it", where)
	case len(text) > maxToken || strings.ContainsFunc(token, func(r rune) bool {
		return r <= ' ' || r > '~'
	}):
		return "", fault.Errorf(fault.NotInstalled,
			"%s holds more than a token: write the token into it, one word and nothing else", where)
	}
	return token, nil
}

// trusted follows the path, and each symbolic link on it, and refuses a directory or a link that
// anybody else could change. It returns the path without links. A directory with the sticky bit,
// such as /tmp, is acceptable if what is in it is ours.
func trusted(path string) (string, error) {
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
		if err != nil {
			return "", unreadable(path, err)
		}
		isLink := info.Mode()&fs.ModeSymlink != 0
		if !own(info) && (isLink || info.IsDir()) {
			return "", fault.Errorf(fault.Denied,
				"token file %s is not safe: %s belongs to uid %d, who could put another file in "+
					"its place: "+
					"chown -h root %s", path, next, uid(info), next)
		}
		if info.IsDir() && info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return "", fault.Errorf(fault.Denied,
				"token file %s is not safe: others may write to %s (mode %04o) and put another "+
					"file in its "+
					"place: chmod go-w %s", path, next, info.Mode().Perm(), next)
		}
		if !isLink {
			at = next
			continue
		}
		if links++; links > 20 {
			return "", fault.Errorf(fault.NotInstalled, "token file %s: too many symbolic links",
				path)
		}
		target, err := os.Readlink(next)
		if err != nil {
			return "", unreadable(path, err)
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

func uid(info fs.FileInfo) int { return int(info.Sys().(*syscall.Stat_t).Uid) }

// own reports whether the file belongs to root or to the user that runs the agent, who is root on a
// cluster node.
func own(info fs.FileInfo) bool { return uid(info) == 0 || uid(info) == os.Geteuid() }
