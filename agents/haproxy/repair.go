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
	if !s.Adopted && !noFile && !noSocket && s.State.Pending == nil && s.State.Settings != "" {
		return nil
	}

	var errs []error
	if s.State.Settings == "" { // from an older agent, or the state was lost
		s.State.Settings = a.settings(ctx)
	}
	if s.Adopted {
		a.recall(ctx, in, &s.State)
	}
	if noFile || s.Adopted {
		call.Warnf("HAProxy's files in %s were gone or outdated while it ran (pid %d); writing "+
			"them again", in.Dir, s.State.Master.PID)
		errs = append(errs,
			in.WritePidfile(s.State.Master),
			in.WriteFragment(in.StatsSocket(), in.Given(), s.State.Env))
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
	err := a.settle(ctx, in, s)
	if err == nil && s.Pending != nil && s.Pending.Unasked {
		// what somebody is editing is not loaded for it
		if sources, _ := in.Sources(); client.Digest(sources) != s.Pending.Config {
			s.Pending = nil
		}
	}
	if err != nil || s.Pending == nil && !noSocket {
		return err
	}
	if p := s.Pending; p != nil && (p.Deadly || time.Since(p.Tried) < tryAgain &&
		time.Since(p.Tried) >= 0) {
		if sources, _ := in.Sources(); client.Digest(sources) == p.Config {
			return errors.New(p.Reason)
		}
	}
	if s.Pending == nil {
		return a.remakeSockets(ctx, in, s)
	}
	unasked := s.Pending.Unasked
	if err := a.takeOver(ctx, in, s); err != nil {
		s.Pending.Unasked = unasked
		return errors.New(s.Pending.Reason)
	}
	call.Infof("HAProxy has loaded the configuration %s", a.Conffile)
	return nil
}

// settle finds out what has become of a reload that took longer than its operation. The error is
// why the monitor is Degraded: HAProxy is still loading, or has not loaded what it should.
func (a *agent) settle(ctx context.Context, in *instance.Instance, s *instance.State) error {
	if !s.IsLoading() {
		return nil
	}
	decided, err := in.Decide(ctx, s)
	if !decided {
		return errors.New(s.Pending.Reason)
	}
	if err != nil {
		return errors.New(s.Pending.Reason)
	}
	ocf.CallFrom(ctx).Infof("HAProxy has loaded the configuration %s", a.Conffile)
	return nil
}

// remakeSockets has HAProxy make its sockets again, whose files were deleted. That takes a reload,
// and nobody has asked for one: it must not put into effect what somebody is editing.
func (a *agent) remakeSockets(ctx context.Context, in *instance.Instance,
	s *instance.State) error {
	call := ocf.CallFrom(ctx)
	sources, err := in.Sources()
	if err != nil {
		return fmt.Errorf("HAProxy's sockets are gone, and it cannot make new ones by a reload: %w",
			err)
	}
	hash := in.Hash(sources)
	switch {
	case in.IsNamed(sources, s.Served.Config), s.Served.Config == "" && !call.Clustered:
	case in.OnCopies(s.Master.PID) && instance.Exists(in.Copies()):
		call.Warnf("HAProxy's sockets in %s were deleted while it ran; reloading what it serves so "+
			"that it makes new ones", in.Dir)
		if err := in.RemakeSockets(ctx, s); err != nil {
			return fmt.Errorf("HAProxy's sockets are gone: %w", err)
		}
		return nil
	case s.Served.Config == "":
		return fmt.Errorf("HAProxy's sockets are gone; it is not known if it serves %s as it is "+
			"now (%s): load it with hawser reload", a.Conffile, hash)
	default:
		return fmt.Errorf("HAProxy's sockets are gone; it serves %s, and %s is %s now: load that "+
			"with hawser reload", s.Served.Config, a.Conffile, hash)
	}
	call.Warnf("HAProxy's sockets in %s were deleted while it ran; reloading it so that it makes "+
		"new ones", in.Dir)
	served := s.Served
	if err := a.takeOver(ctx, in, s); err != nil {
		reason := s.Pending.Reason
		s.Pending, s.Served = nil, served // no reload waits, which would load what is edited next
		return errors.New(reason)
	}
	return nil
}
