package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// onThread runs f on an operating-system thread of its own, which ends with it: f may change the
// thread's namespaces.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		// not unlocked after f: the runtime ends the thread with the goroutine
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// The first thread cannot end, and would make the whole process appear in a node's
			// namespaces. It stays locked here until another thread has done the work.
			defer runtime.UnlockOSThread()
			done <- onThread(f)
			return
		}
		done <- f()
	}()
	return <-done
}

// makeNetns makes a network namespace and binds it to the file.
func makeNetns(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return fmt.Errorf("lab: make the network namespace %s: %w", path, err)
	}
	_ = f.Close()
	err = onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind mount: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("lab: make the network namespace %s (as root?): %w", path, err)
	}
	return nil
}

// removeNetns releases the namespace; it ends with the last process in it. It is not an error if
// there is none.
func removeNetns(path string) error {
	for {
		err := unix.Unmount(path, unix.MNT_DETACH)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			return fmt.Errorf("lab: unmount %s: %w", path, err)
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("lab: remove the network namespace %s: %w", path, err)
	}
	return nil
}

// inNetns runs f in the network namespace bound to the file.
func inNetns(path string, f func() error) error {
	return onThread(func() error {
		ns, err := netns.GetFromPath(path)
		if err != nil {
			return fmt.Errorf("lab: open the network namespace %s: %w", path, err)
		}
		defer func() { _ = ns.Close() }()
		if err := netns.Set(ns); err != nil {
			return fmt.Errorf("lab: enter the network namespace %s: %w", path, err)
		}
		return f()
	})
}

// netnsInode returns the inode of the namespace bound to the file, 0 if none is.
func netnsInode(path string) uint64 {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil || fs.Type != unix.NSFS_MAGIC {
		return 0
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0
	}
	return st.Ino
}

// process identifies a running process by number and start time, so that a reused number is not
// taken for it.
type process struct {
	PID   int
	Start uint64 // clock ticks since the machine's boot, field 22 of /proc/PID/stat
}

func processOf(pid int) (process, error) {
	start, _, err := statOf(pid)
	return process{PID: pid, Start: start}, err
}

func statOf(pid int) (start uint64, state byte, err error) {
	s, err := procfs.Default.Stat(pid)
	return s.Start, s.State, err
}

func (p process) alive() bool {
	if p.PID <= 0 {
		return false
	}
	start, state, err := statOf(p.PID)
	if err != nil || start != p.Start {
		return false
	}
	if state != 'Z' && state != 'X' {
		return true
	}
	// The first thread also shows as a zombie while others are ending, and while another thread
	// executes a program and takes its place (execve(2)), such as the one that becomes systemd.
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }()
	ended, err := pollEnd(fd, 0)
	return err == nil && !ended
}

// pollEnd waits for so many milliseconds until the process and all its threads have ended.
func pollEnd(pidfd, ms int) (ended bool, err error) {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, ms)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return n > 0, err
}

// waitGone waits until the process and all its threads have ended; for the PID 1 of a namespace,
// until everything in it has.
func (p process) waitGone(ctx context.Context) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lab: watch process %d: %w", p.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if now, _, err := statOf(p.PID); err == nil && now != p.Start {
		return nil // the number belongs to another process now
	}
	for {
		ended, err := pollEnd(fd, 20)
		if err != nil {
			return fmt.Errorf("lab: watch process %d: %w", p.PID, err)
		}
		if ended {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("lab: process %d has not ended: %w", p.PID, ctx.Err())
		}
	}
}

func (p process) signal(s syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := unix.Kill(p.PID, s); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("lab: send %s to process %d: %w", s, p.PID, err)
	}
	return nil
}
