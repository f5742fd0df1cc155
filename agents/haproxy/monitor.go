package haproxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/keeper"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// monitor answers Stopped only when no process of the instance is alive. In the steady state it
// starts no process, searches none, and costs one exchange with the stats socket.
func (a *agent) monitor(ctx context.Context, check ocf.Check) (ocf.State, error) {
	if !a.mayBringBack(ctx, check) {
		return a.observe(ctx, check, false)
	}
	in := a.instance(ctx)
	watched := in.HasKeeper(ctx)
	state, err := a.observe(ctx, check, watched)
	switch {
	case errors.Is(err, instance.ErrUnsure):
		// The keeper queries HAProxy every second, and waits for the lock that this monitor holds.
		if silence := in.KeeperSays(ctx, keeper.Silent); silence > in.HangTime/2 {
			return ocf.Degraded, fmt.Errorf("HAProxy has not answered for %s: %w",
				silence.Round(time.Second), err)
		}
		ocf.CallFrom(ctx).Warnf("this is left to the keeper: %v", err)
		return ocf.Running, nil
	case state != ocf.Stopped && (err == nil || state == ocf.Degraded):
		if !watched || !in.KeeperKnows(ocf.CallFrom(ctx).Node) {
			a.keep(ctx, in)
		}
		return a.reportCrash(ctx, in, state, err)
	}
	if !a.bringBack(ctx, in) {
		return state, err
	}
	if state, err = a.observe(ctx, check, watched); err != nil && state != ocf.Degraded {
		return state, err
	}
	return a.reportCrash(ctx, in, state, err)
}

// mayBringBack reports whether this monitor is to bring back a HAProxy that has crashed: only the
// cluster's recurring monitor does, in place of a keeper.
func (a *agent) mayBringBack(ctx context.Context, check ocf.Check) bool {
	return a.Keeper && check.Action == "monitor" && !check.Probe && ocf.CallFrom(ctx).Clustered
}

// bringBack brings back a HAProxy that crashed. It returns false if the monitor's own finding
// stands.
func (a *agent) bringBack(ctx context.Context, in *instance.Instance) bool {
	s, ok := in.Load()
	if !ok || !s.Wanted() {
		return false
	}
	cause := in.CheckHealth(ctx)
	if cause == nil {
		return false // HAProxy itself is fine
	}
	_, err := in.BringBack(ctx, s, time.Now(), cause)
	if err == nil {
		a.keep(ctx, in)
		return true
	}
	ocf.CallFrom(ctx).Errorf("HAProxy is gone (%v) and is not brought back: %v", cause, err)
	if ended := in.DismissKeeper(ctx); ended != nil {
		ocf.CallFrom(ctx).Warnf("%v", ended)
	}
	if !errors.Is(err, pacemaker.ErrUnmanaged) {
		in.GiveUp(ctx)
	}
	return false
}

// reportCrash adds to the result of a monitor that HAProxy has crashed since the last one.
func (a *agent) reportCrash(ctx context.Context, in *instance.Instance, found ocf.State,
	reason error) (ocf.State, error) {
	s, ok := in.Load()
	if !ok || reason != nil {
		return found, reason
	}
	notice := s.CrashNotice()
	if notice == nil {
		return found, reason
	}
	if err := in.Save(s); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	return ocf.Degraded, notice
}

// observe is the monitor itself.
func (a *agent) observe(ctx context.Context, check ocf.Check, watched bool) (ocf.State, error) {
	in := a.instance(ctx)
	if check.Action == "stop" {
		fam, err := in.Find()
		if err != nil || !fam.Empty() {
			return ocf.Running, err
		}
		return ocf.Stopped, nil
	}
	s, running, err := in.Locate()
	if err != nil || !running {
		return ocf.Stopped, err
	}
	if err := s.CheckAlive(); err != nil {
		return ocf.Running, err
	}
	if check.Probe {
		return a.probe(ctx, in, s)
	}

	if !instance.Exists(in.StatsSocket()) {
		if err := in.CheckWorker(s.State.Master); err != nil {
			return ocf.Running, err
		}
	}
	var degraded error
	if check.Action == "monitor" {
		if degraded = a.repair(ctx, in, &s); degraded == nil {
			degraded = a.followSite(ctx, in, &s.State)
		}
	}
	if !instance.Exists(in.StatsSocket()) {
		if degraded == nil {
			degraded = fmt.Errorf("HAProxy's stats socket %s is gone", in.StatsSocket())
		}
		return ocf.Degraded, degraded
	}
	servers, worker, err := in.QueryServers(ctx, s.State.Master, watched)
	switch {
	case degraded != nil && (errors.Is(err, instance.ErrSilent) || errors.Is(err, instance.ErrUnsure)):
		return ocf.Degraded, degraded
	case errors.Is(err, instance.ErrSilent) && check.Action == "monitor":
		return ocf.Degraded, err
	}
	if err != nil || check.Action == "start" {
		return ocf.Running, err
	}
	a.noteWorker(ctx, in, &s.State, worker)
	a.publishByResource(ctx, in, &s.State)
	a.publish(ctx, in, &s.State, countServers(servers))
	a.publishLoaded(ctx, in, &s.State)
	if failing := a.judge(ctx, in, check, &s.State, servers, watched); degraded == nil {
		degraded = failing
	}
	a.countWell(ctx, in, &s.State)
	if unknown := a.unknownChecks(); degraded == nil && unknown != nil {
		degraded = fmt.Errorf("%w: that check is not done", unknown)
	}
	if degraded == nil && check.Action == "monitor" {
		degraded = a.beside(ctx, in, check, watched)
	}
	if degraded != nil {
		return ocf.Degraded, degraded
	}
	return ocf.Running, nil
}

// noteWorker notes what a worker has loaded that the state does not know. The keeper does that as soon
// as it sees the worker; where there is none, or it could not, this monitor does.
func (a *agent) noteWorker(ctx context.Context, in *instance.Instance, s *instance.State,
	worker int) {
	if worker == 0 || worker == s.Served.Worker || s.IsLoading() {
		return
	}
	in.NoteForeignReload(ctx, s, worker)
	if err := in.Save(*s); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
}

// beside returns an error if another process listens where HAProxy does and takes connections from
// it. The keeper looks for it; without one, a monitor of OCF_CHECK_LEVEL 10 does.
func (a *agent) beside(ctx context.Context, in *instance.Instance, check ocf.Check,
	watched bool) error {
	if a.Keeper {
		if !watched {
			return nil
		}
		return in.NotedBeside()
	}
	if check.Level < contract.LevelDeep {
		return nil
	}
	err := in.LookBeside(ctx)
	if err != nil && !instance.IsIntruder(err) {
		ocf.CallFrom(ctx).Infof("whether another HAProxy listens beside this one is not known: %v",
			err)
		return nil
	}
	return err
}

// probe does not touch HAProxy: the parameters may be wrong here. A probe may mean that the cluster
// has forgotten the node attributes, so the next monitor publishes them again.
func (a *agent) probe(ctx context.Context, in *instance.Instance, s instance.Found) (ocf.State,
	error) {
	a.forgetChecks(ctx, in)
	a.forgetWell(ctx, in)
	if s.State.Published != "" || s.State.Served.Published != "" {
		s.State.Published, s.State.Served.Published = "", ""
		if err := in.Save(s.State); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	if !instance.Exists(in.StatsSocket()) {
		return ocf.Running, in.CheckWorker(s.State.Master)
	}
	_, _, err := in.QueryServers(ctx, s.State.Master, false)
	if errors.Is(err, instance.ErrSilent) {
		return ocf.Running, nil
	}
	return ocf.Running, err
}

// busy is the monitor while another action has the lock for long: it looks, and changes nothing. A
// HAProxy that serves runs; one that the keeper is bringing back is not yet lost.
func (a *agent) busy(ctx context.Context, _ ocf.Check) (ocf.State, error) {
	call, in := ocf.CallFrom(ctx), a.instance(ctx)
	s, running, err := in.Locate()
	if err == nil && running {
		if err = s.CheckAlive(); err == nil {
			_, _, err = in.QueryServers(ctx, s.State.Master, false)
		}
		if err == nil || errors.Is(err, instance.ErrSilent) {
			call.Infof("another action has been busy with HAProxy for a while; it serves meanwhile")
			return ocf.Running, nil
		}
	}
	if since := in.KeeperSays(ctx, keeper.Busy); since > 0 {
		return ocf.Degraded, fmt.Errorf("HAProxy is down, and the keeper has been starting it again "+
			"for %s", since.Round(time.Second))
	}
	if err == nil {
		err = errors.New("HAProxy does not run")
	}
	return ocf.Stopped, fmt.Errorf("%w; another action on it is still under way", err)
}
