package keeper

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
)

// countWell counts for how long HAProxy has been well, and tells the cluster, until the context ends.
func (c *checker) countWell(ctx context.Context) {
	again := time.NewTicker(publishAgain)
	defer again.Stop()
	pause := time.Duration(0) // after a failure, until the next attempt
	for {
		next := time.Hour
		if now, ok := c.wellNow(); ok {
			var err error
			next, err = c.well.Step(ctx, now)
			switch {
			case ctx.Err() != nil:
				return
			case err == nil:
				pause = 0
			default:
				if pause == 0 {
					c.call.Warnf("cannot tell the cluster for how long HAProxy has been well: %v", err)
				}
				pause = min(max(2*pause, publishRetry), longestRetry)
				next = pause
			}
		}
		due := time.NewTimer(next)
		turned := c.turned
		if pause > 0 {
			turned = nil
		}
		select {
		case <-ctx.Done():
			due.Stop()
			return
		case <-turned:
		case <-due.C:
		case <-again.C:
			if err := c.well.Forget(); err != nil {
				c.call.Infof("%v", err) // the next step will say more
			}
		}
		due.Stop()
	}
}

// wellNow returns how HAProxy is, false where it is not to serve or nobody wants to know.
func (c *checker) wellNow() (wellness.Now, bool) {
	s, serving := c.serving()
	if !serving || !c.call.Clustered {
		return wellness.Now{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	names := c.names()
	// a check without a result may be about to fail
	well := len(c.book.Failing(names)) == 0 && len(c.book.Values(names)) == len(names)
	return wellness.Now{Well: well, Already: c.book.HeldFor(s.Master.Start)}, true
}
