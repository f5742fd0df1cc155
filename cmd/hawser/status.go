package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

func statusCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show nodes, HAProxy, floating IPs and what failed",
		Description: "Asks Pacemaker and the HAProxy of this node at once. Each source says on its own if it is unavailable. What\n" +
			"other nodes' HAProxy sees is what they last told the cluster. Since is the last start or reload.",
		Flags:  []cli.Flag{jsonFlag()},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			r := sys.status(c.Context)
			if c.Bool("json") {
				if err := sys.printJSON(r); err != nil {
					return err
				}
			} else {
				sys.showStatus(r)
			}
			if code := r.exitCode(); code != exitOK {
				return silent(code)
			}
			return nil
		},
	}
}

// status asks all sources at once.
func (s *system) status(ctx context.Context) *statusReport {
	var (
		wg      sync.WaitGroup
		status  *crm.Status
		cib     *crm.CIB
		local   []localHAProxy
		statErr error
		cibErr  error
	)
	wg.Go(func() { status, statErr = s.cluster.Status(ctx) })
	wg.Go(func() { cib, cibErr = s.configuration(ctx) }) // only it knows the addresses
	wg.Go(func() { local = s.localHAProxies(ctx) })
	wg.Wait()

	r := &statusReport{State: stateOK, now: s.now(), HAProxy: []haproxyReport{}, FloatingIPs: []ipReport{}, Others: []otherReport{}, Failures: []failureReport{}, Drift: []driftReport{}}
	r.Pacemaker.Nodes, r.Pacemaker.Fencers, r.Pacemaker.NotFenced = []nodeReport{}, []fencerReport{}, []string{}
	r.Configuration = source(cibErr)
	r.Pacemaker.sourceReport = source(statErr)
	if statErr != nil {
		r.State, r.denied = stateUnavailable, errors.Is(statErr, crm.ErrPermission)
		for _, l := range local {
			r.addHAProxy(l.report(haproxyReport{Resource: l.instance, Node: s.node, State: stateOK, Is: "running"}))
		}
		return r
	}
	if cibErr != nil {
		r.State = worst(r.State, stateDegraded)
	}
	r.addCluster(status)
	if status.Fencing && len(status.Resources) > 0 && cib != nil && startsNothing(cib) {
		r.Pacemaker.Unfenced, r.State = true, worst(r.State, stateDegraded)
	}
	here := nodeHere(status, s.node)
	r.addResources(status, cib, here, local)
	r.addWatchdog(cib)
	r.addNotFenced(cib)
	if s.running && !s.remote {
		r.missSockets(status, here, s.runDir)
	}
	r.addFailures(status)
	r.addDrift()
	return r
}

// configuration reads the configuration where Pacemaker saves it, or else asks for it. For showing what an address is, the file is good
// enough, and it costs no process.
func (s *system) configuration(ctx context.Context) (*crm.CIB, error) {
	if s.savedCIB != "" {
		if text, err := os.ReadFile(s.savedCIB); err == nil {
			if cib, err := crm.ParseCIB(text); err == nil {
				return cib, nil
			}
		}
	}
	return s.cluster.Query(ctx)
}

func source(err error) sourceReport {
	if err == nil {
		return sourceReport{Available: true}
	}
	message := strings.TrimPrefix(err.Error(), "crm: ")
	return sourceReport{Error: message}
}

func (r *statusReport) addCluster(status *crm.Status) {
	p := &r.Pacemaker
	p.Version, p.DC, p.Quorum, p.Fencing, p.Maintenance = status.Pacemaker, status.DC, status.Quorum, status.Fencing, status.Maintenance
	if !p.Quorum || p.Maintenance || p.DC == "" {
		r.State = worst(r.State, stateDegraded)
	}
	for _, n := range status.Nodes {
		node := nodeReport{Name: n.Name, State: stateOK, Is: []string{"online"}, DC: n.DC}
		if !n.Online {
			node.Is = []string{"offline"}
		}
		for word, is := range map[string]bool{"standby": n.Standby, "maintenance": n.Maintenance, "pending": n.Pending, "unclean": n.Unclean, "shutting down": n.Shutdown && n.Online} {
			if is {
				node.Is = append(node.Is, word)
			}
		}
		slices.Sort(node.Is[1:])
		if !n.Online || len(node.Is) > 1 {
			node.State = stateDegraded
		}
		r.State = worst(r.State, node.State)
		p.Nodes = append(p.Nodes, node)
	}
}

// addResources sorts the resources into HAProxy's, the addresses and others.
func (r *statusReport) addResources(status *crm.Status, cib *crm.CIB, here string, local []localHAProxy) {
	nowhere := map[string]bool{}
	for _, m := range missing(status, func(string) bool { return true }) {
		nowhere[m.id] = true
	}
	seen := map[string]bool{} // resource and node of HAProxies
	cloned := map[string]string{}
	for _, res := range status.Resources {
		is, st := describeState(res, nowhere[instanceOf(res.ID)])
		if res.Reason != "" && res.Active && !res.Failed && !res.Degraded && !res.Blocked {
			res.Reason = "" // of a failure that is over: it is listed with the failed actions, and here it would read as if it still were so
		}
		if reason, lost := unknownPlace(status, res); reason != "" {
			is, st, res.Reason = "unknown", lost, reason
		}
		if isFencing(res) {
			r.addFencer(res, cib, is, st)
			continue
		}
		switch agentType(res.Agent) {
		case "haproxy":
			id := instanceOf(res.ID)
			if res.Parent != "" {
				cloned[id] = res.Parent
			}
			if res.Node == "" && res.Parent != "" {
				continue // an instance without a node: the node's own line says so
			}
			h := haproxyReport{Resource: id, Node: res.Node, State: st, Is: is, Since: timeOf(res.Since), Reason: res.Reason}
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
		case "floatip":
			ip := ipReport{Resource: res.ID, State: st, Is: is, Node: res.Node, Since: timeOf(res.Since), Reason: res.Reason}
			ip.IP, ip.Provider = addressOf(cib, res.ID)
			r.State = worst(r.State, st)
			r.FloatingIPs = append(r.FloatingIPs, ip)
		default:
			r.State = worst(r.State, st)
			r.Others = append(r.Others, otherReport{Resource: res.ID, Agent: res.Agent, State: st, Is: is, Node: res.Node, Reason: res.Reason})
		}
	}
	for id, clone := range cloned {
		for _, n := range status.Nodes {
			if seen[id+" "+n.Name] || n.Type == "remote" {
				continue
			}
			h := absent(status, n, id, nowhere[id])
			if ban, banned := banOf(status, n.Name, id, clone); banned && n.Online && !n.Standby && h.State != stateFailed {
				h.keptOff(ban)
			}
			r.addHAProxy(h)
		}
	}
	slices.SortStableFunc(r.HAProxy, func(a, b haproxyReport) int {
		return strings.Compare(a.Resource+" "+a.Node, b.Resource+" "+b.Node)
	})
}

// absent is the line of a node on which a cloned HAProxy does not run.
func absent(status *crm.Status, n crm.NodeStatus, id string, nowhere bool) haproxyReport {
	h := haproxyReport{Resource: id, Node: n.Name, State: stateDegraded, Is: "stopped"}
	switch {
	case !n.Online:
		h.Is = "node offline"
	case n.Standby:
		h.Is = "node standby"
	case nowhere:
		h.State = stateFailed
	}
	for _, f := range status.Failures {
		if instanceOf(f.Resource) == id && f.Node == n.Name {
			h.Reason = describeFailure(f)
		}
	}
	if h.Reason == "" && n.Online && !n.Standby {
		for _, res := range status.Resources {
			if instanceOf(res.ID) == id && res.Target == "Stopped" {
				h.State, h.Reason = stateDegraded, "its target role is Stopped"
			}
		}
	}
	return h
}

func (r *statusReport) addHAProxy(h haproxyReport) {
	if h.Servers != nil && h.Servers.Up == 0 && h.Servers.Down > 0 {
		h.State = worst(h.State, stateDegraded) // it runs, and answers every client with an error
	}
	r.State = worst(r.State, h.State)
	r.HAProxy = append(r.HAProxy, h)
}

func (r *statusReport) addFailures(status *crm.Status) {
	for _, f := range status.Failures {
		r.State = worst(r.State, stateDegraded)
		r.Failures = append(r.Failures, failureReport{Resource: f.Resource, Node: f.Node, Task: f.Task, Code: f.Code, Meaning: f.Meaning,
			Status: f.Status, Reason: f.Reason, Time: timeOf(f.Time)})
	}
}

// describeState is one instance's state in a word.
func describeState(r crm.ResourceStatus, nowhere bool) (string, state) {
	switch {
	case len(r.Nodes) > 1:
		return "running on several nodes: " + strings.Join(r.Nodes, ", "), stateFailed
	case r.Failed && r.Active:
		return "failed", stateFailed
	case r.Pending != "" && !r.Active:
		return strings.ToLower(r.Pending), stateDegraded
	case r.Active && (r.Role == "Starting" || r.Role == "Stopping"): // crm_mon calls it active from the first moment to the last
		return strings.ToLower(r.Role), stateDegraded
	case !r.Active && r.Target == "Stopped":
		return "stopped on purpose", stateDegraded
	case !r.Active && (nowhere || r.Failed):
		return "stopped", stateFailed
	case !r.Active:
		return "stopped", stateDegraded
	case r.Degraded:
		return "degraded", stateDegraded
	case r.Blocked:
		return "blocked", stateFailed
	case !r.Managed:
		return "running, not managed", stateDegraded
	case r.Orphaned:
		return "running, not configured any more", stateDegraded
	}
	return "running", stateOK
}

// agentType is the last part of ocf:provider:type.
func agentType(agent string) string { return agent[strings.LastIndex(agent, ":")+1:] }

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// addressOf is what the configuration says of a floating IP, "" if it could not be read.
func addressOf(cib *crm.CIB, id string) (ip, provider string) {
	if cib == nil {
		return "", ""
	}
	p, ok := cib.Primitive(id)
	if !ok {
		return "", ""
	}
	if ip, ok = p.Params.Get("ip"); !ok {
		ip, _ = p.Params.Get("floating_ip")
	}
	if provider, ok = p.Params.Get("provider"); !ok {
		provider = config.DigitalOcean
	}
	return ip, provider
}

// serversOf reads the node attribute that the agent keeps up to date: "up=3,down=1,draining=0".
func serversOf(status *crm.Status, node, instance string) *serversReport {
	for _, n := range status.Nodes {
		if n.Name == node {
			return parseServers(n.Attributes["hawser-"+instance])
		}
	}
	return nil
}

// crashOf reads the node attribute that the agent writes when it has brought HAProxy back: "at=2026-11-21T03:12:07Z,took=0.06,count=2".
func crashOf(status *crm.Status, node, instance string) *crashReport {
	for _, n := range status.Nodes {
		if n.Name == node {
			return parseCrash(n.Attributes["hawser-"+instance+"-crash"])
		}
	}
	return nil
}

func parseCrash(attribute string) *crashReport {
	var c crashReport
	var errs [3]error
	for _, part := range strings.Split(attribute, ",") {
		switch name, value, _ := strings.Cut(part, "="); name {
		case "at":
			c.Time, errs[0] = time.Parse(time.RFC3339, value)
		case "took":
			c.TookSeconds, errs[1] = strconv.ParseFloat(value, 64)
		case "count":
			c.Count, errs[2] = strconv.Atoi(value)
		}
	}
	if errors.Join(errs[:]...) != nil || c.Time.IsZero() {
		return nil
	}
	return &c
}

func parseServers(attribute string) *serversReport {
	var s serversReport
	counts := map[string]*int{"up": &s.Up, "down": &s.Down, "draining": &s.Draining}
	found := false
	for _, part := range strings.Split(attribute, ",") {
		name, value, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(value)
		if to := counts[name]; ok && err == nil && to != nil {
			*to, found = n, true
		}
	}
	if !found {
		return nil
	}
	return &s
}

// attach adds what this node's HAProxy says itself.
func attach(h haproxyReport, local []localHAProxy) haproxyReport {
	for _, l := range local {
		if instanceOf(l.instance) == h.Resource {
			return l.report(h)
		}
	}
	return h
}
