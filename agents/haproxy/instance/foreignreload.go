package instance

import (
	"context"
	"errors"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"

	"github.com/hawser-ha/hawser/ocf"
)

// NoteForeignReload notes what HAProxy has loaded because somebody other than the agent reloaded
// it: a hook of certbot's, the Data Plane API, an administrator. A HAProxy that runs from the copies
// has loaded those, and not the files that were meant: it is reloaded once more.
func (in *Instance) NoteForeignReload(ctx context.Context, s *State, worker int) {
	call := ocf.CallFrom(ctx)
	began := time.Now()
	youngest, started, unknown := in.workerOf(s.Master)
	if unknown == nil && youngest != worker {
		return // one from before a reload that does not know yet that it is
	}
	sources, err := in.ReadBriefly()
	if err != nil {
		call.Warnf("HAProxy was reloaded by somebody else, and what it serves is not known: %v", err)
		s.Served.Worker, s.Served.Config = worker, ""
		return
	}
	untouched := unknown == nil && client.Untouched(started, in.UserFiles(), sources)
	// From an agent that did not note it: this one may be its own. Or HAProxy did not say after a
	// reload, of which it may not be known what was loaded.
	if s.Served.Worker == 0 {
		if !in.OnCopies(s.Master.PID) && untouched && in.IsNamed(sources, s.Served.Config) {
			if err := in.KeepCopies(sources); err != nil {
				call.Warnf("%v", err)
			}
		}
		s.Served.Worker = worker
		return
	}
	if in.OnCopies(s.Master.PID) {
		s.Served = s.Served.replaced(s.Served.Config, s.Served.Generation, s.Served.HardStop)
		s.Served.Worker = worker
		if same, _ := in.Copied(sources); same {
			in.Follow(ctx, s, sources)
			return
		}
		call.Infof("HAProxy was reloaded by somebody else while it ran from a copy of %s; loading "+
			"the file itself", in.Conffile)
		in.loadForeign(ctx, s, in.WithChecks(sources), began)
		return
	}
	call.Infof("HAProxy was reloaded by somebody else")
	hash := ""
	if untouched {
		hash = client.Hash(sources)
	} else {
		call.Warnf("%s has been changed since, and it is not known what HAProxy serves: load what is "+
			"there now with hawser reload", in.Conffile)
	}
	in.warnOfUnset(ctx, s, sources)
	in.Follow(ctx, s, sources)
	if err := in.KeepLoaded(sources, hash); err != nil {
		call.Warnf("%v", err)
	}
	s.Served = s.Served.replaced(hash, s.Served.Generation, in.hardStop(sources, s.Env))
	s.Served.Worker = worker
}

// loadForeign does for a HAProxy on copies the reload that somebody else asked it for.
func (in *Instance) loadForeign(ctx context.Context, s *State, sources []client.Source,
	began time.Time) {
	generation := s.Served.Generation
	err := in.Reload(ctx, s, sources)
	switch {
	case err == nil:
		s.Served.Generation = generation // nobody has asked for the present one
	case !errors.Is(err, ErrLoading) || errors.Is(err, ErrDied):
		ocf.CallFrom(ctx).Warnf("%s: %v", in.Conffile, err)
		s.Pending = NewPending(err, began, sources, errors.Is(err, ErrDied))
	}
}
