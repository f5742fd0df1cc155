package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// socketTime is how long this node's HAProxy may take to answer.
const socketTime = 2 * time.Second

// NodeState is how a node's reload has gone.
type NodeState string

// States of a node.
const (
	// NoAnswer says that the node has not answered yet; in a report, that it had not in time.
	NoAnswer NodeState = "no answer"
	Taken    NodeState = "taken" // the configuration is loaded
	Kept     NodeState = "kept"  // the previous configuration serves
	// Differs says that HAProxy has loaded other files there, or that it is not known which.
	Differs    NodeState = "differs"
	NodeFailed NodeState = "failed" // HAProxy does not run any more
	// Left says that the node went offline or into standby meanwhile, or the resource was stopped there
	Left      NodeState = "left"
	Absent    NodeState = "absent"    // HAProxy does not run there
	Unmanaged NodeState = "unmanaged" // Pacemaker reloads nothing there
)

// ReloadReport is `hawser reload --json`.
type ReloadReport struct {
	// Resource is the HAProxy's.
	Resource string `json:"resource"`
	// Configuration is the hash of the one on this node.
	Configuration string `json:"configuration,omitempty"`
	// Nodes lists each node's part.
	Nodes []NodeReload `json:"nodes"`
}

// NodeReload is one node's part. A hash is missing if the agent has not reported it.
type NodeReload struct {
	// Node is the node.
	Node string `json:"node"`
	// State is how the reload has gone there.
	State NodeState `json:"state"`
	// Before is the hash of the configuration that it served before.
	Before string `json:"before,omitempty"`
	// After is the hash of the configuration that it serves now.
	After string `json:"after,omitempty"`
	// WorkerSeconds is the age of the worker that serves.
	WorkerSeconds *int64 `json:"worker_seconds,omitempty"`
	// OldWorkers counts the previous workers that still have connections.
	OldWorkers int `json:"old_workers"`
	// Connections counts the connections of the previous workers.
	Connections int `json:"old_connections"`
	// CutSeconds is in how many seconds HAProxy ends those that are still open (hard-stop-after).
	CutSeconds *int64 `json:"cut_seconds,omitempty"`
	// Reason is why it has not loaded the configuration.
	Reason string `json:"reason,omitempty"`
}

// newReload finds the nodes where there is something to reload.
func newReload(status *crm.Status, id string) *Reload {
	l := &Reload{id: id, Report: ReloadReport{Resource: id, Nodes: []NodeReload{}}}
	for _, n := range status.Nodes {
		instance, runs := status.InstanceOn(id, n.Name)
		if n.Remote() && !runs {
			continue
		}
		node := NodeReload{Node: n.Name, State: NoAnswer}
		why, leaving := n.Leaving()
		switch {
		case leaving:
			node.State, node.Reason = Absent, why
		case !runs:
			node.State, node.Reason = Absent, id+" does not run there"
		case !instance.Managed:
			node.State, node.Reason = Unmanaged, notManaged
		}
		if runs {
			taken := takenOn(n, id)
			node.Before, node.After = taken.Serves, taken.Serves
		}
		l.Report.Nodes = append(l.Report.Nodes, node)
	}
	slices.SortFunc(l.Report.Nodes,
		func(a, b NodeReload) int { return strings.Compare(a.Node, b.Node) })
	return l
}

const notManaged = "it is not managed (maintenance mode, or is-managed=false): until it is, " +
	"HAProxy keeps its present configuration"

// takenOn is what the node's agent has reported about the configuration.
func takenOn(n crm.NodeStatus, id string) contract.Loaded {
	return contract.ParseLoaded(n.Attributes[contract.LoadedAttribute(contract.ResourceOf(id))])
}

// Waiting lists the nodes that have yet to report how their reload went.
func (l *Reload) Waiting() []string {
	var nodes []string
	for _, n := range l.Report.Nodes {
		if n.State == NoAnswer {
			nodes = append(nodes, n.Node)
		}
	}
	return nodes
}

// skipped returns the reasons of the others, one a line.
func (l *Reload) skipped() string {
	var lines strings.Builder
	for _, n := range l.Report.Nodes {
		if n.State != NoAnswer {
			fmt.Fprintf(&lines, "\n%s: %s", n.Node, n.Reason)
		}
	}
	return lines.String()
}

// pollEvery is the pause between two checks of what the nodes report.
const pollEvery = 100 * time.Millisecond

// await waits until each node has loaded the configuration, said why it has not, or is gone.
func (r *Roller) await(ctx context.Context, l *Reload, timeout time.Duration,
	progress change.Progress) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		progress("waiting for " + strings.Join(l.Waiting(), ", "))
		asked := time.Now()
		status, err := r.Cluster.Status(limited)
		if err == nil {
			for i := range l.Report.Nodes {
				l.update(status, &l.Report.Nodes[i], r.Now())
			}
			if len(l.Waiting()) == 0 {
				return nil
			}
		}
		if err != nil && limited.Err() == nil {
			return fmt.Errorf("the reload was asked for, but it is not known what became of it "+
				"(`hawser status` shows it): %w", err)
		}
		select {
		case <-limited.Done():
		case <-time.After(max(pollEvery, time.Since(asked))):
		}
		switch {
		case ctx.Err() != nil:
			return outcome.Errorf(outcome.Interrupted,
				"interrupted before %s had answered: the reload was asked for, `hawser status` "+
					"shows what becomes of it", strings.Join(l.Waiting(), ", "))
		case limited.Err() != nil:
			return outcome.Errorf(outcome.Timeout,
				"%s has not answered within %v: the reload was asked for, `hawser status` shows "+
					"what becomes of it (an agent older than this hawser does not answer)",
				strings.Join(l.Waiting(), ", "), timeout)
		}
	}
}

// update finds out how one node's reload has gone.
func (l *Reload) update(status *crm.Status, n *NodeReload, now time.Time) {
	if n.State != NoAnswer {
		return
	}
	at := slices.IndexFunc(status.Nodes, func(s crm.NodeStatus) bool { return s.Name == n.Node })
	if at < 0 {
		n.State, n.Reason = Left, "the node was removed from the cluster"
		return
	}
	node := status.Nodes[at]
	taken := takenOn(node, l.id)
	instance, runs := status.InstanceOn(l.id, n.Node)
	why, leaving := node.Leaving()
	switch {
	case leaving:
		n.State, n.Reason, n.After = Left, why, ""
	case runs && !instance.Managed:
		n.State, n.Reason = Unmanaged, notManaged
	case taken.Generation == l.generation && taken.Serves == "":
		n.State, n.Reason = Differs, "its files were changed while HAProxy loaded them, and it is not "+
			"known which version it serves: `hawser reload` once more"
	case taken.Generation == l.generation:
		n.State = Taken
		if wanted := contract.Demanded(l.generation); wanted != "" && taken.Serves != wanted {
			n.State, n.Reason = Differs, "HAProxy was started there meanwhile, or its files were "+
				"changed while it loaded them"
		}
	case taken.Asked == l.generation && taken.Pending != "":
		n.State, n.Reason = Kept, taken.Pending
	case !runs:
		n.whyGone(status, l)
	}
	if runs && n.State != NoAnswer && n.State != Left {
		n.After, n.OldWorkers, n.Connections = taken.Serves, taken.OldWorkers, taken.Conns
		if !taken.Cut.IsZero() {
			left := max(0, int64(taken.Cut.Sub(now).Seconds()))
			n.CutSeconds = &left
		}
		if !taken.Worker.IsZero() {
			age := max(0, int64(now.Sub(taken.Worker).Seconds()))
			n.WorkerSeconds = &age
		}
	}
}

// whyGone finds out why HAProxy no longer runs on a node that is present; it may be about to start
// again.
func (n *NodeReload) whyGone(status *crm.Status, l *Reload) {
	for _, f := range status.Failures {
		if crm.ResourceOf(f.Resource) == l.id && f.Node == n.Node && f.Since(l.began) {
			n.State, n.Reason, n.After = NodeFailed, f.String(), ""
			return
		}
	}
	for _, res := range status.Resources {
		if crm.ResourceOf(res.ID) == l.id && res.Target == crm.RoleStopped {
			n.State, n.Reason, n.After = Left, "the resource was stopped", ""
			return
		}
	}
}

// verdict is the error for the outcome of the reload; nil if every node that keeps serving has
// loaded the configuration.
func (l *Reload) verdict() error {
	var failed, kept []string
	taken := false
	for _, n := range l.Report.Nodes {
		switch n.State {
		case Taken:
			taken = true
		case NodeFailed:
			failed = append(failed, fmt.Sprintf("%s: %s", n.Node, n.Reason))
		case Kept:
			kept = append(kept, fmt.Sprintf("%s keeps serving the previous configuration: %s",
				n.Node, n.Reason))
		case Differs:
			serves := n.Node
			if n.After != "" {
				serves += " serves a different configuration from this node's"
			}
			kept = append(kept, serves+": "+n.Reason)
		case Unmanaged:
			kept = append(kept, fmt.Sprintf("%s: %s", n.Node, n.Reason))
		}
	}
	switch {
	case len(failed) > 0:
		return outcome.Errorf(outcome.Resource, "%s", strings.Join(append(failed, kept...), "\n"))
	case len(kept) > 0:
		return outcome.Errorf(outcome.Degraded, "%s", strings.Join(kept, "\n"))
	case !taken && len(l.Waiting()) == 0:
		return outcome.Errorf(outcome.Resource,
			"no node is left to load the configuration")
	}
	return nil
}

// addLocal asks this node's master for its current old workers; the cluster has only the count from
// the end of the reload.
func (r *Roller) addLocal(ctx context.Context, l *Reload) {
	ctx, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	old, err := haproxy.Master{Path: contract.FilesOf(r.RunDir,
		l.id).MasterSocket()}.OldWorkers(ctx)
	if err != nil {
		return
	}
	for i := range l.Report.Nodes {
		n := &l.Report.Nodes[i]
		if n.Node != r.Node || n.State == Absent || n.State == Left {
			continue
		}
		n.OldWorkers, n.Connections = len(old), 0
		for _, w := range old {
			n.Connections += w.Conns
		}
	}
}
