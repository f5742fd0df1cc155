// Package atomicfile writes files as a whole: a reader, and whatever comes after a crash, finds the
// previous content or the new one, and never a part.
//
// It imports nothing of hawser.
//
// Start reading here; over.go is for files where there may be no room, or others may have been.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Suffix is what a file's name has while it is being written. A write that was killed leaves such a
// file behind; the next one takes its place.
const Suffix = ".new"

// Write replaces a file in one step. It is meant for files that are rebuilt after a crash of the
// machine, such as those below /run: nothing waits for the disk. Errors are those of package os,
// which name the file.
func Write(path string, text []byte, mode fs.FileMode) error {
	temporary := path + Suffix
	if err := os.WriteFile(temporary, text, mode); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Replace replaces a file in one step, and returns when it is on the disk. It gets the owner and
// the mode of the file like; if there is no such file, it is owned by this process and has the given
// mode.
func Replace(path string, text []byte, like string, mode fs.FileMode) error {
	uid, gid := os.Geteuid(), os.Getegid()
	if info, err := os.Stat(like); err == nil {
		owner := info.Sys().(*syscall.Stat_t)
		mode, uid, gid = info.Mode().Perm(), int(owner.Uid), int(owner.Gid)
	}
	temporary := path + Suffix
	err := remove(temporary)
	if err == nil {
		err = writeSynced(temporary, text, mode, uid, gid)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return errors.Join(err, remove(temporary))
	}
	return nil
}

func writeSynced(path string, text []byte, mode fs.FileMode, uid, gid int) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Chown(uid, gid)
	}
	if err == nil {
		err = file.Chmod(mode)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SyncDir returns when renames in a directory are on the disk.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
