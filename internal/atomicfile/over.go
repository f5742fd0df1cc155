package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// WriteOver is Write, but where there is no room for another file, as in a full /run, it writes over
// the previous one if that has the room. A shorter text then has line ends behind it, which must mean
// nothing to a reader; and if this process is killed just then, the file may be lost.
func WriteOver(path string, text []byte, mode fs.FileMode) error {
	err := Write(path, text, mode)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		_ = os.Remove(path + Suffix)
		if overwrite(path, text) {
			return nil
		}
	}
	return err
}

// Reserve has a file keep room for so many bytes, if the file system can do that.
func Reserve(path string, room int64) {
	if file, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOFOLLOW, 0); err == nil {
		_ = unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, room)
		_ = file.Close()
	}
}

// overwrite writes over a file, if that needs no more room than the file has.
func overwrite(path string, text []byte) bool {
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil || info.Sys().(*syscall.Stat_t).Blocks*512 < int64(len(text)) {
		return false
	}
	padding := bytes.Repeat([]byte{'\n'}, max(0, int(info.Size())-len(text)))
	_, err = file.WriteAt(append(slices.Clip(text), padding...), 0)
	return err == nil // and not truncated, which would give up the room that the file keeps
}

// ReadOwn reads a regular file that this user owns and nobody else can write.
func ReadOwn(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.Mode().IsRegular() ||
		info.Mode().Perm()&0o022 != 0 || int(owner) != os.Geteuid() {
		return nil, fmt.Errorf("%s is not a file that only uid %d can write (it is %s of uid %d)",
			path, os.Geteuid(), info.Mode(), owner)
	}
	return io.ReadAll(file)
}
