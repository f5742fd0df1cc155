package haproxy

import (
	"context"
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
	disk := in.HashOnDisk()
	// from an older agent, or the state was lost: the copies are what HAProxy loaded
	if s.Served.Config == "" {
		if sources, err := client.ReadSources(in.UserFiles()); err == nil {
			if same, there := in.Copied(sources); same && there {
				s.Served.Config = client.Hash(sources)
			}
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
	before := contract.ParseLoaded(s.Served.Published)
	now.OldWorkers, now.Conns = before.OldWorkers, before.Conns
	if before.OldWorkers > 0 || !before.Worker.Equal(now.Worker.Truncate(time.Second)) {
		now.OldWorkers, now.Conns = oldWorkersOf(ctx, in)
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
