package haproxy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// watch is the keeper's loop. It returns when there is nothing to keep any more.
func (k *keeper) watch(ctx context.Context, lock *os.File) {
	for ctx.Err() == nil && k.owns(lock) {
		k.mu.Lock()
		holding := k.holding
		k.mu.Unlock()
		if !holding.IsZero() {
			left := time.Until(holding)
			if left <= 0 {
				return
			}
			k.wait(left, nil)
			continue
		}
		s, ok := k.f.load()
		if !ok || !s.kept() {
			return
		}
		if cause := k.attend(ctx, s); cause != nil && !k.act(ctx, s, cause) {
			return
		}
	}
}

// owns is whether the lock is still the one that others would ask for.
func (k *keeper) owns(lock *os.File) bool {
	ours, err := lock.Stat()
	theirs, err2 := os.Lstat(k.f.KeeperLock())
	return err == nil && err2 == nil && os.SameFile(ours, theirs)
}

// wait returns true when poked, false when one of the descriptors is ready or the time is over.
func (k *keeper) wait(most time.Duration, fds []int) bool {
	polled := []unix.PollFd{{Fd: int32(k.wake), Events: unix.POLLIN}}
	for _, fd := range fds {
		polled = append(polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	_, _ = unix.Poll(polled, int(most.Milliseconds())+1)
	if polled[0].Revents == 0 {
		return false
	}
	var count [8]byte
	_, _ = unix.Read(k.wake, count[:])
	return true
}

// worker is the worker that is watched.
type worker struct {
	process
	fd int // of the process; -1 for none
}

func (w *worker) forget() {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
	}
	*w = worker{fd: -1}
}

// follow makes another process the one that is watched.
func (w *worker) follow(pid, master int) {
	w.forget()
	v, err := procfs.Default.Stat(pid)
	if err != nil || v.Parent != master {
		return
	}
	p := process{PID: pid, Start: v.Start}
	if fd, err := p.open(); err == nil {
		*w = worker{p, fd}
	}
}

// errHung is a HAProxy that does not answer, or not always: with several threads, one that spins leaves the connections waiting that the
// others have given to it.
var errHung = errors.New("HAProxy hung and did not answer")

// signs are what speaks for a HAProxy that does not serve although its processes are there, one after the other.
type signs struct{ silent, refused, stopped int }

// verdict is what they mean.
func (s signs) verdict() error {
	switch {
	case s.silent >= unanswered:
		return errHung
	case s.stopped >= unanswered:
		return errors.New("HAProxy was stopped (SIGSTOP)")
	case s.refused >= unanswered:
		return errors.New("HAProxy took no more connections: somebody was stopping it")
	}
	return nil
}

// attend watches one HAProxy until it has to be acted for, which is the error, or until it may be another one, which is nil.
func (k *keeper) attend(ctx context.Context, s state) error {
	master, err := s.Master.open()
	if err != nil {
		return errors.New("HAProxy's master ended")
	}
	defer func() { _ = unix.Close(master) }()
	w := worker{fd: -1}
	defer w.forget()
	var seen signs
	var load procfs.Times
	var silence time.Time // the last one
	doubts := 0
	for ctx.Err() == nil {
		if doubts > 0 && time.Since(silence) > doubtTime {
			seen.silent, doubts = 0, 0
		}
		began, patience := time.Now(), askKeeping
		if doubts > 0 {
			patience /= 2
		}
		info, err := k.inquire(ctx, patience)
		took := time.Since(began)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			// Where this process itself was not let run, or HAProxy was not, the silence says nothing, for a while.
			now := procfs.Default.Schedule(w.PID)
			if took < 2*patience && (doubts == 0 || !starved(load, now, took)) || doubts > starvedFor {
				seen.silent++
			}
			load, silence = now, time.Now()
			doubts++
		case errors.Is(err, syscall.ECONNREFUSED) || err == nil && info.Stopping:
			seen.refused++
		case err == nil:
			seen.refused = 0
			if before := w.PID; info.Pid != before {
				w.follow(info.Pid, s.Master.PID)
				if before != 0 {
					k.foreignReload(ctx, s)
				}
			}
		}
		if frozen(s.Master.PID) || w.fd >= 0 && frozen(w.PID) {
			seen.stopped++
		} else {
			seen.stopped = 0
		}
		if cause := seen.verdict(); cause != nil {
			return cause
		}

		fds := []int{master}
		if w.fd >= 0 {
			fds = append(fds, w.fd)
		}
		pause := askKeeping - took
		if doubts > 0 {
			pause = min(pause, askKeeping/4)
		}
		if pause > 0 && k.wait(pause, fds) {
			return nil
		}
		switch {
		case ended(master):
			return errors.New("HAProxy's master ended")
		case w.fd >= 0 && ended(w.fd):
			// After a reload of somebody else's it may be an old worker.
			if info, err := k.inquire(ctx, shortly); err != nil || info.Pid == w.PID {
				return errors.New("HAProxy's worker ended")
			}
		}
	}
	return nil
}

// inquire asks HAProxy who it is, within the time.
func (k *keeper) inquire(ctx context.Context, most time.Duration) (client.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return k.refresh(ctx, false)
}

// foreignReload keeps copies of a configuration that HAProxy has taken over without the agent's doing.
func (k *keeper) foreignReload(ctx context.Context, watched state) {
	_ = k.under(ctx, func(_ context.Context, a *agent) error {
		s, ok := k.f.load()
		if !ok || s.Master != watched.Master || s.Pending != nil || k.f.onCopies(s.Master.PID) {
			return nil
		}
		sources, err := a.sources()
		if err == nil {
			_, err = a.keepCopies(k.f, sources)
		}
		return err
	})
}

// ended is whether the process of a descriptor has.
func ended(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(polled, 0)
	return n > 0
}

func frozen(pid int) bool {
	v, err := procfs.Default.Stat(pid)
	return err == nil && v.Stopped()
}

// starved is whether a process wanted to run for most of a time and got hardly any of it.
func starved(before, now procfs.Times, took time.Duration) bool {
	return now.Waited-before.Waited > took/2 && now.Ran-before.Ran < took/10
}

// under does something as an action of the resource, with the parameters in effect.
func (k *keeper) under(ctx context.Context, do func(context.Context, *agent) error) error {
	text, err := os.ReadFile(k.f.KeeperCall())
	if err != nil {
		return fmt.Errorf("the keeper does not know its parameters: %w", err)
	}
	getenv := ocf.Getenv(strings.Split(string(text), "\x00"))
	a := k.agent()
	return a.declare().Act(ctx, ocf.Env{Args: []string{keeperName, keeperName}, Getenv: getenv, Stdout: os.Stdout, Stderr: os.Stderr, LogName: keeperName},
		keepTime, func(ctx context.Context) error { return do(ctx, a) })
}

// same is whether no other worker than the one that was watched answers.
func (k *keeper) same(ctx context.Context) bool {
	k.mu.Lock()
	watched := k.from
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	info, err := client.Runtime{Path: k.f.StatsSocket()}.Info(ctx)
	return err != nil || info.Pid == watched
}

// act brings a HAProxy back that does not serve. It is false when there is nothing to keep any more.
func (k *keeper) act(ctx context.Context, watched state, cause error) (goOn bool) {
	since := time.Now()
	goOn = true
	var handOver func()
	err := k.under(ctx, func(acting context.Context, a *agent) error {
		s, ok := k.f.load()
		if !ok || !s.kept() {
			goOn = false
			return nil
		}
		if s.Master != watched.Master {
			return nil // somebody has brought it back
		}
		// That it answers once says nothing where it did not answer twice, unless it is another worker by now.
		if hung := errors.Is(cause, errHung) && k.same(acting); !hung && a.ill(acting, k.f) == nil {
			return nil
		}
		err := a.bringBack(acting, k.f, s, since, cause)
		if err == nil {
			_, _ = k.inquire(acting, keeperPatience)
			return nil
		}
		goOn = false
		k.release() // before all else: nobody will accept what waits
		call := ocf.CallFrom(acting)
		call.Errorf("HAProxy is gone (%v) and the keeper does not bring it back: %v", cause, err)
		if errors.Is(err, errUnmanaged) || errors.Is(err, errNoCluster) || errors.Is(err, errIntended) {
			return nil
		}
		handOver = func() {
			if err := a.fail(ctx, call.Instance, call.Node); err != nil {
				call.Errorf("cannot tell Pacemaker, whose next monitor will find it: %v", err)
			}
		}
		a.giveUp(acting, k.f)
		return nil
	})
	if handOver != nil {
		handOver() // not under the lock, which the recovery needs
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if err != nil {
		k.wait(askKeeping, nil) // another action is under way all the time
	}
	return goOn
}
