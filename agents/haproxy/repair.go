package haproxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// repair restores what was deleted under a running HAProxy, and does a pending reload. It returns
// the reason why the monitor is Degraded, nil if it is not.
func (a *agent) repair(ctx context.Context, in *instance.Instance, s *instance.Found) error {
	call := ocf.CallFrom(ctx)
	noFile, noSocket := !instance.Exists(in.Pidfile()) || !instance.Exists(in.Fragment()),
		!instance.Exists(in.StatsSocket()) || !instance.Exists(in.MasterSocket())
	if !s.Adopted && !noFile && !noSocket && s.State.Pending == nil {
		return nil
	}

	var errs []error
	if noFile || s.Adopted {
		call.Warnf("HAProxy's files in %s were gone or outdated while it ran (pid %d); writing "+
			"them again", in.Dir, s.State.Master.PID)
		errs = append(errs,
			in.WritePidfile(s.State.Master),
			in.WriteFragment(in.StatsSocket(), in.Given()))
	}
	var degraded error
	if noSocket || s.State.Pending != nil {
		degraded = a.catchUp(ctx, in, &s.State, noSocket)
	}
	errs = append(errs, in.Save(s.State))
	if err := errors.Join(errs...); err != nil && degraded == nil {
		degraded = fmt.Errorf("HAProxy runs, but its files cannot be written: %w", err)
	}
	return degraded
}

// catchUp reloads HAProxy because of a pending reload or of deleted sockets, unless that was tried
// a moment ago.
func (a *agent) catchUp(ctx context.Context, in *instance.Instance, s *instance.State,
	noSocket bool) error {
	call := ocf.CallFrom(ctx)
	if p := s.Pending; p != nil && (p.Deadly || time.Since(p.Tried) < tryAgain &&
		time.Since(p.Tried) >= 0) {
		if sources, _ := in.Sources(); client.Digest(sources) == p.Config {
			return errors.New(p.Reason)
		}
	}
	if noSocket {
		call.Warnf("HAProxy's sockets in %s were deleted while it ran; reloading it so that it "+
			"makes new ones", in.Dir)
	}
	if err := a.takeOver(ctx, in, s); err != nil {
		return errors.New(s.Pending.Reason)
	}
	call.Infof("HAProxy has loaded the configuration %s", a.Conffile)
	return nil
}
