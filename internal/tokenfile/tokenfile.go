// Package tokenfile reads the file that holds a token, if only root can have read or written it.
//
// It imports internal/fault and internal/ownpath. There is only this file.
package tokenfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/ownpath"
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
	case !ownpath.Own(info):
		return "", fault.Errorf(fault.Denied, "token file %s belongs to uid %d: chown root:root %s",
			path, ownpath.UID(info), path)
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

// trusted returns the path without symbolic links, unless others could put another file in its place.
func trusted(path string) (string, error) {
	real, err := ownpath.Follow(path)
	var open *ownpath.OpenError
	switch {
	case errors.As(err, &open) && open.Foreign:
		return "", fault.Errorf(fault.Denied,
			"token file %s is not safe: %s belongs to uid %d, who could put another file in its "+
				"place: chown -h root %s", path, open.Path, open.UID, open.Path)
	case errors.As(err, &open):
		return "", fault.Errorf(fault.Denied,
			"token file %s is not safe: others may write to %s (mode %04o) and put another file in "+
				"its place: chmod go-w %s", path, open.Path, open.Mode.Perm(), open.Path)
	case errors.Is(err, ownpath.ErrLinks):
		return "", fault.Errorf(fault.NotInstalled, "token file %s: too many symbolic links", path)
	case err != nil:
		return "", unreadable(path, err)
	}
	return real, nil
}
