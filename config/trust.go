package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errUntrusted is the error for a default file that another user has made or may change.
var errUntrusted = errors.New("name it with -f if it is meant")

// openDefault opens a file that nobody named. plan and apply run a program that hawser.yaml names,
// so in a directory of another user root must not come upon that user's file: the file and its
// directory, and those that a symbolic link leads to, have to be root's or the caller's own, and
// writable by nobody else.
func openDefault(path string) (*os.File, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(real)} {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, err
		}
		if dir == "." {
			dir = "the working directory"
		}
		if err := trusted(dir, info); err != nil {
			return nil, err
		}
	}
	// Non-blocking, because of FIFOs.
	file, err := os.OpenFile(real, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("it is not a file: %w", errUntrusted)
	}
	if err == nil {
		err = trusted("it", info)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// trusted returns an error if somebody else than root and the caller may change a file.
func trusted(what string, info fs.FileInfo) error {
	owner := -1
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = int(stat.Uid)
	}
	switch {
	case owner != 0 && owner != os.Geteuid():
		return fmt.Errorf("%s belongs to uid %d: %w", what, owner, errUntrusted)
	case info.Mode().Perm()&0o022 != 0:
		return fmt.Errorf("others may write to %s (mode %04o): %w", what, info.Mode().Perm(),
			errUntrusted)
	}
	return nil
}
