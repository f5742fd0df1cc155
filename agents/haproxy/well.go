package haproxy

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// Counter returns what counts for how long HAProxy has been well.
func (a *agent) Counter(in *instance.Instance, r contract.ResourceID) *wellness.Counter {
	return &wellness.Counter{File: in.Well(), Resource: r, Times: a.wellAfter, Cluster: in,
		Clock: wellness.SinceBoot}
}

// countWell is a monitor's part where there is no keeper to count. A steady monitor starts no process.
func (a *agent) countWell(ctx context.Context, in *instance.Instance, s *instance.State) {
	call := ocf.CallFrom(ctx)
	if a.Keeper || !call.Clustered {
		return
	}
	counter := a.Counter(in, resourceOf(call))
	if counter.Idle() {
		return
	}
	book := checks.ReadBook(in.Checks())
	failing := 0
	for _, r := range book.Records {
		if r.Failed {
			failing++
		}
	}
	limited, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	_, err := counter.Step(limited, wellness.Now{Well: failing == 0, Already: book.HeldFor(s.Master.Start)})
	if err != nil {
		call.Warnf("cannot tell the cluster for how long HAProxy has been well: %v", err)
	}
}

// forgetWell has the next monitor tell it once more. A keeper does so now and then.
func (a *agent) forgetWell(ctx context.Context, in *instance.Instance) {
	if a.Keeper {
		return
	}
	if err := a.Counter(in, resourceOf(ocf.CallFrom(ctx))).Forget(); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
}

// withdrawWell takes it back.
func (a *agent) withdrawWell(ctx context.Context, in *instance.Instance) {
	call := ocf.CallFrom(ctx)
	limited, cancel := context.WithTimeout(ctx, withdrawTime)
	defer cancel()
	if err := a.Counter(in, resourceOf(call)).Withdraw(limited); err != nil {
		call.Warnf("cannot take back from the cluster for how long HAProxy has been well: %v", err)
	}
}

// withdrawTime is how much of a stop's time that may take.
const withdrawTime = 3 * time.Second
