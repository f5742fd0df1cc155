package haproxy

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

// stop ends HAProxy: it lets connections finish for stop_grace, then has it terminate, then kills it; its master, its workers and
// those of before its last reloads. It goes by the processes that there are and needs neither a program nor a configuration nor
// valid parameters nor any file.
func (a *agent) stop(ctx context.Context) error {
	f := filesOf(ctx)
	remembered, known := f.load()
	if known {
		remembered.Stopping = true
		if err := f.save(remembered); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	// Before HAProxy takes no more connections: on a socket that is held and that nobody accepts on, clients would wait in vain.
	held := a.holdForStart(ctx, f)
	if !held {
		if err := a.dismiss(ctx, f); err != nil {
			return err
		}
	}
	a.withdraw(ctx, remembered) // first: an address goes by it to a node whose HAProxy serves, not to one that ends its connections
	if err := a.end(ctx, f, a.stopGrace); err != nil {
		return err
	}
	err := f.clear()
	if !held {
		err = errors.Join(err, remove(f.KeeperSocket(), f.KeeperCall(), f.KeeperCall()+".new", f.KeeperLink(), f.StandbyLink()))
	}
	if err != nil {
		return fmt.Errorf("HAProxy is stopped, but its files cannot be removed: %w", err)
	}
	return nil
}

// holdForStart has the keeper hold the listening sockets on, if Pacemaker is about to start the resource here again, as it does for a changed
// parameter: then that restart refuses nobody. HAProxy serves while Pacemaker is asked.
func (a *agent) holdForStart(ctx context.Context, f files) bool {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || !a.keeper || !a.holds(ctx, f) {
		return false
	}
	again, err := a.returns(ctx)
	if err != nil {
		call.Infof("it is not known whether the resource will be started here again: %v", err)
	}
	if !again {
		return false
	}
	if _, err := f.tell(ctx, "hold"); err != nil {
		call.Infof("the keeper does not hold HAProxy's sockets for the start: %v", err)
		return false
	}
	return true
}

// The time that a stop keeps for the phases after the grace.
const (
	termTime = 2 * time.Second
	killTime = time.Second
	// stopAgain is the pause before the same signal is sent again.
	stopAgain = 500 * time.Millisecond
)

// end ends all processes of the instance and returns when they are dead.
func (a *agent) end(ctx context.Context, f files, grace time.Duration) error {
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		left := deadline.Sub(now)
		// With little time left each phase gets its part of it, so that the last one is reached.
		grace = max(0, min(grace, left-min(termTime+killTime, left/2)))
	}
	softUntil := now.Add(grace)
	hardUntil := softUntil.Add(termTime)
	if deadline, ok := ctx.Deadline(); ok {
		hardUntil = earlier(hardUntil, softUntil.Add(deadline.Sub(softUntil)/2))
	}

	var sent syscall.Signal
	var at time.Time
	for {
		fam, err := a.find(f)
		if err != nil {
			return err
		}
		if fam.empty() {
			if fam, err = a.orphans(f); err != nil || fam.empty() {
				return err
			}
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
			ocf.CallFrom(ctx).Infof("HAProxy has not ended; sending %s to %s", unix.SignalName(signal), fam)
		}
		// The signal is sent again from time to time: a master that is executing itself anew does not hear it. HAProxy takes a
		// second one for nothing new.
		if sent != signal || signal == syscall.SIGKILL || time.Since(at) >= stopAgain {
			fam.signal(signal)
			if sent == signal && signal == syscall.SIGUSR1 {
				family{others: fam.others}.signal(signal) // whose master may hear nothing any more
			}
			sent, at = signal, time.Now()
		}
		fam.wait(ctx, earlier(until, at.Add(stopAgain)))
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// anyStopped is whether a process would not take a signal other than SIGKILL.
func (f family) anyStopped() bool {
	for _, m := range f.all() {
		if m.stat.Stopped() {
			return true
		}
	}
	return false
}

// deaf is whether only masters are left and one does not take the signals that it was sent: after a reload that failed, some HAProxies of
// end 2025 block them all for ever (HAProxy's issue 3229, in 3.2; seen with 3.4-dev1). It then does not hear of its workers' end either.
func (f family) deaf() bool {
	return len(f.others) == 0 && slices.ContainsFunc(f.masters, func(m member) bool {
		return procfs.Default.Pending(m.PID, syscall.SIGUSR1, syscall.SIGTERM)
	})
}

// String names the processes.
func (f family) String() string {
	names := make([]string, 0, len(f.masters)+len(f.others))
	for _, m := range f.masters {
		names = append(names, fmt.Sprintf("master %d (%c)", m.PID, m.stat.State))
	}
	for _, m := range f.others {
		names = append(names, fmt.Sprintf("worker %d (%c)", m.PID, m.stat.State))
	}
	return strings.Join(names, ", ")
}

// signal sends a signal to the family. A soft stop goes to the masters, who know what to do with it, and to workers that have
// none; everything else goes to all.
func (f family) signal(signal syscall.Signal) {
	for _, m := range f.all() {
		orphan := len(f.masters) == 0
		if signal != syscall.SIGUSR1 || m.stat.Session == m.PID || orphan {
			_ = m.signal(signal)
		}
	}
}

// signal sends a signal to this very process, and to none that got its id afterwards.
func (p process) signal(signal syscall.Signal) error {
	fd, err := p.open()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.PidfdSendSignal(fd, signal, nil, 0)
}

// open makes a descriptor of this very process.
func (p process) open() (int, error) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return -1, fmt.Errorf("pid %d: %w", p.PID, err)
	}
	// The descriptor is of whoever has the id now. If that is the process that was meant, it stays so.
	if v, err := procfs.Default.Stat(p.PID); err != nil || v.Start != p.Start {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("pid %d: %w", p.PID, procfs.ErrGone)
	}
	return fd, nil
}

// wait returns when one of the processes ends, or at the given time, or shortly after the context has ended.
func (f family) wait(ctx context.Context, until time.Time) {
	var fds []unix.PollFd
	for _, m := range f.all() {
		fd, err := m.open()
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
