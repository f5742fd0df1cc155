package keeper

import (
	"context"
	"math/rand/v2"
	"time"
)

// `hawser doctor` of one node has no way to look at another one. So each node's keeper, which is there as long as HAProxy is, has the node
// looked at now and then, and what was found told to the cluster.

// How often a node is looked at, and how soon after a start or a reload, when its files may be others. Both vary, so that the nodes do not ask
// a provider's API at the same moment.
const (
	examineEvery = 5 * time.Minute
	examineSoon  = 5 * time.Second
)

// examineNode has the node looked at until the context ends. It waits for nothing of the keeper's, and nothing of the keeper's waits for it.
func (k *keeper) examineNode(ctx context.Context) {
	varied := func(d time.Duration) time.Time { return time.Now().Add(d + rand.N(d)) }
	due := varied(examineSoon)
	for {
		timer := time.NewTimer(time.Until(due))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-k.seen:
			timer.Stop()
			if soon := varied(examineSoon); soon.Before(due) {
				due = soon
			}
		case <-timer.C:
			examine(ctx, k.in.Tools.Hawser)
			due = varied(examineEvery)
		}
	}
}
