package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
)

// reloadState is what has become of a node's reload.
type reloadState string

const (
	// reloadAsked: the node has yet to say. A report has it only where the time was over before.
	reloadAsked     reloadState = "no answer"
	reloadTaken     reloadState = "taken"
	reloadKept      reloadState = "kept"      // the configuration of before serves
	reloadDiffers   reloadState = "differs"   // HAProxy was started meanwhile, with other files
	reloadFailed    reloadState = "failed"    // HAProxy does not run any more
	reloadLeft      reloadState = "left"      // the node went offline or into standby meanwhile, or the resource was stopped there
	reloadAbsent    reloadState = "absent"    // HAProxy does not run there
	reloadUnmanaged reloadState = "unmanaged" // Pacemaker reloads nothing there
)

var reloadColour = map[reloadState]string{reloadAsked: red, reloadTaken: green, reloadKept: yellow, reloadDiffers: yellow, reloadFailed: red,
	reloadLeft: yellow, reloadAbsent: yellow, reloadUnmanaged: yellow}

// reloadReport is `hawser reload --json`.
type reloadReport struct {
	Resource string `json:"resource"`
	// Configuration is the hash of the one on this node.
	Configuration string       `json:"configuration,omitempty"`
	Nodes         []nodeReload `json:"nodes"`
}

// nodeReload is one node's part. The hashes are "" where the agent has not told them.
type nodeReload struct {
	Node   string      `json:"node"`
	State  reloadState `json:"state"`
	Before string      `json:"before,omitempty"`
	After  string      `json:"after,omitempty"`
	// WorkerSeconds is the age of the worker that serves.
	WorkerSeconds *int64 `json:"worker_seconds,omitempty"`
	// OldWorkers are those of before that still have connections, Connections these.
	OldWorkers  int    `json:"old_workers"`
	Connections int    `json:"old_connections"`
	Reason      string `json:"reason,omitempty"`
}

// aReload is a reload that is under way.
type aReload struct {
	id, generation string
	began          time.Time
	report         reloadReport
}

// newReload looks where there is something to reload.
func newReload(status *crm.Status, id string) *aReload {
	r := &aReload{id: id, report: reloadReport{Resource: id, Nodes: []nodeReload{}}}
	for _, n := range status.Nodes {
		instance, runs := instanceOn(status, id, n.Name)
		if n.Type == "remote" && !runs {
			continue
		}
		node := nodeReload{Node: n.Name, State: reloadAsked}
		why, leaving := leaves(n)
		switch {
		case leaving:
			node.State, node.Reason = reloadAbsent, why
		case !runs:
			node.State, node.Reason = reloadAbsent, id+" does not run there"
		case !instance.Managed:
			node.State, node.Reason = reloadUnmanaged, notManaged
		}
		if runs {
			taken := takenOn(n, id)
			node.Before, node.After = taken.Serves, taken.Serves
		}
		r.report.Nodes = append(r.report.Nodes, node)
	}
	slices.SortFunc(r.report.Nodes, func(a, b nodeReload) int { return strings.Compare(a.Node, b.Node) })
	return r
}

const notManaged = "it is not managed (maintenance mode, or is-managed=false): HAProxy goes on with what it served until it is"

// leaves says why a node runs nothing, or soon will not.
func leaves(n crm.NodeStatus) (why string, leaving bool) {
	switch {
	case !n.Online:
		return "the node is offline", true
	case n.Unclean:
		return "the node is lost", true
	case n.Shutdown:
		return "the node is shutting down", true
	case n.Standby:
		return "the node is in standby", true
	}
	return "", false
}

// instanceOn is the resource's instance on a node.
func instanceOn(status *crm.Status, id, node string) (crm.ResourceStatus, bool) {
	for _, r := range status.Resources {
		if instanceOf(r.ID) == id && r.Active && slices.Contains(r.Nodes, node) {
			return r, true
		}
	}
	return crm.ResourceStatus{}, false
}

// takenOn is what the node's agent has told of the configuration.
func takenOn(n crm.NodeStatus, id string) contract.Loaded {
	return contract.ParseLoaded(n.Attributes[contract.LoadedAttribute(contract.ResourceOf(id))])
}

// asked are the nodes that have yet to say what became of their reload.
func (r *aReload) asked() []string {
	var nodes []string
	for _, n := range r.report.Nodes {
		if n.State == reloadAsked {
			nodes = append(nodes, n.Node)
		}
	}
	return nodes
}

// unasked are the reasons of the others, each in a line.
func (r *aReload) unasked() string {
	var lines strings.Builder
	for _, n := range r.report.Nodes {
		if n.State != reloadAsked {
			fmt.Fprintf(&lines, "\n%s: %s", n.Node, n.Reason)
		}
	}
	return lines.String()
}

// reloadPoll is the pause between two looks at what the nodes say.
const reloadPoll = 100 * time.Millisecond

// awaitReload waits until each node has taken the configuration, said why it has not, or is there no longer.
func (s *system) awaitReload(ctx context.Context, r *aReload, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := s.startTicker()
	defer t.close()
	for {
		t.set("waiting for " + strings.Join(r.asked(), ", "))
		asked := time.Now()
		status, err := s.cluster.Status(limited)
		if err == nil {
			for i := range r.report.Nodes {
				r.look(status, &r.report.Nodes[i])
			}
			if len(r.asked()) == 0 {
				return nil
			}
		}
		if err != nil && limited.Err() == nil {
			return fmt.Errorf("the reload was asked for, but it is not known what became of it (`hawser status` shows it): %w", err)
		}
		select {
		case <-limited.Done():
		case <-time.After(max(reloadPoll, time.Since(asked))):
		}
		switch {
		case ctx.Err() != nil:
			return exitf(exitInterrupted, "interrupted before %s had answered: the reload was asked for, `hawser status` shows what becomes of it", strings.Join(r.asked(), ", "))
		case limited.Err() != nil:
			return exitf(exitTimeout, "%s has not answered within %v: the reload was asked for, `hawser status` shows what becomes of it (an agent older than this hawser does not answer)",
				strings.Join(r.asked(), ", "), timeout)
		}
	}
}

// look finds out what has become of one node's reload.
func (r *aReload) look(status *crm.Status, n *nodeReload) {
	if n.State != reloadAsked {
		return
	}
	at := slices.IndexFunc(status.Nodes, func(s crm.NodeStatus) bool { return s.Name == n.Node })
	if at < 0 {
		n.State, n.Reason = reloadLeft, "the node was removed from the cluster"
		return
	}
	node := status.Nodes[at]
	taken := takenOn(node, r.id)
	instance, runs := instanceOn(status, r.id, n.Node)
	why, leaving := leaves(node)
	switch {
	case leaving:
		n.State, n.Reason, n.After = reloadLeft, why, ""
	case runs && !instance.Managed:
		n.State, n.Reason = reloadUnmanaged, notManaged
	case taken.Generation == r.generation:
		n.State = reloadTaken
		if wanted := contract.Demanded(r.generation); wanted != "" && taken.Serves != wanted {
			n.State, n.Reason = reloadDiffers, "HAProxy was started there meanwhile, with other files"
		}
	case taken.Asked == r.generation && taken.Pending != "":
		n.State, n.Reason = reloadKept, taken.Pending
	case !runs:
		n.lost(status, r)
	}
	if runs && n.State != reloadAsked && n.State != reloadLeft {
		n.After, n.OldWorkers, n.Connections = taken.Serves, taken.OldWorkers, taken.Conns
		if !taken.Worker.IsZero() {
			age := max(0, int64(time.Since(taken.Worker).Seconds()))
			n.WorkerSeconds = &age
		}
	}
}

// lost finds out why HAProxy does not run any more on a node that is there; it may be about to start again.
func (n *nodeReload) lost(status *crm.Status, r *aReload) {
	for _, f := range status.Failures {
		if instanceOf(f.Resource) == r.id && f.Node == n.Node && f.Time.After(r.began.Add(-clockSkew)) {
			n.State, n.Reason, n.After = reloadFailed, describeFailure(f), ""
			return
		}
	}
	for _, res := range status.Resources {
		if instanceOf(res.ID) == r.id && res.Target == "Stopped" {
			n.State, n.Reason, n.After = reloadLeft, "the resource was stopped", ""
			return
		}
	}
}

// verdict is the error for what became of the reload; nil if every node that goes on serving has taken it.
func (r *aReload) verdict() error {
	var failed, kept []string
	taken := false
	for _, n := range r.report.Nodes {
		switch n.State {
		case reloadTaken:
			taken = true
		case reloadFailed:
			failed = append(failed, fmt.Sprintf("%s: %s", n.Node, n.Reason))
		case reloadKept:
			kept = append(kept, fmt.Sprintf("%s goes on with the configuration that it served: %s", n.Node, n.Reason))
		case reloadDiffers:
			kept = append(kept, fmt.Sprintf("%s serves another configuration than the one of this node: %s", n.Node, n.Reason))
		case reloadUnmanaged:
			kept = append(kept, fmt.Sprintf("%s: %s", n.Node, n.Reason))
		}
	}
	switch {
	case len(failed) > 0:
		return exitf(exitResource, "%s", strings.Join(append(failed, kept...), "\n"))
	case len(kept) > 0:
		return exitf(exitDegraded, "%s", strings.Join(kept, "\n"))
	case !taken && len(r.asked()) == 0:
		return exitf(exitResource, "no node is left that would have taken the configuration over")
	}
	return nil
}

// addLocal asks this node's master for its old workers, of which the cluster was told when the reload was over.
func (s *system) addLocal(ctx context.Context, r *aReload) {
	ctx, cancel := context.WithTimeout(ctx, socketTime)
	defer cancel()
	old, err := haproxy.Master{Path: contract.FilesOf(s.runDir, r.id).MasterSocket()}.OldWorkers(ctx)
	if err != nil {
		return
	}
	for i := range r.report.Nodes {
		n := &r.report.Nodes[i]
		if n.Node != s.node || n.State == reloadAbsent || n.State == reloadLeft {
			continue
		}
		n.OldWorkers, n.Connections = len(old), 0
		for _, w := range old {
			n.Connections += w.Conns
		}
	}
}

// showReload prints what has become of the reload on each node.
func (s *system) showReload(r *aReload) {
	s.printf("\n")
	t := s.table()
	for _, n := range r.report.Nodes {
		hashes := ""
		switch {
		case n.State == reloadAbsent || n.After == "" && n.Before == "":
		case n.State == reloadTaken || n.Before != n.After:
			hashes = orUnknown(n.Before) + " -> " + orUnknown(n.After)
		default:
			hashes = n.Before
		}
		age, old := "", ""
		if n.WorkerSeconds != nil {
			age = "worker " + rough(time.Duration(*n.WorkerSeconds)*time.Second) + " old"
		}
		if n.OldWorkers > 0 {
			old = draining(n.OldWorkers, n.Connections)
		}
		reason := ""
		if n.State == reloadLeft || n.State == reloadAbsent {
			reason = n.Reason
		}
		t.row(n.Node, s.paint(reloadColour[n.State], string(n.State)), hashes, age, old, reason)
	}
	t.flush()
}

func orUnknown(hash string) string {
	if hash == "" {
		return "unknown"
	}
	return hash
}

// draining is how many workers of before a reload still have connections.
func draining(workers, connections int) string {
	return fmt.Sprintf("%s draining (%s)", count(workers, "old worker"), count(connections, "connection"))
}
