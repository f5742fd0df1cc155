package ocf

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	if !info.IsDir() || !own(info) || info.Mode().Perm()&0o022 != 0 {
		return Errorf(ErrPerm, "%s is not a directory that only uid %d can write (it is %s of "+
			"uid %d): remove it",
			path, os.Geteuid(), info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}
	return nil
}

// own reports whether a file belongs to the user of this process.
func own(info fs.FileInfo) bool {
	return int(info.Sys().(*syscall.Stat_t).Uid) == os.Geteuid()
}

// closeDir removes the right of others to write into a directory. Refusing to work instead would make
// every stop on this node fail; and whatever others may have put into it is checked separately, by
// owner and mode.
func (c *Call) closeDir(path string, mode fs.FileMode) (closed bool) {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 == 0 && own(info) {
		return false
	}
	if !own(info) && os.Lchown(path, os.Geteuid(), -1) != nil || os.Chmod(path, mode) != nil {
		return false
	}
	c.Warnf("others could write to %s (%s): that right was removed", path, info.Mode())
	return true
}

// recoverDir makes the directory of the instance usable although others could write to it, or put it
// there: what runs must be found and stopped, and a stop that is refused would have the node fenced.
// What others put into it is removed. Only a start refuses such a directory.
func (c *Call) recoverDir() {
	info, err := os.Lstat(c.Dir)
	if err != nil {
		return
	}
	if !info.IsDir() || !own(info) {
		aside := filepath.Join(c.rundir, "."+c.Instance+".foreign-"+
			strconv.FormatInt(time.Now().UnixNano(), 36))
		if err := os.Rename(c.Dir, aside); err == nil {
			c.Warnf("%s was not a directory of uid %d (%s): it is %s now", c.Dir, os.Geteuid(),
				info.Mode(), aside)
		}
		return
	}
	if !c.closeDir(c.Dir, 0o700) {
		return
	}
	entries, _ := os.ReadDir(c.Dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && !own(info) {
			c.Warnf("%s was put into %s by another user: it is removed", entry.Name(), c.Dir)
			_ = os.RemoveAll(filepath.Join(c.Dir, entry.Name()))
		}
	}
}

// hooks are what an action does beside the usual while it waits for the lock of its instance.
type hooks struct {
	// blocked is called once if the lock stays taken.
	blocked func(context.Context)
	// busy, if not nil, is the whole action if the lock stays taken for half of its time.
	busy func(context.Context, *Call) error
	// insists is set if the action goes on without the lock after half of its time.
	insists bool
}

// enter makes the directories and takes the lock of the instance, so that two actions at once on one
// instance come one after the other. The kernel drops the lock of a process that is killed.
//
// Where /run is full, or cannot be written, only a start is refused. All else goes on: without a
// lock if there is none to take.
func (c *Call) enter(ctx context.Context, h hooks) (leave func(), err error) {
	leave = func() {}
	c.closeDir(c.rundir, 0o755)
	made := makeDir(c.rundir, 0o755)
	var file *os.File
	if made == nil {
		file, made = c.openLock()
	}
	if made == nil {
		leave = func() { _ = file.Close() }
		switch err := flock(ctx, file, h); {
		case errors.Is(err, errTaken) && h.insists:
			c.Warnf("%s goes on although another action on %s is still under way", c.Action,
				c.Instance)
		case err != nil:
			leave()
			return nil, fmt.Errorf("cannot take the lock of %s, %s: %w", c.Instance, c.lockPath(), err)
		}
		if c.Action != "start" {
			c.recoverDir()
		}
		made = makeDir(c.Dir, 0o700)
	}
	if made == nil {
		made = room(c.Dir)
	}
	if made != nil && c.Action == "start" {
		leave()
		return nil, made
	}
	if c.hindered = made; made != nil && (c.Interval == 0 || c.Action != "monitor") {
		c.Warnf("%s goes on although nothing can be noted: %v", c.Action, made)
	}
	return leave, nil
}

// lockPath returns the file that is locked. It is beside the instance's directory, which a stop may
// remove, and is itself never removed: two processes must not lock two files of the same name.
func (c *Call) lockPath() string { return filepath.Join(c.rundir, "."+c.Instance+".lock") }

// openLock opens the file. One on a file system that cannot be written can still be locked. One that
// is not ours was put there when others could write to the directory, and is replaced: they could
// hold its lock for ever.
func (c *Call) openLock() (*os.File, error) {
	path := c.lockPath()
	if info, err := os.Lstat(path); err == nil && (!info.Mode().IsRegular() || !own(info)) {
		c.Warnf("%s was put there by another user (%s): it is removed", path, info.Mode())
		_ = os.RemoveAll(path)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, syscall.EROFS) {
		file, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock of the instance: %w", err)
	}
	return file, nil
}

// room returns an error if nothing can be written to a directory.
func room(dir string) error {
	var stat unix.Statfs_t
	_ = unix.Statfs(dir, &stat) // where that fails, whoever writes there will say what is wrong
	switch {
	case stat.Flags&unix.ST_RDONLY != 0:
		return fmt.Errorf("nothing can be written to %s: %w", dir, syscall.EROFS)
	case stat.Blocks > 0 && stat.Bfree == 0:
		return fmt.Errorf("nothing can be written to %s, which is full: free some space there", dir)
	case stat.Files > 0 && stat.Ffree == 0:
		return fmt.Errorf("nothing can be written to %s, which has no inode left: remove some files "+
			"there", dir)
	}
	return nil
}

// blockedAfter is how long a lock may be held by somebody else before hooks.blocked is called; less
// if there is little time.
const blockedAfter = time.Second

// errTaken means that somebody else held the lock for as long as was granted.
var errTaken = errors.New("another action on it was under way the whole time")

// flock waits for an exclusive lock until the context ends, or only half as long if the action can
// do without it.
func flock(ctx context.Context, file *os.File, h hooks) error {
	since := time.Now()
	ask := since.Add(blockedAfter)
	if deadline, ok := ctx.Deadline(); ok {
		left := deadline.Sub(since)
		ask = since.Add(min(blockedAfter, left/4))
		if h.insists || h.busy != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, left/2)
			defer cancel()
		}
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil || !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if h.blocked != nil && time.Now().After(ask) {
			h.blocked(ctx)
			h.blocked = nil
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errTaken, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
