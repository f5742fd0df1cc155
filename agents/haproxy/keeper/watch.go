package keeper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/pulse"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
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
		s, ok := k.state()
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

// state returns what is noted of HAProxy, or what could not be noted because /run is full.
func (k *keeper) state() (s instance.State, ok bool) {
	// one that is being written over, for want of room, may not be whole for a moment
	for tries := 0; tries < 3; tries++ {
		if s, ok = k.in.Load(); ok || !instance.Exists(k.in.State()) {
			break
		}
		time.Sleep(instance.AskEvery)
	}
	if k.unsaved == nil {
		return s, ok
	}
	if ok && (s.Master == k.unsaved.Master || !s.Wanted()) {
		k.unsaved = nil
		return s, ok
	}
	if fd, err := k.unsaved.Master.Open(); err == nil {
		_ = unix.Close(fd)
		return *k.unsaved, true
	}
	return s, ok
}

// symptoms counts, in a row, what suggests that HAProxy does not serve although its processes
// exist.
type symptoms struct{ refused, stopped int }

// verdict returns what the symptoms mean, nil if nothing.
func (s symptoms) verdict() error {
	switch {
	case s.stopped >= seenTwice:
		return errors.New("HAProxy was stopped (SIGSTOP)")
	case s.refused >= seenTwice:
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
	in := k.bound(ctx)
	quiet := silence{limit: cmp.Or(in.HangTime, contract.DefaultHangTime)}
	defer k.setSilent(time.Time{})
	unnoted := false // what the worker has loaded
	for ctx.Err() == nil && owns() {
		began, patience := time.Now(), askKeeping
		if quiet.doubtful() {
			patience /= 2
		}
		info, err := k.query(ctx, patience)
		took := time.Since(began)
		switch {
		case instance.Unanswered(err):
			if w.PID == 0 { // it has not answered since this keeper watches
				w.follow(in.PresentWorker(s.Master), s.Master.PID)
			}
			quiet.unanswered(began, w.PID, took >= 2*patience)
		case errors.Is(err, syscall.ECONNREFUSED):
			seen.refused++
		case err == nil && info.Stopping:
			if !in.IsOld(ctx, info.Pid) {
				seen.refused++
			}
		case err == nil:
			seen.refused = 0
			quiet.answered()
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
		k.setSilent(quiet.since)
		if frozen(s.Master.PID) || w.fd >= 0 && frozen(w.PID) {
			seen.stopped++
		} else {
			seen.stopped = 0
		}
		if cause := seen.verdict(); cause != nil {
			return cause
		}
		if quiet.tooLong() {
			if !pulse.LivesWhenPoked(ctx, w.PID) {
				return fmt.Errorf("HAProxy hung and did not answer for %s",
					time.Since(quiet.since).Round(100*time.Millisecond))
			}
			quiet.alive()
		}
		if quiet.worthTelling() {
			k.warn(ctx, "HAProxy has not answered for %s%s, but goes on working: leaving it alone",
				time.Since(quiet.since).Round(time.Second), in.Descriptors(w.PID))
		}

		fds := []int{master}
		if w.fd >= 0 {
			fds = append(fds, w.fd)
		}
		pause := askKeeping - took
		if quiet.doubtful() {
			pause = min(pause, askKeeping/4)
		}
		if pause > 0 && k.wait(pause, fds) {
			return nil
		}
		switch {
		case ended(master):
			return errors.New("HAProxy's master ended")
		case w.fd >= 0 && ended(w.fd):
			// It may be an old worker, after somebody else's reload. The present one may be slow.
			info, err := k.query(ctx, instance.Shortly)
			if present := in.PresentWorker(s.Master); instance.Unanswered(err) && present != 0 &&
				present != w.PID {
				w.follow(present, s.Master.PID)
				unnoted = true
			} else if err != nil || info.Pid == w.PID {
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

// call returns a call with the current parameters for work that needs no lock, nil if they are not
// known.
func (k *keeper) call(ctx context.Context) (context.Context, *instance.Instance) {
	env, err := k.parameters()
	if err != nil {
		return nil, nil
	}
	a := k.agent()
	bound, err := a.Declare().Bind(ctx, env)
	if err != nil {
		return nil, nil
	}
	return bound, a.Instance(k.in.Dir)
}

// bound returns the instance with the parameters as they are now, or without any if they are not
// known.
func (k *keeper) bound(ctx context.Context) *instance.Instance {
	if _, in := k.call(ctx); in != nil {
		return in
	}
	return k.in
}

// warn writes to the log.
func (k *keeper) warn(ctx context.Context, format string, args ...any) {
	if bound, _ := k.call(ctx); bound != nil {
		ocf.CallFrom(bound).Warnf(format, args...)
	}
}

func (k *keeper) setSilent(since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.silent = since
}

func (k *keeper) setBusy(since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = since
}

// bringBack brings back a HAProxy that does not serve. It returns false when there is nothing to
// watch any more.
func (k *keeper) bringBack(ctx context.Context, watched instance.State, cause error) (goOn bool) {
	since := time.Now()
	k.setBusy(since)
	defer k.setBusy(time.Time{})
	goOn = true
	later := false
	// However long this takes: a client that waits longer than that is better refused.
	held := time.AfterFunc(instance.HoldTime, k.release)
	defer held.Stop()
	var handOver func()
	err := k.asAction(ctx, func(acting context.Context, in *instance.Instance) error {
		s, ok := k.state()
		if !ok || !s.Wanted() {
			goOn = false
			return nil
		}
		if s.Master != watched.Master {
			return nil // somebody has brought it back
		}
		if in.CheckHealth(acting) == nil {
			// A keeper that was killed between the launch of this HAProxy and the note of it.
			if err := in.Adopt(s); err != nil {
				ocf.CallFrom(acting).Warnf("HAProxy is another one than was noted: %v", err)
				later = true
			}
			return nil
		}
		s, err := in.BringBack(acting, s, since, cause)
		if err == nil {
			k.unsaved = &s // until it is seen to have been noted
			_, _ = k.query(acting, instance.KeeperPatience)
			return nil
		}
		goOn = false
		k.release() // before all else: nobody will accept what waits
		call := ocf.CallFrom(acting)
		call.Errorf("HAProxy is gone (%v) and the keeper does not bring it back: %v", cause, err)
		if errors.Is(err, pacemaker.ErrUnmanaged) || errors.Is(err, pacemaker.ErrNoCluster) ||
			errors.Is(err, instance.ErrIntended) {
			return nil
		}
		why := err
		if !errors.Is(err, cause) {
			why = fmt.Errorf("%w; it cannot be started again: %w", cause, err)
		}
		handOver = func() { in.HandOver(ctx, call, instance.Complaint(why)) }
		in.GiveUp(acting)
		return nil
	})
	if errors.Is(err, ocf.ErrOverrun) {
		k.abandon(ctx, cause)
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
func (k *keeper) abandon(ctx context.Context, cause error) {
	k.release()
	bound, in := k.call(ctx)
	if in == nil {
		return
	}
	call := ocf.CallFrom(bound)
	call.Errorf("HAProxy is gone, and bringing it back hangs: leaving it to Pacemaker")
	in.GiveUp(bound) // so that the standby does not do the same again
	in.HandOver(bound, call, instance.Complaint(fmt.Errorf("%w; starting it again hangs", cause)))
}
