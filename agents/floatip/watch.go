package floatip

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/agents/companion"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// The watcher is a process beside an address on a LAN. A network manager that takes the address
// away, or an interface that loses its carrier, would go unnoticed until the next monitor; the
// watcher hears of it from the kernel, and reports the failure to Pacemaker. It changes nothing
// itself.
//
// A start leaves it behind, a recurring monitor starts it where it is missing, a stop ends it. It
// ends by itself when the address is no longer one that was started here, and when it has reported
// a failure: the recovery's start leaves another one. docs/decisions/0056.

// delays are how long the watcher waits before it reports; tests change them.
type delays struct {
	// away and down are how long an address must be away, or unable to serve, before that is
	// reported: whoever took it away may be about to put it back, and a link may only blink.
	away, down time.Duration
	// calm is how long after a report there is no other one: where a network manager takes the address
	// away each time, the cluster must not be kept busy with it, and has its monitors.
	calm time.Duration
}

func usualDelays() delays {
	return delays{away: 200 * time.Millisecond, down: 250 * time.Millisecond, calm: 30 * time.Second}
}

// How long the watcher waits otherwise.
const (
	// lookAgain is how long to wait for the next look where nothing changes, askAgain where it was
	// not possible to look or to report.
	lookAgain, askAgain = time.Minute, 5 * time.Second
	// actTime is how long an action on the address may be waited for, and reporting may take.
	actTime = 2 * time.Minute
	// succession is how long a new watcher waits for the previous one to end.
	succession = 5 * time.Second
)

// IsWatcher reports whether this process was started to watch an address.
func IsWatcher(args []string) bool { return len(args) == 1 && args[0] == contract.WatcherProcess }

// Watch watches the address that the environment describes, until it is stopped, and returns the
// exit code.
func Watch(ctx context.Context, version string) int {
	// ps and killall go by the program's file otherwise, which is the agent's
	_ = os.WriteFile("/proc/self/comm", []byte(contract.WatcherProcess), 0)
	changes, err := nic.NewChanges(nic.Links | nic.Addresses)
	if err == nil {
		defer changes.Close()
		w := newWatcher(version, os.Getenv, drivers(), pacemaker.Installed(), changes)
		err = w.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// watcher watches one address.
type watcher struct {
	*agent
	ocf     *ocf.Agent
	env     ocf.Env
	tools   pacemaker.Tools
	delays  delays
	changes interface {
		Wait(ctx context.Context, most time.Duration) error
	}
	said string // the last complaint, which is not repeated while it is all there is to say
}

func newWatcher(version string, getenv func(string) string, table []driver, t pacemaker.Tools,
	changes *nic.Changes) *watcher {
	a := &agent{drivers: table}
	return &watcher{
		agent: a, ocf: a.describe(version), tools: t, delays: usualDelays(), changes: changes,
		env: ocf.Env{Args: []string{contract.WatcherProcess, "watch"}, Getenv: getenv,
			Stdout: os.Stdout, Stderr: os.Stderr},
	}
}

// run watches until there is nothing to watch any more.
func (w *watcher) run(ctx context.Context) error {
	ctx, err := w.ocf.Bind(ctx, w.env)
	if err != nil {
		return err
	}
	lock, err := becomeWatcher(ctx, ocf.CallFrom(ctx).Dir)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil // another one watches
	}
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	for {
		next, err := w.examine(ctx)
		if err != nil || next == 0 {
			return err
		}
		if err := w.changes.Wait(ctx, next); err != nil {
			return err
		}
	}
}

// examine looks at the address, reports its loss, and returns how long to wait at most before the
// next look; 0 when there is nothing to watch any more.
func (w *watcher) examine(ctx context.Context) (next time.Duration, err error) {
	s := w.started(ctx)
	if s == nil {
		return 0, nil
	}
	patience, lost := w.lost(ctx, s)
	switch {
	case lost == nil:
		w.said = ""
		return lookAgain, nil
	case patience == 0:
		return askAgain, nil // not known
	}
	if wait := w.delays.calm - sinceReport(s.call.Dir); wait > 0 {
		return wait, nil
	}
	managed := make(chan error, 1) // asked meanwhile: clients wait
	go func() { managed <- w.tools.Managed(ctx) }()
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(patience):
	}
	if s = w.started(ctx); s == nil {
		return 0, nil
	}
	if patience, lost = w.lost(ctx, s); lost == nil || patience == 0 {
		return askAgain, nil
	}
	call := ocf.CallFrom(ctx)
	switch err := <-managed; {
	case errors.Is(err, pacemaker.ErrUnmanaged):
		w.complain(call, fmt.Errorf("%w; nothing is done about it, since %w", lost, err))
		return askAgain, nil
	case err != nil:
		w.complain(call, fmt.Errorf("%w; whether the cluster manages the address is not known: %w",
			lost, err))
		return askAgain, nil
	}
	return w.report(ctx)
}

// complain logs an error, once while it stays the same.
func (w *watcher) complain(call *ocf.Call, err error) {
	if err.Error() != w.said {
		call.Warnf("%v", err)
	}
	w.said = err.Error()
}

// report reports the loss, unless an action that was under way has explained it.
func (w *watcher) report(ctx context.Context) (next time.Duration, err error) {
	call := ocf.CallFrom(ctx)
	err = w.ocf.Act(ctx, w.env, actTime, func(ctx context.Context) error {
		s := w.started(ctx)
		if s == nil {
			return nil // a stop, or a monitor that has reported it itself
		}
		patience, lost := w.lost(ctx, s)
		if lost == nil || patience == 0 {
			next = askAgain
			return nil
		}
		if err := w.tools.Fail(ctx, call); err != nil {
			next = askAgain
			return fmt.Errorf("%w; that could not be reported: %w", lost, err)
		}
		call.Warnf("%v; reported to Pacemaker as a failure", lost)
		if err := noteReport(call.Dir); err != nil {
			call.Warnf("the next failure may be reported too soon: %v", err)
		}
		s.note(s.memory.lost)
		return nil
	})
	if errors.Is(err, ocf.ErrOverrun) {
		// What did not end still holds the lock of the instance, for as long as this process lives.
		return 0, err
	}
	if err != nil {
		w.complain(call, err)
		return askAgain, nil
	}
	return next, nil
}

// started returns the session of the address if it was started here and was here when that was last
// known, nil if there is nothing to watch.
func (w *watcher) started(ctx context.Context) *session {
	s, err := w.open(ctx, true)
	if err != nil || !s.memory.Held || s.memory.Started.IP != s.IP || !s.driver.watched {
		return nil
	}
	return s
}

// lost returns why the address does not serve here, nil if it does, and how long that has to last
// before it counts; no time if it is not known.
func (w *watcher) lost(ctx context.Context, s *session) (patience time.Duration, why error) {
	here, err := s.here(ctx)
	switch {
	case fault.Of(err) == fault.Broken && err != nil:
		return w.delays.down, err
	case err != nil:
		return 0, err
	case !here:
		return w.delays.away, fmt.Errorf("%s was here and no longer is (systemd-networkd, netplan "+
			"and NetworkManager may take away what they do not know)", s.IP)
	}
	return 0, nil
}

// reportNote is where the watcher notes when it last reported a failure, for the watcher that the
// recovery brings: the boot, and the time since it began.
func reportNote(dir string) string { return filepath.Join(dir, "watch.reported") }

func noteReport(dir string) error {
	boot, up := clock()
	return atomicfile.Write(reportNote(dir), fmt.Appendf(nil, "%s %d\n", boot, up), 0o600)
}

// sinceReport is how long ago that was; very long if there was none since this boot.
func sinceReport(dir string) time.Duration {
	text, _ := os.ReadFile(reportNote(dir))
	boot, up := clock()
	noted, at, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || boot == "" || noted != boot || time.Duration(n) > up {
		return math.MaxInt64
	}
	return up - time.Duration(n)
}

// watchLock is the lock that a watcher holds, with its process id in it.
func watchLock(dir string) string { return filepath.Join(dir, "watch.lock") }

// becomeWatcher returns the lock, EWOULDBLOCK if another watcher keeps it.
func becomeWatcher(ctx context.Context, dir string) (*os.File, error) {
	lock, err := os.OpenFile(watchLock(dir), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock of the watcher: %w", err)
	}
	for until := time.Now().Add(succession); ; {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) || ctx.Err() != nil {
			_ = lock.Close()
			return nil, fmt.Errorf("cannot take the lock of the watcher: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := lock.Truncate(0); err == nil {
		_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
		if err != nil {
			ocf.CallFrom(ctx).Warnf("a stop will not find the watcher: %v", err)
		}
	}
	return lock, nil
}

// watching returns the process that watches the address, 0 if none does.
func watching(dir string) int {
	lock, err := os.OpenFile(watchLock(dir), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return 0
	}
	defer func() { _ = lock.Close() }()
	if !errors.Is(syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB),
		syscall.EWOULDBLOCK) {
		return 0
	}
	text := make([]byte, 20)
	n, _ := lock.ReadAt(text, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	return pid
}

// ensureWatcher starts a watcher if there is none. Without one the next monitor notices.
func (a *agent) ensureWatcher(ctx context.Context, s *session) {
	if !s.driver.watched || a.watchWith == "" || !s.call.Clustered || watching(s.call.Dir) != 0 {
		return
	}
	if _, _, err := companion.Detach(a.watchWith, contract.WatcherProcess, a.watcherEnv(ctx)); err != nil {
		s.call.Warnf("the address is not watched between two monitors: %v", err)
	}
}

// watcherEnv is the environment of the watcher: this call's, without secrets, which an address on a
// LAN does not need.
func (a *agent) watcherEnv(ctx context.Context) []string {
	env := slices.DeleteFunc(ocf.CallFrom(ctx).Environ(a.described), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "OCF_RESKEY_"+contract.ParamToken || name == "OCF_RESKEY_"+contract.ParamOldToken
	})
	return append(env, companion.Environ()...)
}

// dismissWatcher ends the watcher, which would end by itself a moment later.
func dismissWatcher(dir string) {
	pid := watching(dir)
	if pid <= 1 || pid == os.Getpid() {
		return
	}
	// by its name, and not its arguments: those are in its memory, which may have to come from a disk
	if procfs.Default.Name(pid) == contract.WatcherProcess {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
}
