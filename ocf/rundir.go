package ocf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// makeDir makes a runtime directory and refuses to use one that somebody else could have put there.
func makeDir(path string, mode fs.FileMode) error {
	if err := os.Mkdir(path, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		if errors.Is(err, fs.ErrPermission) {
			return Errorf(ErrPerm, "cannot make the runtime directory: %w: the agent must run as "+
				"root", err)
		}
		return fmt.Errorf("cannot make the runtime directory: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("cannot inspect the runtime directory: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return Errorf(ErrPerm, "%s is not a directory that only uid %d can write (it is %s of "+
			"uid %d): remove it",
			path, os.Geteuid(), info.Mode(), owner)
	}
	return nil
}

// closeDir removes the right of others to write into the directory of all instances, if it is ours.
// Refusing to work instead, as with the directory of an instance, would make every stop on this
// node fail; and whatever others may have put into it is checked separately, by owner and mode.
func (c *Call) closeDir() {
	info, err := os.Lstat(c.rundir)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 == 0 ||
		int(info.Sys().(*syscall.Stat_t).Uid) != os.Geteuid() {
		return
	}
	if err := os.Chmod(c.rundir, 0o755); err == nil {
		c.Warnf("others could write to %s (%s): that right was removed", c.rundir, info.Mode())
	}
}

// enter makes the directories and takes the lock of the instance, so that two actions at once on
// one instance come one after the other. The kernel drops the lock of a process that is killed.
func (c *Call) enter(ctx context.Context, blocked func(context.Context)) (leave func(), err error) {
	c.closeDir()
	if err := makeDir(c.rundir, 0o755); err != nil {
		return nil, err
	}
	// The file is beside the directory, which a stop may remove, and is itself never removed: two
	// processes must not lock two files of the same name.
	path := filepath.Join(c.rundir, "."+c.Instance+".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock of the instance: %w", err)
	}
	leave = func() { _ = file.Close() }
	if err := flock(ctx, file, blocked); err != nil {
		leave()
		return nil, fmt.Errorf("cannot take the lock of %s, %s: %w", c.Instance, path, err)
	}
	if err := makeDir(c.Dir, 0o700); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// blockedAfter is how long a lock may be held by somebody else before Agent.Blocked is called.
const blockedAfter = time.Second

// flock waits for an exclusive lock until the context ends. blocked, which may be nil, is called
// once if that takes long.
func flock(ctx context.Context, file *os.File, blocked func(context.Context)) error {
	since := time.Now()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if blocked != nil && time.Since(since) > blockedAfter {
			blocked(ctx)
			blocked = nil
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another action on it was under way the whole time: %w", ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
