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
// somebody else, or by an action that did not wait for its end. again is whether that is not known
// yet; the error is errStuck.
func (k *keeper) noteWorker(ctx context.Context, watched instance.State,
	pid int) (again bool, err error) {
	known := func() bool {
		s, ok := k.in.Load()
		return !ok || s.Master != watched.Master || s.Served.Worker == pid && s.Pending == nil
	}
	if known() {
		return false, nil
	}
	err = k.asAction(ctx, func(ctx context.Context, in *instance.Instance) error {
		if known() { // the action that had the lock has noted it
			return nil
		}
		s, _ := k.in.Load()
		if s.Pending == nil {
			in.NoteForeignReload(ctx, &s, pid)
		} else if l := s.Pending.Loading; l != nil && !l.Answer { // a push is answered by the monitor
			decided, err := in.Decide(ctx, &s)
			if again = !decided; again {
				return nil
			}
			if err != nil {
				ocf.CallFrom(ctx).Warnf("%s: %v", in.Conffile, err)
			}
		}
		return in.Save(s)
	})
	if errors.Is(err, ocf.ErrOverrun) {
		return false, errStuck
	}
	return again, nil
}
