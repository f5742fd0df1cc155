package haproxy

import (
	"context"
	"path/filepath"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// publishLoaded publishes which configuration HAProxy serves, if that has changed: a steady monitor
// starts no process. It never fails a monitor or a reload: the next monitor tries again.
func (a *agent) publishLoaded(ctx context.Context, in *instance.Instance, s *instance.State) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return
	}
	sources, disk := in.OnDisk()
	if len(sources) > 0 && in.IsNamed(sources, s.Served.Config) {
		s.Served.Config = disk // by an earlier version's name, perhaps
	}
	// from an older agent, or the state was lost: the copies are what HAProxy loaded
	if s.Served.Config == "" && len(sources) > 0 {
		if same, there := in.Copied(sources); same && there {
			s.Served.Config = disk
		}
	}
	if s.Served.Generation == "" && s.Served.Asked == "" && s.Pending == nil {
		s.Served.Generation = a.Generation // likewise: no reload waits for it
	}
	now := contract.Loaded{Serves: s.Served.Config, Generation: s.Served.Generation,
		Asked: s.Served.Asked, Worker: s.Served.At}
	if disk != now.Serves {
		now.Disk = disk
	}
	if s.Pending != nil {
		now.Pending = s.Pending.Cause()
	}
	if disk != contract.Unreadable {
		now.Previous = a.hasPrevious()
	}
	before := contract.ParseLoaded(s.Served.Published)
	now.OldWorkers, now.Conns = before.OldWorkers, before.Conns
	if before.OldWorkers > 0 || !before.Worker.Equal(now.Worker.Truncate(time.Second)) {
		now.OldWorkers, now.Conns = oldWorkersOf(ctx, in)
	}
	if now.OldWorkers > 0 {
		now.Cut = s.Served.Cut
	}
	value := now.String()
	if value == s.Served.Published {
		return
	}
	if err := in.SetAttribute(contract.LoadedAttribute(resourceOf(call)), value); err != nil {
		call.Warnf("cannot report to the cluster which configuration HAProxy serves: %v", err)
		return
	}
	s.Served.Published = value
	if err := in.Save(*s); err != nil {
		call.Warnf("%v", err)
	}
}

// hasPrevious reports whether this node has kept what it served before a push.
func (a *agent) hasPrevious() bool {
	path, err := filepath.EvalSymlinks(a.Conffile)
	return err == nil && instance.Exists(path+contract.PreviousSuffix)
}

// clockSlack is how much later than reported a worker may have been started: times are reported in
// whole seconds.
const clockSlack = 2 * time.Second

// recall restores what a lost state knew of the configuration that HAProxy serves, from what was
// reported to the cluster, as long as no worker has been started since, or else from the files that
// are left.
func (a *agent) recall(ctx context.Context, in *instance.Instance, s *instance.State) {
	s.Served = in.Recall(s.Master)
	call := ocf.CallFrom(ctx)
	if !call.Clustered {
		return
	}
	values, err := in.QueryAttribute(ctx, contract.LoadedAttribute(resourceOf(call)))
	if err != nil {
		call.Warnf("what this node reported about HAProxy's configuration is not known: %v", err)
		return
	}
	reported := contract.ParseLoaded(values[call.Node])
	started, err := in.Started(s.Master)
	if err != nil || reported.Serves == "" || started.After(reported.Worker.Add(clockSlack)) {
		return
	}
	s.Served.Config, s.Served.At = reported.Serves, reported.Worker
	s.Served.Generation, s.Served.Asked = reported.Generation, reported.Asked
	if reported.Pending != "" && reported.Asked != "" {
		s.Pending = instance.RecalledPending(reported.Pending)
	}
}

// oldWorkersOf counts the workers from before a reload, and their connections. The monitor deals
// with a master that does not answer.
func oldWorkersOf(ctx context.Context, in *instance.Instance) (workers, conns int) {
	ctx, cancel := context.WithTimeout(ctx, instance.Briefly)
	defer cancel()
	old, err := client.Master{Path: in.MasterSocket()}.OldWorkers(ctx)
	if err != nil {
		return 0, 0
	}
	for _, w := range old {
		conns += w.Conns
	}
	return len(old), conns
}

// publishAfterReload is publishLoaded after a reload, whether it succeeded or not. It is told of what
// is known here, which a full /run may have kept from the file.
func (a *agent) publishAfterReload(ctx context.Context, in *instance.Instance, s *instance.State) {
	a.publishLoaded(ctx, in, s)
	if t := contract.ParseLoaded(s.Served.Published); t.Conns > 0 && !t.Cut.IsZero() {
		ocf.CallFrom(ctx).Infof("%d connections stay with %d workers from before the reload; those "+
			"that are still open at %s are cut then (hard-stop-after)", t.Conns, t.OldWorkers,
			t.Cut.Format(time.DateTime))
	}
}

// withdrawLoaded removes what publishLoaded published.
func (a *agent) withdrawLoaded(ctx context.Context, in *instance.Instance, s instance.State) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || s.Served.Published == "" {
		return
	}
	if err := in.DeleteAttribute(contract.LoadedAttribute(resourceOf(call))); err != nil {
		call.Warnf("cannot withdraw from the cluster which configuration HAProxy serves: %v", err)
	}
}
