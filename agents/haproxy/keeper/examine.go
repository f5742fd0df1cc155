package keeper

import (
	"context"
	"math/rand/v2"
	"time"
)

// `hawser doctor` on one node cannot check another node. So the keeper of each node, which is there
// as long as HAProxy is, has its node checked regularly and the findings published to the cluster.

// How often a node is checked, and how soon after a start or a reload, when its files may have
// changed. Both vary, so that the nodes do not query a provider's API at the same moment.
const (
	examineEvery = 5 * time.Minute
	examineSoon  = 5 * time.Second
)

// examineNode has the node checked until the context ends. It runs beside the keeper's loop;
// neither waits for the other.
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
			examine(ctx, k.in.Hawser)
			due = varied(examineEvery)
		}
	}
}
