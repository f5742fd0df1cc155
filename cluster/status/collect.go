// Package status says what a cluster does with HAProxy and its addresses, for the screen, as JSON
// and for a web page: Collector asks, Report is the answer.
//
// It reads and never writes, and imports inventory, fencing, contract, crm and haproxy, but never
// deploy, move or rollout. Open report.go first for what there is to know, collect.go for where it
// comes from, text.go for what is shown of it on a terminal.
package status

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// Collector is what a status needs. host fills it in.
type Collector struct {
	Cluster  crm.Cluster
	Live     bool   // the configuration is that of this machine's cluster
	Node     string // this machine's name
	RunDir   string // the agents' runtime files
	SavedCIB string // where Pacemaker keeps its configuration, "" to ask for it
	Now      func() time.Time
	// Locate asks Pacemaker for its name of this machine, and WaitsForAll asks Corosync whether it
	// still waits for all nodes; either may be nil.
	Locate      func(ctx context.Context) (string, error)
	WaitsForAll func(ctx context.Context) (bool, error)
	// Votes asks Corosync for its votes; without it nobody knows whether a quorum is left if a node is
	// lost.
	Votes func(ctx context.Context) (corosync.Votes, error)
	// Brief leaves out what takes a simulation: who comes next.
	Brief bool
}

// Collect asks all sources at once.
func (s *Collector) Collect(ctx context.Context) *Report {
	var (
		wg      sync.WaitGroup
		status  *crm.Status
		cib     *crm.CIB
		local   []localHAProxy
		denied  bool
		statErr error
		cibErr  error
	)
	wg.Go(func() { status, statErr = s.Cluster.Status(ctx) })
	// only it knows the addresses
	wg.Go(func() { cib, cibErr = crm.Saved(ctx, s.SavedCIB, s.Cluster) })
	wg.Go(func() { local, denied = s.localHAProxies(ctx) })
	wg.Wait()

	r := &Report{State: OK, Now: s.Now(), Node: s.Node, localDenied: denied, HAProxy: []HAProxy{},
		Checks: []Check{}, FloatingIPs: []FloatingIP{}, Leftovers: []Leftover{},
		Others: []Other{}, Failures: []Failure{}, Drift: []Drift{}}
	r.Pacemaker.Nodes, r.Pacemaker.Fencers, r.Pacemaker.NotFenced = []Node{}, []Fencer{}, []string{}
	r.Configuration = source(cibErr)
	if cib != nil {
		if a, ok := inventory.LastApplied(cib); ok {
			r.Applied = &Applied{a.Node, a.File, a.Sum, a.User, a.At}
		}
	}
	r.Pacemaker.Source = source(statErr)
	if statErr != nil {
		r.State, r.Denied = Unavailable, errors.Is(statErr, crm.ErrPermission)
		for _, l := range local {
			r.addHAProxy(l.report(HAProxy{Resource: l.instance, Node: s.Node, State: OK,
				Is: Running}))
		}
		return r
	}
	if cibErr != nil {
		r.State = worst(r.State, Degraded)
	}
	r.addCluster(status)
	if !status.Quorum && cib != nil {
		r.Pacemaker.NoQuorumPolicy = cib.NoQuorumPolicy()
	}
	if !status.Quorum && s.Live && s.WaitsForAll != nil {
		r.Pacemaker.WaitsForAll, _ = s.WaitsForAll(ctx) // unknown: not said
	}
	if status.Fencing && len(status.Resources) > 0 && cib != nil && fencing.StartsNothing(cib) {
		r.Pacemaker.Unfenced, r.State = true, worst(r.State, Degraded)
	}
	here := s.here(ctx, status)
	r.Node = here
	r.addResources(status, cib, here, local)
	r.addChecks(status)
	r.addWatchdog(cib)
	r.addNotFenced(cib)
	if s.Live && !denied { // who may not look does not know
		r.missSockets(status, here, s.RunDir)
	}
	r.addFailures(status)
	r.addDrift()
	r.addLeftovers(cib)
	if !s.Brief {
		s.addNext(ctx, r, status, cib)
	}
	r.judge()
	return r
}

// here is Pacemaker's name of this machine, which need not be the host's.
func (s *Collector) here(ctx context.Context, status *crm.Status) string {
	name := status.NodeOf(s.Node)
	if _, known := status.Node(name); !known && s.Live && s.Locate != nil {
		if told, err := s.Locate(ctx); err == nil && told != "" {
			return told
		}
	}
	return name
}

func source(err error) Source {
	if err == nil {
		return Source{Available: true}
	}
	message := err.Error()
	return Source{Error: message}
}

func (r *Report) addCluster(status *crm.Status) {
	p := &r.Pacemaker
	p.Version, p.DC, p.Quorum, p.Fencing, p.Maintenance = status.Pacemaker, status.DC,
		status.Quorum, status.Fencing, status.Maintenance
	if !p.Quorum || p.Maintenance || p.DC == "" {
		r.State = worst(r.State, Degraded)
	}
	for _, n := range status.Nodes {
		node := Node{Name: n.Name, State: OK, Is: []NodeIs{Online}, DC: n.DC}
		if !n.Online {
			node.Is = []NodeIs{Offline}
		}
		for word, is := range map[NodeIs]bool{InStandby: n.Standby,
			InMaintenance: n.Maintenance, NotYetMember: n.Pending, Unclean: n.Unclean,
			LeavingInOrder: n.Shutdown && n.Online} {
			if is {
				node.Is = append(node.Is, word)
			}
		}
		slices.Sort(node.Is[1:])
		if !n.Online || len(node.Is) > 1 {
			node.State = Degraded
		}
		r.State = worst(r.State, node.State)
		p.Nodes = append(p.Nodes, node)
	}
}

// addResources sorts the resources into HAProxy's, the addresses and others.
func (r *Report) addResources(status *crm.Status, cib *crm.CIB, here string, local []localHAProxy) {
	nowhere := map[string]bool{}
	for _, m := range status.Missing() {
		nowhere[m.ID] = true
	}
	seen := map[string]bool{} // resource and node of HAProxies
	cloned := map[string]string{}
	for _, res := range status.Resources {
		is, st := describeState(res, nowhere[crm.ResourceOf(res.ID)])
		if res.Reason != "" && res.Active && !res.Failed && !res.Degraded && !res.Blocked {
			// The reason is that of a past failure, which is listed with the failed actions; here
			// it would read as if it still applied.
			res.Reason = ""
		}
		if res.Failed && res.Blocked && res.Reason == "" {
			res.Reason = "Pacemaker does nothing more with it until the failure is cleared"
		}
		if reason, lost := unknownPlace(status, res); reason != "" {
			is, st, res.Reason = UnknownPlace, lost, reason
		}
		if res.IsFencing() {
			r.addFencer(res, cib, is, st)
			continue
		}
		switch {
		case inventory.RunsHAProxy(res.Agent):
			id := crm.ResourceOf(res.ID)
			if res.Parent != "" {
				cloned[id] = res.Parent
			}
			if res.Node == "" && res.Parent != "" {
				continue // an instance without a node: the node's own line says so
			}
			h := HAProxy{Resource: id, Node: res.Node, State: st, Is: is, Since: timeOf(res.Since),
				Reason: ownReason(status, crm.Failure{Resource: id, Node: res.Node, Reason: res.Reason})}
			h.Servers = serversOf(status, res.Node, id)
			h.Crash = crashOf(status, res.Node, id)
			if res.Active {
				h.Configuration = configOf(status, res.Node, id)
			}
			if res.Node == here && res.Active {
				h = attach(h, local)
			}
			seen[id+" "+res.Node] = true
			r.addHAProxy(h)
		case inventory.IsFloatIP(res.Agent):
			ip := FloatingIP{Resource: res.ID, State: st, Is: is, Node: res.Node,
				Since: timeOf(res.Since), Reason: res.Reason}
			if a, ok := inventory.AddressNamed(cib, res.ID); ok {
				ip.IP, ip.Provider = a.IP, a.Provider
			}
			r.State = worst(r.State, st)
			r.FloatingIPs = append(r.FloatingIPs, ip)
		default:
			// HAProxy and the addresses are where they are, whatever becomes of it.
			if st != OK {
				r.State = worst(r.State, Degraded)
			}
			if st == OK && res.Promoted() {
				is += Promoted
			}
			r.Others = append(r.Others, Other{Resource: res.ID, Agent: res.Agent, State: st, Is: is,
				Node: res.Node, Reason: res.Reason})
		}
	}
	for id, clone := range cloned {
		for _, n := range status.Nodes {
			if seen[id+" "+n.Name] || n.Remote() {
				continue
			}
			h := absent(status, n, id, nowhere[id])
			if h.Reason == keptStopped {
				h.Reason += startsHAProxy(cib, id)
			}
			if ban, banned := status.BanOf(n.Name, id, clone); banned && n.Online && !n.Standby &&
				h.State != Failed {
				h.keptOff(ban)
			}
			r.addHAProxy(h)
		}
	}
	slices.SortStableFunc(r.HAProxy, func(a, b HAProxy) int {
		return strings.Compare(a.Resource+" "+a.Node, b.Resource+" "+b.Node)
	})
}

// absent is the line of a node on which a cloned HAProxy does not run.
func absent(status *crm.Status, n crm.NodeStatus, id string, nowhere bool) HAProxy {
	h := HAProxy{Resource: id, Node: n.Name, State: Degraded, Is: Stopped}
	switch {
	case !n.Online:
		h.Is = NodeOffline
	case n.Standby:
		h.Is = NodeStandby
	case nowhere:
		h.State = Failed
	}
	for _, f := range status.Failures {
		if crm.ResourceOf(f.Resource) == id && f.Node == n.Name {
			f.Reason = ownReason(status, f)
			h.Reason = f.String()
		}
	}
	if h.Reason == "" && n.Online && !n.Standby {
		for _, res := range status.Resources {
			if crm.ResourceOf(res.ID) == id && res.Target == crm.RoleStopped {
				h.State, h.Reason = Degraded, keptStopped
			}
		}
	}
	return h
}

func (r *Report) addHAProxy(h HAProxy) {
	if h.onlyErrors() {
		h.State = worst(h.State, Degraded) // it runs, and answers every client with an error
	}
	r.State = worst(r.State, h.State)
	r.HAProxy = append(r.HAProxy, h)
}

func (r *Report) addFailures(status *crm.Status) {
	for _, f := range status.Failures {
		f.Reason = ownReason(status, f)
		r.State = worst(r.State, Degraded)
		r.Failures = append(r.Failures, Failure{Resource: f.Resource, Node: f.Node, Task: f.Task,
			Code: f.Code, Meaning: f.Meaning,
			Status: f.Status, Reason: f.Reason, Time: timeOf(f.Time)})
	}
}

// ownReason returns the reason of a failure, or why HAProxy's keeper left it to Pacemaker, where
// Pacemaker only knows that it was told of one.
func ownReason(status *crm.Status, f crm.Failure) string {
	if f.Reason != contract.SimulatedFailure {
		return f.Reason
	}
	r := contract.ResourceOf(crm.ResourceOf(f.Resource))
	text, _ := status.Attribute(f.Node, contract.HandedOverAttribute(r))
	h, ok := contract.ParseHandedOver(text)
	if !ok || !f.Time.IsZero() && h.At.Sub(f.Time).Abs() > handOverTime {
		return f.Reason // somebody else said so: crm_resource --fail
	}
	return "left to Pacemaker by the keeper: " + h.Why
}

// handOverTime is how far apart a failure may be from what the keeper says of it, by the clocks of two
// nodes.
const handOverTime = crm.ClockSkew + time.Minute

// describeState returns one instance's state in a word.
func describeState(r crm.ResourceStatus, nowhere bool) (Is, State) {
	switch {
	case len(r.Nodes) > 1:
		return RunningOnSeveral + Is(strings.Join(r.Nodes, ", ")), Failed
	case r.Failed && r.Active && r.Blocked:
		return FailedAndBlocked, Failed
	case r.Failed && r.Active:
		return HasFailed, Failed
	case r.Pending != "" && !r.Active:
		return Is(strings.ToLower(r.Pending)), Degraded
	case r.Active && (r.Role == "Starting" || r.Role == "Stopping"):
		// crm_mon calls it active from the first moment to the last.
		return Is(strings.ToLower(r.Role)), Degraded
	case !r.Active && r.Target == crm.RoleStopped:
		return StoppedOnPurpose, Degraded
	case !r.Active && r.Failed && r.Blocked:
		return StoppedAndBlocked, Failed
	case !r.Active && (nowhere || r.Failed):
		return Stopped, Failed
	case !r.Active:
		return Stopped, Degraded
	case r.Degraded:
		return RunningDegraded, Degraded
	case r.Blocked:
		return Blocked, Failed
	case !r.Managed:
		return RunningUnmanaged, Degraded
	case r.Orphaned:
		return RunningOrphaned, Degraded
	}
	return Running, OK
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// serversOf returns what the node's agent publishes about HAProxy's servers, nil if nothing.
func serversOf(status *crm.Status, node, resource string) *Servers {
	text, _ := status.Attribute(node, contract.ServersAttribute(contract.ResourceOf(resource)))
	s, ok := contract.ParseServers(text)
	if !ok {
		return nil
	}
	return &Servers{Up: s.Up, Down: s.Down, Draining: s.Draining}
}

// crashOf returns what the node's agent published when it had restarted a crashed HAProxy, nil if
// nothing.
func crashOf(status *crm.Status, node, resource string) *Crash {
	text, _ := status.Attribute(node, contract.CrashAttribute(contract.ResourceOf(resource)))
	c, ok := contract.ParseCrash(text)
	if !ok {
		return nil
	}
	return &Crash{Time: c.At, TookSeconds: c.Took.Seconds(), Count: c.Count}
}

// attach adds what this node's HAProxy says itself.
func attach(h HAProxy, local []localHAProxy) HAProxy {
	for _, l := range local {
		if crm.ResourceOf(l.instance) == h.Resource {
			return l.report(h)
		}
	}
	return h
}
