package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

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
	s, running, err := a.locate(f)
	if err != nil {
		return err
	}
	if !running {
		return errors.New("HAProxy does not run, so it cannot be reloaded")
	}
	if err := s.lifeless(); err != nil {
		return err
	}
	failure := a.takeOver(ctx, f, &s.state)
	if exists(f.stats()) {
		_, err = a.ask(ctx, f, s.state.Master)
	} else {
		err = a.workerLives(f, s.state.Master)
	}
	if err != nil {
		return errors.Join(failure, err)
	}
	if failure != nil {
		ocf.CallFrom(ctx).Errorf("%s", s.state.Pending.Reason)
	}
	if err := f.save(s.state); err != nil {
		ocf.CallFrom(ctx).Errorf("%v", err) // no reason to have a HAProxy that serves stopped
	}
	return nil
}

// takeOver reloads, and keeps in the state whether a reload is pending from now on.
func (a *agent) takeOver(ctx context.Context, f files, s *state) error {
	began := time.Now()
	sources, err := a.sources()
	if err == nil {
		err = a.tryReload(ctx, f, s, sources)
	}
	if err == nil {
		s.Pending = nil
		return nil
	}
	s.Pending = &pending{
		Reason: "the old configuration serves: " + inShort(err),
		Tried:  began, Config: digest(sources),
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
	gone := !exists(f.master()) || !exists(f.stats())
	stats := f.stats()
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
		return errors.Join(err, a.writeFragment(f, f.stats()))
	}
	if !gone {
		return client.Master{Path: f.master()}.Reload(ctx)
	}
	if err := a.reviveSockets(ctx, f, s, stats); err != nil {
		return errors.Join(err, a.writeFragment(f, f.stats()))
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
		return client.Master{Path: f.master()}.Procs(brief)
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
			return fmt.Errorf("HAProxy's sockets in %s are gone and do not come back: %w", f.dir, errors.Join(err, ctx.Err()))
		case <-time.After(askEvery):
		}
	}
	if err := rename(stats, f.stats()); err != nil {
		return err
	}
	return a.writeFragment(f, f.stats())
}

// portion is a context with a part of the time that is left.
func portion(ctx context.Context, part, of time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*part/of)
}
