// Package family finds the processes of one HAProxy on this machine and sends signals to them.
//
// Any user can give a process any name, arguments and environment. So a process is taken for one of
// the family by what only root can bring about: it is root's, or a child of such a master, or in the
// master's session, or in HAProxy's control group, or it has a socket that root bound in a directory
// of root's. See docs/decisions/0043-who-is-of-the-family.md.
//
// It imports internal/procfs. Start reading here; find.go looks for the processes.
package family

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// Process identifies a process for as long as this machine runs: its id is reused after it ended,
// its id together with its start time is not.
type Process struct {
	PID int `json:"pid"`
	// Start is when it started, in clock ticks since boot.
	Start uint64 `json:"start"`
	// Exe is its executable. The path stays the same when a package is upgraded while the process
	// runs.
	Exe string `json:"exe"`
}

// Signal sends a signal to this very process, never to one that got its id afterwards.
func (p Process) Signal(signal syscall.Signal) error {
	fd, err := p.Open()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.PidfdSendSignal(fd, signal, nil, 0)
}

// Open returns a descriptor of this very process.
func (p Process) Open() (int, error) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return -1, fmt.Errorf("pid %d: %w", p.PID, err)
	}
	// The descriptor belongs to whichever process has the id now. If that is the one we mean, it
	// stays so.
	if v, err := procfs.Default.Stat(p.PID); err != nil || v.Start != p.Start {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("pid %d: %w", p.PID, procfs.ErrGone)
	}
	return fd, nil
}

// Member is a process of the family.
type Member struct {
	Process
	Stat procfs.Stat
	// Args are its arguments, nil if they could not be read in time.
	Args []string
}

// Family are the processes of one HAProxy that are alive.
type Family struct {
	Masters []Member
	// Others are workers, old workers, and a HAProxy that is still starting.
	Others []Member
}

// All returns masters and others.
func (f Family) All() []Member { return slices.Concat(f.Masters, f.Others) }

// PIDs returns their process ids.
func (f Family) PIDs() []int {
	var pids []int
	for _, m := range f.All() {
		pids = append(pids, m.PID)
	}
	return pids
}

// Empty reports whether no process is alive.
func (f Family) Empty() bool { return len(f.Masters)+len(f.Others) == 0 }

// Has reports whether a process is one of the family.
func (f Family) Has(pid int) bool {
	return slices.ContainsFunc(f.All(), func(m Member) bool { return m.PID == pid })
}

// WorkersOf returns the members whose parent is the master.
func (f Family) WorkersOf(master int) []Member {
	var workers []Member
	for _, m := range f.Others {
		if m.Stat.Parent == master {
			workers = append(workers, m)
		}
	}
	return workers
}

// AnyStopped reports whether a process would not take a signal other than SIGKILL.
func (f Family) AnyStopped() bool {
	return slices.ContainsFunc(f.All(), func(m Member) bool { return m.Stat.Stopped() })
}

// Deaf reports whether only masters are left and one of them ignores the signals it was sent: after
// a failed reload, some HAProxies of end 2025 block all signals for ever (HAProxy's issue 3229, in
// 3.2; seen with 3.4-dev1). Such a master does not notice the end of its workers either.
func (f Family) Deaf() bool {
	return len(f.Others) == 0 && slices.ContainsFunc(f.Masters, func(m Member) bool {
		return procfs.Default.Pending(m.PID, syscall.SIGUSR1, syscall.SIGTERM)
	})
}

// String names the processes.
func (f Family) String() string {
	names := make([]string, 0, len(f.Masters)+len(f.Others))
	for _, m := range f.Masters {
		names = append(names, fmt.Sprintf("master %d (%c)", m.PID, m.Stat.State))
	}
	for _, m := range f.Others {
		names = append(names, fmt.Sprintf("worker %d (%c)", m.PID, m.Stat.State))
	}
	return strings.Join(names, ", ")
}

// Signal sends a signal to the family. A soft stop goes to the masters, which pass it on, and to
// workers without a master; any other signal goes to all.
func (f Family) Signal(signal syscall.Signal) {
	for _, m := range f.All() {
		orphan := len(f.Masters) == 0
		if signal != syscall.SIGUSR1 || m.Stat.Session == m.PID || orphan {
			_ = m.Signal(signal)
		}
	}
}

// Wait returns when one of the processes ends, or at the given time, or shortly after the context
// has ended.
func (f Family) Wait(ctx context.Context, until time.Time) {
	var fds []unix.PollFd
	for _, m := range f.All() {
		fd, err := m.Open()
		if err != nil {
			if errors.Is(err, procfs.ErrGone) || errors.Is(err, syscall.ESRCH) {
				return
			}
			continue
		}
		defer func() { _ = unix.Close(fd) }()
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	for ctx.Err() == nil {
		left := min(time.Until(until), 50*time.Millisecond)
		if left <= 0 {
			return
		}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if n > 0 || err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}
