package haproxy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// mend puts back what was deleted under a running HAProxy, and does a reload that is pending. What it returns is the reason why
// the monitor is Degraded, nil if it is not.
func (a *agent) mend(ctx context.Context, f files, s *sighting) error {
	call := ocf.CallFrom(ctx)
	noFile, noSocket := !exists(f.Pidfile()) || !exists(f.Fragment()), !exists(f.StatsSocket()) || !exists(f.MasterSocket())
	if !s.adopted && !noFile && !noSocket && s.state.Pending == nil {
		return nil
	}

	var errs []error
	if noFile || s.adopted {
		call.Warnf("HAProxy's files in %s were gone or outdated while it ran (pid %d); writing them again", f.Dir, s.state.Master.PID)
		errs = append(errs,
			writeFile(f.Pidfile(), fmt.Appendf(nil, "%d\n", s.state.Master.PID)),
			a.writeFragment(f, f.StatsSocket()))
	}
	var degraded error
	if noSocket || s.state.Pending != nil {
		degraded = a.catchUp(ctx, f, &s.state, noSocket)
	}
	errs = append(errs, f.save(s.state))
	if err := errors.Join(errs...); err != nil && degraded == nil {
		degraded = fmt.Errorf("HAProxy runs, but its files cannot be written: %w", err)
	}
	return degraded
}

// catchUp reloads, for the sake of a reload that could not be done before or of sockets that were deleted, unless that has been
// tried a moment ago.
func (a *agent) catchUp(ctx context.Context, f files, s *state, noSocket bool) error {
	call := ocf.CallFrom(ctx)
	if p := s.Pending; p != nil && (p.Deadly || time.Since(p.Tried) < tryAgain && time.Since(p.Tried) >= 0) {
		if sources, _ := a.sources(); client.Digest(sources) == p.Config {
			return errors.New(p.Reason)
		}
	}
	if noSocket {
		call.Warnf("HAProxy's sockets in %s were deleted while it ran; reloading it so that it makes new ones", f.Dir)
	}
	if err := a.takeOver(ctx, f, s); err != nil {
		return errors.New(s.Pending.Reason)
	}
	call.Infof("HAProxy has taken over the configuration %s", a.conffile)
	return nil
}

// rename is os.Rename with an error that says what it was for.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("cannot put HAProxy's socket in its place: %w", err)
	}
	return nil
}
