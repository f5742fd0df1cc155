package keeper

import (
	"cmp"
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// watch is the keeper's loop. It returns when there is nothing to watch any more.
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
		s, ok := k.in.Load()
		if !ok || !s.Wanted() {
			return
		}
		cause := k.attend(ctx, s, func() bool { return k.owns(lock) })
		if errors.Is(cause, errStuck) || cause != nil && !k.bringBack(ctx, s, cause) {
			return
		}
	}
}

// owns reports whether the lock file is still the one that others would lock.
func (k *keeper) owns(lock *os.File) bool {
	ours, err := lock.Stat()
	theirs, err2 := os.Lstat(k.in.KeeperLock())
	return err == nil && err2 == nil && os.SameFile(ours, theirs)
}

// wait returns true when woken up, false when one of the descriptors is ready or the time is over.
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
	instance.Process
	fd int // of the process; -1 for none
}

func (w *worker) forget() {
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
	}
	*w = worker{fd: -1}
}

// follow starts watching another process.
func (w *worker) follow(pid, master int) {
	w.forget()
	v, err := procfs.Default.Stat(pid)
	if err != nil || v.Parent != master {
		return
	}
	p := instance.Process{PID: pid, Start: v.Start}
	if fd, err := p.Open(); err == nil {
		*w = worker{p, fd}
	}
}

// errHung means that HAProxy does not answer, or not always: if one of several threads spins, the
// connections that the others passed to it wait.
var errHung = errors.New("HAProxy hung and did not answer")

// symptoms counts, in a row, what suggests that HAProxy does not serve although its processes
// exist.
type symptoms struct{ silent, refused, stopped int }

// verdict returns what the symptoms mean, nil if nothing.
func (s symptoms) verdict() error {
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

// attend watches one HAProxy until it has to be brought back, which is the error, or until it may
// be another one or another keeper's, which is nil.
func (k *keeper) attend(ctx context.Context, s instance.State, owns func() bool) error {
	master, err := s.Master.Open()
	if err != nil {
		return errors.New("HAProxy's master ended")
	}
	defer func() { _ = unix.Close(master) }()
	w := worker{fd: -1}
	defer w.forget()
	var seen symptoms
	var load procfs.Times
	var silence time.Time // the last one
	doubts := 0
	unnoted := false // what the worker has loaded
	for ctx.Err() == nil && owns() {
		if doubts > 0 && time.Since(silence) > doubtTime {
			seen.silent, doubts = 0, 0
		}
		began, patience := time.Now(), askKeeping
		if doubts > 0 {
			patience /= 2
		}
		info, err := k.query(ctx, patience)
		took := time.Since(began)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			// If this process, or HAProxy, was not scheduled, the silence means nothing, for a
			// while.
			now := procfs.Default.Schedule(w.PID)
			if took < 2*patience && (doubts == 0 || !starved(load, now, took)) ||
				doubts > starvedFor {
				seen.silent++
			}
			load, silence = now, time.Now()
			doubts++
		case errors.Is(err, syscall.ECONNREFUSED) || err == nil && info.Stopping:
			seen.refused++
		case err == nil:
			seen.refused = 0
			if info.Pid != w.PID {
				w.follow(info.Pid, s.Master.PID)
				unnoted = true
			}
			if unnoted {
				if unnoted, err = k.noteWorker(ctx, s, info.Pid); err != nil {
					return err
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
			// It may be an old worker, after somebody else's reload.
			if info, err := k.query(ctx, instance.Shortly); err != nil || info.Pid == w.PID {
				return errors.New("HAProxy's worker ended")
			}
		}
	}
	return nil
}

// query asks HAProxy who it is, within the time.
func (k *keeper) query(ctx context.Context, most time.Duration) (client.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return k.refresh(ctx, false)
}

// ended reports whether the process of a descriptor has ended.
func ended(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(polled, 0)
	return n > 0
}

func frozen(pid int) bool {
	v, err := procfs.Default.Stat(pid)
	return err == nil && v.Stopped()
}

// starved reports whether a process was ready to run for most of the time and hardly did.
func starved(before, now procfs.Times, took time.Duration) bool {
	return now.Waited-before.Waited > took/2 && now.Ran-before.Ran < took/10
}

// asAction runs a function as an action of the resource, with the current parameters.
func (k *keeper) asAction(ctx context.Context,
	do func(context.Context, *instance.Instance) error) error {
	env, err := k.parameters()
	if err != nil {
		return err
	}
	a := k.agent()
	return a.Declare().Act(ctx, env, cmp.Or(k.in.KeepTime, keepTime),
		func(ctx context.Context) error { return do(ctx, a.Instance(k.in.Dir)) })
}

// sameWorker reports whether no other worker answers than the one that was watched.
func (k *keeper) sameWorker(ctx context.Context) bool {
	k.mu.Lock()
	watched := k.from
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, instance.Shortly)
	defer cancel()
	info, err := client.Runtime{Path: k.in.StatsSocket()}.Info(ctx)
	return err != nil || info.Pid == watched
}

// bringBack brings back a HAProxy that does not serve. It returns false when there is nothing to
// watch any more.
func (k *keeper) bringBack(ctx context.Context, watched instance.State, cause error) (goOn bool) {
	since := time.Now()
	goOn = true
	later := false
	// However long this takes: a client that waits longer than that is better refused.
	held := time.AfterFunc(instance.HoldTime, k.release)
	defer held.Stop()
	var handOver func()
	err := k.asAction(ctx, func(acting context.Context, in *instance.Instance) error {
		s, ok := k.in.Load()
		if !ok || !s.Wanted() {
			goOn = false
			return nil
		}
		if s.Master != watched.Master {
			return nil // somebody has brought it back
		}
		// One answer means nothing after two unanswered queries, unless it comes from another
		// worker.
		if hung := errors.Is(cause, errHung) && k.sameWorker(acting); !hung &&
			in.CheckHealth(acting) == nil {
			// A keeper that was killed between the launch of this HAProxy and the note of it.
			if err := in.Adopt(s); err != nil {
				ocf.CallFrom(acting).Warnf("HAProxy is another one than was noted: %v", err)
				later = true
			}
			return nil
		}
		err := in.BringBack(acting, s, since, cause)
		if err == nil {
			_, _ = k.query(acting, instance.KeeperPatience)
			return nil
		}
		goOn = false
		k.release() // before all else: nobody will accept what waits
		call := ocf.CallFrom(acting)
		call.Errorf("HAProxy is gone (%v) and the keeper does not bring it back: %v", cause, err)
		if errors.Is(err, instance.ErrUnmanaged) || errors.Is(err, instance.ErrNoCluster) ||
			errors.Is(err, instance.ErrIntended) {
			return nil
		}
		handOver = func() {
			if err := in.Fail(ctx, call.Instance, call.Node); err != nil {
				call.Errorf("cannot tell Pacemaker, whose next monitor will find it: %v", err)
			}
		}
		in.GiveUp(acting)
		return nil
	})
	if errors.Is(err, ocf.ErrOverrun) {
		k.abandon(ctx)
		return false
	}
	if handOver != nil {
		handOver() // not under the lock, which the recovery needs
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if err != nil || later {
		k.wait(askKeeping, nil) // another action is under way all the time, or /run is full
	}
	return goOn
}

// abandon gives HAProxy up while something that this process does for it hangs, with the lock of the
// instance: a read from a disk that is gone, a program in the kernel's hands. The kernel frees the
// lock when this process ends, which is next. The state is written without the lock: nobody else can
// have it.
func (k *keeper) abandon(ctx context.Context) {
	k.release()
	env, err := k.parameters()
	if err != nil {
		return
	}
	a := k.agent()
	bound, err := a.Declare().Bind(ctx, env)
	if err != nil {
		return
	}
	call, in := ocf.CallFrom(bound), a.Instance(k.in.Dir)
	call.Errorf("HAProxy is gone, and bringing it back hangs: leaving it to Pacemaker")
	in.GiveUp(bound) // so that the standby does not do the same again
	if err := in.Fail(bound, call.Instance, call.Node); err != nil {
		call.Errorf("cannot tell Pacemaker, whose next monitor will find it: %v", err)
	}
}
