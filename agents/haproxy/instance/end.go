package instance

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
	"github.com/hawser-ha/hawser/ocf"
)

// The time that a stop reserves for the phases after the grace.
const (
	termTime = 2 * time.Second
	killTime = time.Second
	// stopAgain is how long to wait before the same signal is sent again.
	stopAgain = 500 * time.Millisecond
)

// End ends all processes of the instance and returns when they are dead.
func (in *Instance) End(ctx context.Context, grace time.Duration) error {
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		left := deadline.Sub(now)
		// With little time left each phase gets a share of it, so that the last one is reached.
		grace = max(0, min(grace, left-min(termTime+killTime, left/2)))
	}
	softUntil := now.Add(grace)
	hardUntil := softUntil.Add(termTime)
	if deadline, ok := ctx.Deadline(); ok {
		hardUntil = earlierOf(hardUntil, softUntil.Add(deadline.Sub(softUntil)/2))
	}

	var sent syscall.Signal
	var at time.Time
	for {
		fam, err := in.findLeft()
		if err != nil || fam.Empty() {
			return err
		}
		signal, until := syscall.SIGKILL, time.Now().Add(100*time.Millisecond)
		switch now := time.Now(); {
		case fam.deaf():
		case now.Before(softUntil) && !fam.anyStopped():
			signal, until = syscall.SIGUSR1, softUntil
		case now.Before(hardUntil) && !fam.anyStopped():
			signal, until = syscall.SIGTERM, hardUntil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("these processes of HAProxy are still there: %s: %w", fam, err)
		}
		if sent != signal && signal != syscall.SIGUSR1 && grace > 0 {
			ocf.CallFrom(ctx).Infof("HAProxy has not ended; sending %s to %s",
				unix.SignalName(signal), fam)
		}
		// The signal is repeated: a master that is executing itself again does not receive it. A
		// second one means nothing new to HAProxy.
		if sent != signal || signal == syscall.SIGKILL || time.Since(at) >= stopAgain {
			fam.Signal(signal)
			if sent == signal && signal == syscall.SIGUSR1 {
				Family{Others: fam.Others}.Signal(signal) // whose master may hear nothing any more
			}
			sent, at = signal, time.Now()
		}
		fam.Wait(ctx, earlierOf(until, at.Add(stopAgain)))
	}
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// anyStopped reports whether a process would not take a signal other than SIGKILL.
func (f Family) anyStopped() bool {
	for _, m := range f.All() {
		if m.Stat.Stopped() {
			return true
		}
	}
	return false
}

// deaf reports whether only masters are left and one of them ignores the signals it was sent: after
// a failed reload, some HAProxies of end 2025 block all signals for ever (HAProxy's issue 3229, in
// 3.2; seen with 3.4-dev1). Such a master does not notice the end of its workers either.
func (f Family) deaf() bool {
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
