package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/variables"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// ErrDied means that HAProxy died while it was being reloaded.
var ErrDied = errors.New("HAProxy died when it was reloaded")

// whileAlive returns a context that ends with ErrDied when the process does: a dead master answers
// no reload.
func whileAlive(ctx context.Context, p Process) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	fd, err := p.Open()
	if err != nil {
		cancel(ErrDied)
		return ctx, func() {}
	}
	go func() {
		defer func() { _ = unix.Close(fd) }()
		for ctx.Err() == nil {
			polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			if n, _ := unix.Poll(polled, 20); n > 0 {
				cancel(ErrDied)
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// Reload has HAProxy load the sources. It checks them first, so that a configuration that HAProxy
// refuses never gets near the running one. The state says afterwards what HAProxy serves.
func (in *Instance) Reload(ctx context.Context, s *State, sources []client.Source) error {
	living, cancel := whileAlive(ctx, s.Master)
	defer cancel()
	err := in.reloadWhileAlive(living, s, sources)
	if err != nil && errors.Is(context.Cause(living), ErrDied) {
		if errors.Is(err, ErrLoading) {
			return errors.Join(ErrDied, in.unprepare(s.Pending.Loading))
		}
		return ErrDied
	}
	return err
}

func (in *Instance) reloadWhileAlive(ctx context.Context, s *State, sources []client.Source) error {
	if names := variables.Missing(sources, s.Env); len(names) > 0 {
		return fmt.Errorf("it mentions %s, which HAProxy was not started with: restart the "+
			"resource", strings.Join(names, " and "))
	}
	given := in.Given()
	gone := !Exists(in.MasterSocket()) || !Exists(in.StatsSocket())
	stats := in.StatsSocket()
	if gone {
		stats = in.newStats(uint32(time.Now().UnixNano()))
	}
	// all that is needed to take it back comes before anything is written
	if err := in.ensureLastFragment(); err != nil {
		return err
	}
	last, err := os.ReadFile(in.LastFragment())
	if err != nil {
		return err
	}
	env := s.Env // or, where another site is to be taken over, what it was before
	if noted, ok := in.Load(); ok {
		env = noted.Env
	}
	undo := func() error {
		return errors.Join(in.WriteFragment(in.StatsSocket(), given, env), in.restoreLast(string(last)))
	}
	if err := in.WriteFragment(stats, given, s.Env); err != nil {
		return errors.Join(err, undo())
	}
	if err := in.WriteLastFragment(sources, s.Env); err != nil {
		return errors.Join(err, undo())
	}
	ctx, cancel := Portion(ctx, 3, 4)
	defer cancel()
	if err := in.checkBeforeReload(ctx, s, sources); err != nil {
		return errors.Join(err, undo())
	}
	if err := in.checkUnedited(sources); err != nil {
		return errors.Join(err, undo())
	}
	l, err := in.prepareLoading(ctx, s, sources, string(last))
	if err != nil {
		return errors.Join(err, undo())
	}
	in.MarkUnread()
	if gone {
		err = in.reviveSockets(ctx, s, stats, given)
	} else {
		err = in.request(ctx, s, sources, l)
	}
	switch {
	case err == nil:
		in.loaded(ctx, s, l, in.freshWorker(ctx), sources)
		return nil
	case errors.Is(err, ErrLoading):
		return err
	}
	return errors.Join(guess(err, s, sources), in.unprepare(l), undo())
}

// checkBeforeReload finds what would make HAProxy refuse the sources, or serve them only to a part
// of the clients.
func (in *Instance) checkBeforeReload(ctx context.Context, s *State, sources []client.Source) error {
	// The larger part of the time: HAProxy goes on loading when the time is over, and the check
	// does not.
	checking, cancel := Portion(ctx, 3, 4)
	defer cancel()
	began := time.Now()
	err := in.CheckConfig(checking, in.ConfigPaths(), s.Env)
	if call := ocf.CallFrom(ctx); err != nil && checking.Err() != nil && call.Action == "monitor" {
		return fmt.Errorf("checking %s takes longer than the %s that this monitor has for it: run "+
			"hawser reload, or raise the timeout of the monitor", in.Conffile,
			rounded(time.Since(began)))
	}
	if err != nil {
		return err
	}
	if err := errors.Join(checkRunnable(sources, s.Env),
		in.checkBindable(sources, s.Env)); err != nil {
		return err
	}
	return in.RefuseIntruders()
}

// signalAgain is after what time a reload by signal is requested again if it has not begun: HAProxy
// ignores the signal for a moment while it starts.
const signalAgain = 3 * time.Second

// RemakeSockets has HAProxy load the copies from which it runs once more, so that it makes sockets
// whose files were deleted.
func (in *Instance) RemakeSockets(ctx context.Context, s *State) error {
	living, cancel := whileAlive(ctx, s.Master)
	defer cancel()
	living, over := Portion(living, 3, 4)
	defer over()
	given := in.Given()
	stats := in.newStats(uint32(time.Now().UnixNano()))
	if err := in.WriteFragment(stats, given, s.Env); err != nil {
		return err
	}
	if err := in.reviveSockets(living, s, stats, given); err != nil {
		return errors.Join(err, in.WriteFragment(in.StatsSocket(), given, s.Env))
	}
	s.Served.Worker, s.Served.At = in.freshWorker(ctx), time.Now()
	return nil
}

// reviveSockets reloads HAProxy so that it makes sockets whose files were deleted. SIGUSR2 reloads
// without a master socket. The master binds its own socket at every reload, but a new worker
// inherits the stats socket, bound to a path that is gone; so the fragment names a new path, and
// the socket is renamed afterwards.
func (in *Instance) reviveSockets(ctx context.Context, s *State, stats string,
	given *systemd.Settings) error {
	procsNow := func() (client.Procs, error) {
		brief, cancel := context.WithTimeout(ctx, Briefly)
		defer cancel()
		return client.Master{Path: in.MasterSocket()}.Procs(brief)
	}
	// the master answers on a deleted socket only after it has begun a reload
	reloads := -1
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
				err = in.checkAnswer(info, s.Master)
			}
			if err == nil {
				break
			}
		} else if time.Since(signalled) > signalAgain {
			if err := s.Master.Signal(syscall.SIGUSR2); err != nil {
				return fmt.Errorf("cannot reload HAProxy: %w", err)
			}
			signalled = time.Now()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("HAProxy's sockets in %s are gone and do not come back: %w", in.Dir,
				errors.Join(err, ctx.Err()))
		case <-time.After(AskEvery):
		}
	}
	if err := rename(stats, in.StatsSocket()); err != nil {
		return err
	}
	return in.WriteFragment(in.StatsSocket(), given, s.Env)
}

// Complaint shortens an error for an exit reason to HAProxy's own complaint: Pacemaker 2.1.5 cuts
// exit reasons at 127 characters (EXIT_REASON_MAX_LEN).
func Complaint(err error) string {
	var refused *client.CheckError
	if errors.As(err, &refused) {
		return refused.Complaint
	}
	var kept *client.ReloadError
	if errors.As(err, &kept) && kept.Complaint != "" {
		return kept.Complaint
	}
	return err.Error()
}

// Portion returns a context that has a part of the time that is left.
func Portion(ctx context.Context, part, of time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)*part/of)
}

// rename is os.Rename with an error that says what it was for.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("cannot put HAProxy's socket in its place: %w", err)
	}
	return nil
}
