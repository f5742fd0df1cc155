package protect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// lock is the right to hold connections in one network namespace. The kernel releases it when the
// last process that has it is gone: the guard has it too, so that no other run begins before the
// guard of a killed run has cleaned up.
type lock struct{ file *os.File }

// BusyError says that another run holds connections.
type BusyError struct {
	PID     int
	Command string
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return "another hawser protect already holds connections"
	}
	return fmt.Sprintf("another hawser protect already holds connections: process %d, which runs "+
		"%s", e.PID, e.Command)
}

// clearingUp is how long the guard of a killed run may take to clean up.
const clearingUp = 2 * time.Second

func lockError(err error) error {
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return fmt.Errorf("the lock against a second run: %w: you are not root, try with sudo", err)
	}
	return fmt.Errorf("the lock against a second run: %w", err)
}

func takeLock(dir string, command []string) (*lock, error) {
	network, err := os.Readlink("/proc/self/ns/net") // net:[4026531840]
	if err != nil {
		return nil, fmt.Errorf("which network namespace is this: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, lockError(err)
	}
	inode := strings.Trim(strings.TrimPrefix(network, "net:"), "[]")
	path := filepath.Join(dir, ".protect-"+inode+".lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, lockError(err)
	}
	for deadline := time.Now().Add(clearingUp); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			_ = file.Close()
			return nil, fmt.Errorf("flock %s: %w", path, err)
		}
		busy := holder(file)
		if busy.PID != 0 || time.Now().After(deadline) {
			_ = file.Close()
			return nil, busy
		}
	}
	owner := fmt.Sprintf("%d %s %s\n", os.Getpid(), startTime(os.Getpid()),
		strings.Join(command, " "))
	if err := errors.Join(file.Truncate(0), second(file.WriteAt([]byte(owner), 0))); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return &lock{file}, nil
}

func second[T any](_ T, err error) error { return err }

// holder reads who has the lock. Its PID is 0 if that process is gone or has not written its name
// yet.
func holder(file *os.File) *BusyError {
	buffer := make([]byte, 4096)
	n, _ := file.ReadAt(buffer, 0)
	words := strings.SplitN(strings.TrimSpace(string(buffer[:n])), " ", 3)
	if len(words) < 3 {
		return &BusyError{}
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil || startTime(pid) != words[1] {
		return &BusyError{}
	}
	return &BusyError{PID: pid, Command: words[2]}
}

func (l *lock) release() { _ = l.file.Close() }

// startTime is when a process started, in clock ticks after the machine did, "" if it is gone or a
// zombie. Together with the process id it identifies a process for good.
func startTime(pid int) string {
	stat, err := procfs.Default.Stat(pid)
	if err != nil || stat.Dead() {
		return ""
	}
	return strconv.FormatUint(stat.Start, 10)
}
