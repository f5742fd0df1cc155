package keeper

import (
	"context"
	"errors"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/ocf"
)

// errStuck means that something which this process does under the lock of the instance hangs. The
// kernel frees the lock when the process ends.
var errStuck = errors.New("a reload hangs")

// noteWorker notes what a worker has loaded that the state does not know: after a reload by
// somebody else, or by an action that did not wait for its end. again is whether that could not be
// done yet; the error is errStuck. An action that has the lock is not waited for: it may take long,
// and HAProxy is not watched meanwhile.
func (k *keeper) noteWorker(ctx context.Context, watched instance.State,
	pid int) (again bool, err error) {
	known := func() bool {
		s, ok := k.in.Load()
		return !ok || s.Master != watched.Master || s.Served.Worker == pid && !s.IsLoading()
	}
	if known() {
		return false, nil
	}
	again = true
	if instance.Locked(k.in.ActionLock()) {
		return again, nil
	}
	err = k.asAction(ctx, func(ctx context.Context, in *instance.Instance) error {
		again = false
		if known() { // the action that had the lock has noted it
			return nil
		}
		s, _ := k.in.Load()
		if !s.IsLoading() {
			in.NoteForeignReload(ctx, &s, pid)
			return in.Save(s)
		}
		decided, err := in.Decide(ctx, &s)
		if again = !decided; again {
			return nil
		}
		if err != nil {
			ocf.CallFrom(ctx).Warnf("%s: %v", in.Conffile, err)
		}
		return in.Save(s)
	})
	if errors.Is(err, ocf.ErrOverrun) {
		return false, errStuck
	}
	return again, nil
}
