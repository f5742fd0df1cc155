package instance

import (
	"context"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// publishCrash publishes the last crash as an attribute of this node.
func (in *Instance) publishCrash(ctx context.Context, s State) {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || len(s.Crashes) == 0 {
		return
	}
	last := s.Crashes[len(s.Crashes)-1]
	value := contract.Crash{At: last.At, Took: last.Took, Count: len(s.Crashes)}.String()
	name := contract.CrashAttribute(contract.ResourceOf(call.Instance))
	if err := in.SetAttribute(name, value); err != nil {
		call.Warnf("cannot report the crash to the cluster: %v", err)
	}
}
