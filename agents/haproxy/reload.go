package haproxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/ocf"
)

// tryAgain is how long the monitor waits before it retries a pending reload whose configuration has
// not changed: a missing certificate may have been installed, or an address become free.
const tryAgain = time.Minute

// reload has HAProxy load its configuration without losing a connection. Pacemaker reacts to a
// failed reload with a stop and a start, and a start with a configuration that HAProxy refuses
// would end a HAProxy that serves well. So a reload that cannot be done is remembered: the old
// configuration goes on, the monitor is Degraded, and retries the reload. A reload fails only if
// HAProxy itself is not well.
func (a *agent) reload(ctx context.Context) error {
	in := a.instance(ctx)
	in.NameNode(ctx)
	s, err := a.alive(ctx, in)
	if err != nil {
		return err
	}
	if s.Adopted {
		a.recall(ctx, in, &s.State)
		s.State.Pushed = a.push.String() // the previous order is no longer known
	}
	if err := a.settle(ctx, in, &s.State); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	pushed := a.push.String() != s.State.Pushed
	wanted, answer := a.followOrder(ctx, in, &s.State)
	wanted = wanted && (pushed || a.orders(ctx, &s.State))
	a.noteSettings(ctx, &s.State)
	unasked := !wanted
	if unasked {
		if wanted, err = a.siteToLoad(ctx, in, &s.State); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	if !wanted {
		a.keep(ctx, in)
		if err := in.Save(s.State); err != nil {
			// as below: a full /run is no reason to have HAProxy restarted
			ocf.CallFrom(ctx).Errorf("%v", err)
		}
		return nil
	}
	if s.State.Order = ""; pushed {
		s.State.Order = a.push.String()
	}
	failure := a.takeOver(ctx, in, &s.State)
	if failure != nil {
		s.State.Pending.Unasked = unasked
	}
	switch {
	case errors.Is(failure, instance.ErrLoading): // it is answered when the outcome is known
	case failure == nil && s.State.Served.Config == "":
		answer(instance.ErrUnknownLoaded)
	default:
		answer(failure)
	}
	if instance.Exists(in.StatsSocket()) {
		if _, _, err = in.QueryServers(ctx, s.State.Master, false); errors.Is(err, instance.ErrSilent) {
			ocf.CallFrom(ctx).Warnf("%v", err)
			err = nil
		}
	} else {
		err = in.CheckWorker(s.State.Master)
	}
	if err != nil {
		waiting := s.State.Pending
		if s, ok := in.Load(); a.Keeper && ok {
			s.Pending = waiting // what is saved may be from before the reload was given up
			if _, failed := in.BringBack(ctx, s, time.Now(), err); failed == nil {
				err = a.remember(ctx, in, waiting)
			}
		}
	}
	if err != nil {
		return errors.Join(failure, err)
	}
	defer a.keep(ctx, in)
	if st, ok := in.Load(); ok && st.Master != s.State.Master {
		if failure != nil {
			ocf.CallFrom(ctx).Errorf("%v", failure)
		}
		a.publishAfterReload(ctx, in, &st)
		return nil
	}
	if failure != nil {
		ocf.CallFrom(ctx).Errorf("%s", s.State.Pending.Reason)
	}
	if err := in.Save(s.State); err != nil {
		ocf.CallFrom(ctx).Errorf("%v", err) // no reason to have a HAProxy that serves stopped
	}
	a.publishAfterReload(ctx, in, &s.State)
	return nil
}

// alive returns the HAProxy to reload, brought back if it has just died.
func (a *agent) alive(ctx context.Context, in *instance.Instance) (instance.Found, error) {
	for tries := 0; ; tries++ {
		s, running, err := in.Locate()
		switch {
		case err == nil && running:
			err = s.CheckAlive()
		case err == nil:
			err = errors.New("HAProxy does not run, so it cannot be reloaded")
		}
		if err == nil {
			return s, nil
		}
		st, ok := in.Load()
		if !ok || !a.Keeper || tries > 0 {
			return instance.Found{}, err
		}
		if _, back := in.BringBack(ctx, st, time.Now(), err); back != nil {
			return instance.Found{}, fmt.Errorf("%w; and it is not brought back: %w", err, back)
		}
	}
}

// remember keeps a reload pending that failed because HAProxy died of it, or for another reason.
func (a *agent) remember(ctx context.Context, in *instance.Instance,
	waiting *instance.Pending) error {
	s, ok := in.Load()
	if !ok || len(s.Crashes) == 0 {
		return nil
	}
	if !s.Crashes[len(s.Crashes)-1].Copies { // it was brought back with what was to be loaded
		sources, _ := in.OnDisk()
		s.Served = in.Answered(s.Served, a.Generation, sources)
		if err := in.Save(s); err != nil {
			ocf.CallFrom(ctx).Errorf("%v", err) // no reason to have a HAProxy that serves stopped
		}
		return nil
	}
	if waiting == nil {
		return nil
	}
	s.Pending, s.Served = waiting, in.ServesStill(s.Served)
	return in.Save(s)
}

// takeOver reloads HAProxy, and records in the state whether a reload is pending from now on.
func (a *agent) takeOver(ctx context.Context, in *instance.Instance, s *instance.State) error {
	began := time.Now()
	env := s.Env
	s.Env = a.environment(ctx, env)
	sources, err := in.Sources()
	if err == nil {
		if err = in.CheckDemand(s.Served, sources); err != nil {
			checking, cancel := instance.Portion(ctx, 1, 2)
			if broken := in.CheckConfig(checking, in.ConfigPaths(), s.Env); broken != nil {
				err = broken // what HAProxy says about it is more useful than that it is a different one
			}
			cancel()
		}
	}
	deadly := false
	if err == nil {
		err = in.Reload(ctx, s, sources)
		deadly = errors.Is(err, instance.ErrDied)
	}
	if errors.Is(err, instance.ErrLoading) && !deadly {
		return err // and the state has it
	}
	if err == nil {
		// at once: it may be holding a socket that the new configuration does not have
		if a.Keeper {
			_, _ = in.AskKeeper(ctx, "look")
		}
		return nil
	}
	s.Env = env
	s.Served = in.ServesStill(s.Served)
	s.Pending = instance.NewPending(err, began, sources, deadly)
	return err
}
