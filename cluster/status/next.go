package status

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// nextTime is how long Pacemaker's scheduler may take to say who comes next: status is for somebody
// who is in a hurry.
const nextTime = 3 * time.Second

// addNext says for each address that runs which node would take it if its own were lost: Pacemaker's
// scheduler simulates the loss. What cannot be found out is left out.
func (s *Collector) addNext(ctx context.Context, r *Report, status *crm.Status,
	cib *crm.CIB) {
	if !status.Quorum || status.Maintenance {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nextTime)
	defer cancel()
	losses := map[string]*loss{}
	var wait sync.WaitGroup
	for _, ip := range r.FloatingIPs {
		if ip.Is != "running" || losses[ip.Node] != nil {
			continue
		}
		l := new(loss)
		losses[ip.Node] = l
		wait.Go(func() { l.forecast, l.err = s.Cluster.Lose(ctx, ip.Node) })
	}
	left, known := s.quorumWithoutOne(ctx, cib)
	wait.Wait()
	if !known {
		return
	}
	for i := range r.FloatingIPs {
		ip := &r.FloatingIPs[i]
		l := losses[ip.Node]
		switch {
		case ip.Is != "running" || l.err != nil:
		case !left:
			ip.NoNext = "without " + ip.Node + " there is no quorum"
		default:
			if ip.Next = l.taker(ip.Resource); ip.Next == "" {
				ip.NoNext = "no other node can take it"
			}
		}
	}
}

// loss is what Pacemaker would do if a node was lost.
type loss struct {
	forecast crm.Forecast
	err      error
}

// taker is the node on which the resource would be started, "" if there is none.
func (l loss) taker(resource string) string {
	for _, a := range l.forecast.Actions {
		if a.Resource == resource && (a.Task == "start" || a.Task == "move") && !a.Blocked {
			return a.Node
		}
	}
	return ""
}

// quorumWithoutOne says whether the other nodes would have a quorum if one that is present was lost,
// and whether that is known.
func (s *Collector) quorumWithoutOne(ctx context.Context, cib *crm.CIB) (left, known bool) {
	if cib != nil && cib.NoQuorumPolicy() == "ignore" {
		return true, true
	}
	if !s.Live {
		return true, true // a file has no votes
	}
	if s.Votes == nil {
		return false, false
	}
	votes, err := s.Votes(ctx)
	if err != nil || votes.Total-votes.DeviceVotes != votes.Members { // some have more votes than one
		return false, false
	}
	if votes.Total-1 < votes.Needed && slices.Contains(votes.Flags, "AutoTieBreaker") {
		return false, false // half of the votes may do
	}
	return votes.Total-1 >= votes.Needed, true
}
