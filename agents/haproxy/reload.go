package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// tryAgain is how long the monitor waits before it tries a pending reload again whose configuration has not changed: a missing
// certificate may have come, an address become free.
const tryAgain = time.Minute

// reload takes the configuration over without losing a connection. Pacemaker answers a failed reload by a stop and a start, and a
// start with a configuration that HAProxy refuses would end a HAProxy that serves well. So a reload that cannot be done is
// remembered: the old one goes on, the monitor is Degraded, and takes the configuration over when it can be. A reload
// fails only where HAProxy itself is not well.
func (a *agent) reload(ctx context.Context) error {
	f := filesOf(ctx)
	s, err := a.alive(ctx, f)
	if err != nil {
		return err
	}
	if s.adopted {
		s.state.Pushed = a.push.String() // what was ordered before is not known any more
	}
	wanted, answer := a.ordered(ctx, f, &s.state)
	if !wanted {
		a.keep(ctx, f)
		if err := f.save(s.state); err != nil {
			ocf.CallFrom(ctx).Errorf("%v", err) // as below: a full /run is no reason to have HAProxy restarted
		}
		return nil
	}
	failure := a.takeOver(ctx, f, &s.state)
	answer(failure)
	if exists(f.StatsSocket()) {
		_, err = a.ask(ctx, f, s.state.Master)
	} else {
		err = a.workerLives(f, s.state.Master)
	}
	if err != nil {
		waiting := s.state.Pending
		if s, ok := f.load(); a.keeper && ok && a.bringBack(ctx, f, s, time.Now(), err) == nil {
			err = a.remember(f, waiting)
		}
	}
	if err != nil {
		return errors.Join(failure, err)
	}
	defer a.keep(ctx, f)
	defer a.tellReloaded(ctx, f)
	if st, ok := f.load(); ok && st.Master != s.state.Master {
		ocf.CallFrom(ctx).Errorf("%v", failure)
		return nil
	}
	if failure != nil {
		ocf.CallFrom(ctx).Errorf("%s", s.state.Pending.Reason)
	}
	if err := f.save(s.state); err != nil {
		ocf.CallFrom(ctx).Errorf("%v", err) // no reason to have a HAProxy that serves stopped
	}
	return nil
}

// alive is the HAProxy that is to be reloaded, brought back if it has just died.
func (a *agent) alive(ctx context.Context, f files) (sighting, error) {
	for tries := 0; ; tries++ {
		s, running, err := a.locate(f)
		switch {
		case err == nil && running:
			err = s.lifeless()
		case err == nil:
			err = errors.New("HAProxy does not run, so it cannot be reloaded")
		}
		if err == nil {
			return s, nil
		}
		st, ok := f.load()
		if !ok || !a.keeper || tries > 0 {
			return sighting{}, err
		}
		if back := a.bringBack(ctx, f, st, time.Now(), err); back != nil {
			return sighting{}, fmt.Errorf("%w; and it is not brought back: %w", err, back)
		}
	}
}

// remember keeps a reload that could not be done because HAProxy died of it, or for another reason.
func (a *agent) remember(f files, waiting *pending) error {
	s, ok := f.load()
	if !ok || waiting == nil || len(s.Crashes) == 0 || !s.Crashes[len(s.Crashes)-1].Copies {
		return nil // it was brought back with the configuration that was to be loaded
	}
	s.Pending, s.Served = waiting, a.refuses(s.Served)
	return f.save(s)
}

// errDied is a HAProxy that ended during its reload.
var errDied = errors.New("HAProxy died when it was reloaded")

// whileAlive is a context that ends, with errDied, when the process does: a master that is dead answers to no reload.
func whileAlive(ctx context.Context, p process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	fd, err := p.open()
	if err != nil {
		cancel(errDied)
		return ctx, func() {}
	}
	go func() {
		defer func() { _ = unix.Close(fd) }()
		for ctx.Err() == nil {
			polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if n, _ := unix.Poll(polled, 20); n > 0 {
				cancel(errDied)
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// takeOver reloads, and keeps in the state whether a reload is pending from now on.
func (a *agent) takeOver(ctx context.Context, f files, s *state) error {
	began := time.Now()
	sources, err := a.sources()
	if err == nil {
		if err = a.expected(s.Served, sources); err != nil {
			checking, cancel := portion(ctx, 1, 2)
			if broken := a.checkConfig(checking, a.checked(f), s.Env); broken != nil {
				err = broken // what HAProxy says of it is of more use than that it is another one
			}
			cancel()
		}
	}
	deadly := false
	if err == nil {
		living, cancel := whileAlive(ctx, s.Master)
		if err = a.tryReload(living, f, s, sources); err != nil && errors.Is(context.Cause(living), errDied) {
			err, deadly = errDied, true
		}
		cancel()
	}
	if err == nil {
		s.Pending, s.Served = nil, a.takes(sources, s.Served)
		if now, err := a.sources(); err != nil || client.Digest(now) != client.Digest(sources) {
			s.Served.Config = "" // edited while HAProxy read it: nobody knows which of the two it has
		}
		if a.keeper { // at once: it may be holding a socket that the new configuration does not have
			_, _ = f.tell(ctx, "look")
		}
		return nil
	}
	s.Served = a.refuses(s.Served)
	s.Pending = &pending{
		Reason: oldServes + inShort(err),
		Tried:  began, Config: client.Digest(sources), Deadly: deadly,
	}
	return err
}

// inShort leaves out what the exit reason of a reload need not say, because Pacemaker 2.1.5 cuts it at 127 characters
// (EXIT_REASON_MAX_LEN) and HAProxy's complaint has to be among them.
func inShort(err error) string {
	var refused *client.CheckError
	if errors.As(err, &refused) {
		return refused.Complaint
	}
	return err.Error()
}

// tryReload checks first, so that a configuration that HAProxy refuses never gets near the one that runs.
func (a *agent) tryReload(ctx context.Context, f files, s *state, sources []client.Source) error {
	if names := missing(sources, s.Env); len(names) > 0 {
		return fmt.Errorf("it mentions %s, which HAProxy was not started with: restart the resource", strings.Join(names, " and "))
	}
	gone := !exists(f.MasterSocket()) || !exists(f.StatsSocket())
	stats := f.StatsSocket()
	if gone {
		stats = f.newStats(uint32(time.Now().UnixNano()))
	}
	if err := a.writeFragment(f, stats); err != nil {
		return err
	}
	ctx, cancel := portion(ctx, 3, 4)
	defer cancel()
	checking, checked := portion(ctx, 1, 2)
	defer checked()
	if err := a.checkConfig(checking, a.checked(f), s.Env); err != nil {
		return errors.Join(err, a.writeFragment(f, f.StatsSocket()))
	}
	if err := a.checkBindable(f, sources, s.Env); err != nil {
		return errors.Join(err, a.writeFragment(f, f.StatsSocket()))
	}
	undo := func() error { return nil }
	onCopies := f.onCopies(s.Master.PID)
	if onCopies {
		var err error
		if undo, err = a.keepCopies(f, sources); err != nil {
			return err
		}
	}
	var err error
	if gone {
		err = a.reviveSockets(ctx, f, s, stats)
	} else {
		err = client.Master{Path: f.MasterSocket()}.Reload(ctx)
	}
	if err != nil {
		return errors.Join(err, undo(), a.writeFragment(f, f.StatsSocket()))
	}
	if !onCopies {
		if _, err := a.keepCopies(f, sources); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	return nil
}

// signalAgain is how long a reload that was asked for by a signal may take to begin: HAProxy ignores the signal for a moment
// while it starts.
const signalAgain = 3 * time.Second

// reviveSockets makes sockets anew whose files were deleted. SIGUSR2 is the reload without a master socket. The master binds its
// own socket in every reload, but a new worker inherits the stats socket from the old one, bound to a path that no longer is
// there; so the fragment names a new path, and the socket is renamed afterwards.
func (a *agent) reviveSockets(ctx context.Context, f files, s *state, stats string) error {
	procsNow := func() (client.Procs, error) {
		brief, cancel := context.WithTimeout(ctx, briefly)
		defer cancel()
		return client.Master{Path: f.MasterSocket()}.Procs(brief)
	}
	reloads := -1 // the master answers on a socket that was deleted only after it has begun a reload
	if before, err := procsNow(); err == nil {
		reloads = before.Master.Reloads
	}
	var signalled time.Time
	for {
		procs, err := procsNow()
		begun := err == nil && procs.Master.Reloads > reloads
		if begun && procs.Failed > 0 {
			return &client.ReloadError{}
		}
		if begun {
			var info client.Info
			if info, err = (client.Runtime{Path: stats}).Info(ctx); err == nil {
				err = a.fit(info, s.Master)
			}
			if err == nil {
				break
			}
		} else if time.Since(signalled) > signalAgain {
			if err := s.Master.signal(syscall.SIGUSR2); err != nil {
				return fmt.Errorf("cannot reload HAProxy: %w", err)
			}
			signalled = time.Now()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("HAProxy's sockets in %s are gone and do not come back: %w", f.Dir, errors.Join(err, ctx.Err()))
		case <-time.After(askEvery):
		}
	}
	if err := rename(stats, f.StatsSocket()); err != nil {
		return err
	}
	return a.writeFragment(f, f.StatsSocket())
}

// portion is a context with a part of the time that is left.
func portion(ctx context.Context, part, of time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*part/of)
}
