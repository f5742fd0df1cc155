// Package crmtest is a cluster in memory for tests of what is built on crm, and the suite that it
// and Pacemaker's own tools both pass.
//
// It imports crm. Open conform.go first, for what every crm.Cluster does.
package crmtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// Seed is the CIB of a cluster whose nodes are online and that has no resources, as Pacemaker's
// tools read it from CIB_file.
func Seed(nodes ...string) []byte {
	var members, states strings.Builder
	for i, n := range nodes {
		fmt.Fprintf(&members, "      <node id=%q uname=%q/>\n", fmt.Sprint(i+1), n)
		fmt.Fprintf(&states, "    <node_state id=%q uname=%q in_ccm=\"true\" crmd=\"online\" "+
			"join=\"member\" expected=\"member\"/>\n", fmt.Sprint(i+1), n)
	}
	//nolint:lll // as Pacemaker writes it
	return fmt.Appendf(nil,
		`<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
  <configuration>
    <crm_config/>
    <nodes>
%s    </nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status>
%s  </status>
</cib>
`, &members, &states)
}

// Fake is a crm.Cluster that keeps its configuration in memory. It writes all of a plan or nothing,
// refuses what Pacemaker refuses because fencing is missing, and starts what is configured at once.
// A clone runs on every node; another resource stays where it is, unless a location constraint
// pulls it away by more than its stickiness. A node in standby runs nothing; what is in maintenance
// stays where it is. Use New.
type Fake struct {
	mu  sync.Mutex
	cib *crm.CIB
	// where things run in a configuration that Query or Rehearse returned
	at      map[*crm.CIB]places
	fail    map[string]error
	broken  map[string]string
	down    map[string]bool
	attrs   map[string]string            // node attributes, by node and name
	private map[string]map[string]string // by name and node
	agents  map[string][]crm.AgentAction
	probed  map[string]map[string]bool // where a plan that changes a primitive would restart it
	cleaned []string                   // what was cleaned up
	onApply func()
	onWait  func(ctx context.Context)
	// onStatus completes what Status returns.
	onStatus func(cib *crm.CIB, s *crm.Status)
	lost     error // of the next write, which is carried out
	applied  int
	since    time.Time
}

var _ crm.Cluster = (*Fake)(nil)

// New returns a cluster with the nodes and an empty configuration.
func New(nodes ...string) *Fake {
	cib, err := crm.ParseCIB(Seed(nodes...))
	if err != nil {
		panic(err) // a node's name that XML cannot hold
	}
	return &Fake{
		cib: cib, at: map[*crm.CIB]places{cib: {}}, fail: map[string]error{},
		broken: map[string]string{},
		down:   map[string]bool{}, attrs: map[string]string{},
		private: map[string]map[string]string{},
		agents:  map[string][]crm.AgentAction{}, probed: map[string]map[string]bool{},
		since: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// Fail makes the next call of the named method ("Query", "Status", "Check", …) return the error. It
// changes nothing then.
func (f *Fake) Fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[method] = err
}

// Edit sets objects behind the caller's back, as another administrator would.
func (f *Fake) Edit(objects ...crm.Object) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.edit(objects, nil)
}

// Delete deletes objects behind the caller's back.
func (f *Fake) Delete(ids ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.edit(nil, ids)
}

func (f *Fake) edit(set []crm.Object, del []string) error {
	spec, err := crm.Edit(f.cib, set, del)
	if err != nil {
		return err
	}
	plan, err := crm.Diff(f.cib, spec)
	if err == nil {
		f.become(plan)
	}
	return err
}

// become makes the plan's configuration the cluster's, and moves resources accordingly.
func (f *Fake) become(p crm.Plan) {
	f.at[p.New] = f.settled(p)
	f.cib = p.New
}

// Down takes a node out of the cluster, or brings it back.
func (f *Fake) Down(node string, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[node] = down
	f.at[f.cib] = f.place(f.cib, f.at[f.cib])
}

// SetAttribute sets a node attribute, as an agent on that node would.
func (f *Fake) SetAttribute(node, name, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.attrs[node+"\x00"+name] = value
}

// SetPrivateOn sets a private attribute of another node, as hawser on that node would.
func (f *Fake) SetPrivateOn(node, name, value string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setPrivateOn(node, name, value)
}

func (f *Fake) setPrivateOn(node, name, value string) {
	if f.private[name] == nil {
		f.private[name] = map[string]string{}
	}
	f.private[name][node] = value
}

// Advertise registers an agent, with the operations that it advertises.
func (f *Fake) Advertise(agent string, actions ...crm.AgentAction) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.agents[agent] = actions
}

// OnApply calls a function at each Apply, before it reads the plan, to simulate what others do
// meanwhile.
func (f *Fake) OnApply(meanwhile func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onApply = meanwhile
}

// OnWait calls a function while a caller waits, with the caller's context: it returns when the
// cluster has settled.
func (f *Fake) OnWait(meanwhile func(ctx context.Context)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onWait = meanwhile
}

// OnStatus calls a function with each status, and the configuration that it belongs to, before it
// is returned, to simulate what nodes and agents do. It must not call the Fake.
func (f *Fake) OnStatus(complete func(cib *crm.CIB, s *crm.Status)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.onStatus = complete
}

// LoseAnswer makes the next Apply write the plan and still return the error, as if the connection
// broke in between.
func (f *Fake) LoseAnswer(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = err
}

// Probed records that a probe found the primitive running on the node: a plan that changes it would
// restart it there, until the probe is forgotten.
func (f *Fake) Probed(resource, node string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.probed[resource] == nil {
		f.probed[resource] = map[string]bool{}
	}
	f.probed[resource][node] = true
}

// Applied counts the plans that were written.
func (f *Fake) Applied() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied
}

// FailResource makes the primitive fail to start wherever the cluster starts it, with the agent's
// exit reason; "" ends that.
func (f *Fake) FailResource(id, reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if reason == "" {
		delete(f.broken, id)
		return
	}
	f.broken[id] = reason
}

// enter begins a method: it returns with the lock held unless there is an error.
func (f *Fake) enter(ctx context.Context, method string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	if err := f.fail[method]; err != nil {
		delete(f.fail, method)
		f.mu.Unlock()
		return err
	}
	return nil
}

// Configuration implements crm.Cluster: it is a Query.
func (f *Fake) Configuration(ctx context.Context) (*crm.CIB, error) { return f.Query(ctx) }

// Query implements crm.Cluster.
func (f *Fake) Query(ctx context.Context) (*crm.CIB, error) {
	if err := f.enter(ctx, "Query"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	return f.cib, nil
}

// Check implements crm.Cluster. The forecast has what the plan starts, stops and moves.
func (f *Fake) Check(ctx context.Context, p crm.Plan) (crm.Forecast, error) {
	if err := f.enter(ctx, "Check"); err != nil {
		return crm.Forecast{}, err
	}
	defer f.mu.Unlock()
	return f.forecast(p)
}

// Verify implements crm.Cluster.
func (f *Fake) Verify(ctx context.Context, p crm.Plan) ([]string, error) {
	if err := f.enter(ctx, "Verify"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	_, err := f.forecast(p)
	return nil, err
}

// Rehearse implements crm.Cluster. The configuration that it returns remembers where things run.
func (f *Fake) Rehearse(ctx context.Context, p crm.Plan) (crm.Forecast, *crm.CIB, error) {
	if err := f.enter(ctx, "Rehearse"); err != nil {
		return crm.Forecast{}, nil, err
	}
	defer f.mu.Unlock()
	after, err := crm.ParseCIB(p.New.XML())
	if err != nil {
		return crm.Forecast{}, nil, err
	}
	f.at[after] = f.settled(p)
	return crm.Forecast{Actions: f.actions(p)}, after, nil
}

func (f *Fake) forecast(p crm.Plan) (crm.Forecast, error) {
	if p.Empty() {
		return crm.Forecast{}, nil
	}
	forecast := crm.Forecast{Actions: f.actions(p)}
	if unfenced(p.New) {
		return forecast, &crm.ToolError{Tool: "crm_verify", Code: 78, Err: crm.ErrNoFencing,
			Message: crm.ErrNoFencing.Error()}
	}
	return forecast, nil
}

// Lose implements crm.Cluster.
func (f *Fake) Lose(ctx context.Context, node string) (crm.Forecast, error) {
	if err := f.enter(ctx, "Lose"); err != nil {
		return crm.Forecast{}, err
	}
	defer f.mu.Unlock()
	if !slices.Contains(f.cib.Nodes(), node) {
		return crm.Forecast{}, fmt.Errorf("there is no node %s", node)
	}
	was := f.down[node]
	f.down[node] = true
	after := f.running(f.cib, f.place(f.cib, f.at[f.cib]))
	f.down[node] = was
	before := slices.DeleteFunc(f.running(f.cib, f.at[f.cib]), func(i instance) bool {
		return i.node == node // it needs no stop
	})
	return crm.Forecast{Actions: f.steps(before, after, crm.Plan{})}, nil
}

// actions compares what runs before the plan with what would run after it.
func (f *Fake) actions(p crm.Plan) []crm.Action {
	return f.steps(f.running(p.Base, f.at[p.Base]), f.running(p.New, f.settled(p)), p)
}

// steps are the actions that lead from what runs before to what runs after the plan.
func (f *Fake) steps(before, after []instance, p crm.Plan) []crm.Action {
	var all []crm.Action
	for _, was := range before {
		if _, stays := find(after, was.name); !stays {
			all = append(all, crm.Action{Task: "stop", Resource: was.name, Node: was.node})
		}
	}
	for _, is := range after {
		switch was, ran := find(before, is.name); {
		case !ran:
			all = append(all, crm.Action{Task: "start", Resource: is.name, Node: is.node})
		case was.node != is.node:
			all = append(all, crm.Action{Task: "move", Resource: is.name, From: was.node,
				Node: is.node})
		case f.probed[crm.ResourceOf(is.name)][is.node] && changes(p, crm.ResourceOf(is.name)):
			all = append(all, crm.Action{Task: "restart", Resource: is.name, Node: is.node})
		}
	}
	return all
}

// Apply implements crm.Cluster.
func (f *Fake) Apply(ctx context.Context, p crm.Plan) error {
	f.mu.Lock()
	meanwhile := f.onApply
	f.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	if err := f.enter(ctx, "Apply"); err != nil {
		return crm.Unwritten(ctx, err)
	}
	defer f.mu.Unlock()
	if p.Empty() {
		return nil
	}
	if p.Base.Version != f.cib.Version {
		return fmt.Errorf("cannot write the configuration: it is version %s, not %s: %w",
			f.cib.Version, p.Base.Version, crm.ErrStale)
	}
	f.become(p)
	f.applied++
	lost := f.lost
	f.lost = nil
	return lost
}

// Wait implements crm.Cluster: this cluster has settled as soon as OnWait's function returns.
func (f *Fake) Wait(ctx context.Context, progress func(crm.Progress)) error {
	if err := f.enter(ctx, "Wait"); err != nil {
		return err
	}
	meanwhile := f.onWait
	f.mu.Unlock()
	if meanwhile != nil {
		meanwhile(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("not settled: %w", err)
		}
	}
	if progress != nil {
		progress(crm.Progress{})
	}
	return nil
}

// Status implements crm.Cluster.
func (f *Fake) Status(ctx context.Context) (*crm.Status, error) {
	if err := f.enter(ctx, "Status"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	stonith, _ := f.cib.Property(crm.StonithEnabled)
	s := &crm.Status{Pacemaker: "2.1.5", Quorum: true, Fencing: stonith != "false",
		Maintenance: maintained(f.cib, "")}
	count := map[string]int{}
	for _, p := range f.placements(f.cib, f.at[f.cib]) {
		rs := crm.ResourceStatus{ID: p.id, Parent: p.parent, Agent: p.agent,
			Managed: !maintained(f.cib, p.node), Role: "Stopped"}
		if p.stopped {
			rs.Target = crm.RoleStopped
		}
		switch reason, broken := f.broken[p.id]; {
		case p.stopped || p.node == "" || unfenced(f.cib):
		case broken:
			rs.Failed, rs.Reason = true, reason
			s.Failures = append(s.Failures, crm.Failure{Resource: p.id, Node: p.node, Task: "start",
				Code: 1, Meaning: "error", Reason: reason,
				Status: "complete", Time: f.since})
		default:
			rs.Role, rs.Active, rs.Node, rs.Nodes, rs.Since = "Started", true, p.node,
				[]string{p.node}, f.since
			count[p.node]++
		}
		s.Resources = append(s.Resources, rs)
	}
	for i, name := range f.cib.Nodes() {
		if i == 0 {
			s.DC = name
		}
		attributes := map[string]string{}
		for at, value := range f.attrs {
			if node, attribute, _ := strings.Cut(at, "\x00"); node == name {
				attributes[attribute] = value
			}
		}
		s.Nodes = append(s.Nodes, crm.NodeStatus{Name: name, ID: fmt.Sprint(i + 1), Type: "member",
			Online: !f.down[name], DC: i == 0, Standby: isSet(f.cib, name, "standby"),
			Maintenance: isSet(f.cib, name, "maintenance"),
			Running:     count[name], Attributes: attributes})
	}
	s.Bans = f.bans(f.cib)
	if f.onStatus != nil {
		f.onStatus(f.cib, s)
	}
	return s, nil
}

// ForgetProbe implements crm.Cluster.
func (f *Fake) ForgetProbe(ctx context.Context, resource, node string) error {
	if err := f.enter(ctx, "ForgetProbe"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	delete(f.probed[resource], node)
	return nil
}

// Cleanup implements crm.Cluster: what FailResource broke is taken for repaired.
func (f *Fake) Cleanup(ctx context.Context, resource, node string) error {
	if err := f.enter(ctx, "Cleanup"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.cleaned = append(f.cleaned, strings.TrimSpace(resource+" "+node))
	for id := range f.broken {
		if resource == "" || id == resource || f.inside(id, resource) {
			delete(f.broken, id)
		}
	}
	return nil
}

// inside says whether the primitive is in the clone or group.
func (f *Fake) inside(id, container string) bool {
	for _, p := range f.placements(f.cib, f.at[f.cib]) {
		if p.id == id && p.parent == container {
			return true
		}
	}
	return false
}

// Cleaned lists what was cleaned up: "haproxy lb-1".
func (f *Fake) Cleaned() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.cleaned...)
}

// Advertised implements crm.Cluster; it knows the agents that Advertise registered.
func (f *Fake) Advertised(ctx context.Context, agent string) ([]crm.AgentAction, error) {
	if err := f.enter(ctx, "Advertised"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	actions, ok := f.agents[agent]
	if !ok {
		return nil, &crm.ToolError{Tool: "crm_resource", Code: 5,
			Err:     fmt.Errorf("crm_resource exited with 5"),
			Message: "cannot read the meta-data of the agent " + agent + ": there is no such agent"}
	}
	return actions, nil
}

// SetPrivate implements crm.Cluster; this node is the first.
func (f *Fake) SetPrivate(ctx context.Context, name, value string) error {
	if err := f.enter(ctx, "SetPrivate"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	f.setPrivateOn(f.cib.Nodes()[0], name, value)
	return nil
}

// Private implements crm.Cluster.
func (f *Fake) Private(ctx context.Context, name string) (map[string]string, error) {
	if err := f.enter(ctx, "Private"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	values := map[string]string{}
	maps.Copy(values, f.private[name])
	return values, nil
}
