// Package pidfile writes a file with the id of a process for other programs, where it may be in a
// directory that others write to, and removes it again. It imports nothing of hawser; there is only
// this file.
package pidfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Write writes a file that others may read, as HAProxy does, in one step. It follows no
// symbolic link, and leaves alone what is no file, such as /dev/null.
func Write(path string, pid int) error {
	switch info, err := os.Lstat(path); {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("it is not a regular file but %s", info.Mode())
	case err == nil && pidIn(path) == pid:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	temporary := path + ".hawser"
	if err := remove(temporary); err != nil {
		return err
	}
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, pid)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return errors.Join(err, remove(temporary))
	}
	return nil
}

// Remove removes it if it still names the process.
func Remove(path string, pid int) error {
	if pid <= 0 || pidIn(path) != pid {
		return nil
	}
	return remove(path)
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// pidIn returns the number in a regular file, 0 if there is none.
func pidIn(path string) int {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0
	}
	const longest = 32
	text, _ := io.ReadAll(io.LimitReader(file, longest))
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}
