// Package crmtest is a cluster in memory for tests of what is built on crm, and the suite that it and Pacemaker's own tools both pass.
package crmtest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// Seed is the CIB of a cluster whose nodes are online and that has no resources, as Pacemaker's tools read it from CIB_file.
func Seed(nodes ...string) []byte {
	var members, states strings.Builder
	for i, n := range nodes {
		fmt.Fprintf(&members, "      <node id=%q uname=%q/>\n", fmt.Sprint(i+1), n)
		fmt.Fprintf(&states, "    <node_state id=%q uname=%q in_ccm=\"true\" crmd=\"online\" join=\"member\" expected=\"member\"/>\n", fmt.Sprint(i+1), n)
	}
	return fmt.Appendf(nil, `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0" have-quorum="1" dc-uuid="1">
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

// Fake is a crm.Cluster that keeps its configuration in memory. It writes all of a plan or nothing, refuses what Pacemaker
// refuses for want of fencing, and starts what is configured at once. Use New.
type Fake struct {
	mu      sync.Mutex
	cib     *crm.CIB
	fail    map[string]error
	broken  map[string]string
	applied int
	since   time.Time
}

var _ crm.Cluster = (*Fake)(nil)

// New returns a cluster with the nodes and an empty configuration.
func New(nodes ...string) *Fake {
	cib, err := crm.ParseCIB(Seed(nodes...))
	if err != nil {
		panic(err) // a node's name that XML cannot bear
	}
	return &Fake{cib: cib, fail: map[string]error{}, broken: map[string]string{}, since: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
}

// Fail makes the next call of the named method ("Query", "Check", "Apply", "Wait", "Status") return the error. It changes nothing then.
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
		f.cib = plan.New
	}
	return err
}

// Applied counts the plans that were written.
func (f *Fake) Applied() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.applied
}

// FailResource makes the primitive fail to start wherever the cluster starts it, with the agent's exit reason; "" heals it.
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

// Query implements crm.Cluster.
func (f *Fake) Query(ctx context.Context) (*crm.CIB, error) {
	if err := f.enter(ctx, "Query"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	return f.cib, nil
}

// Check implements crm.Cluster. The forecast has a start for each instance that the plan adds and a stop for each that it takes away.
func (f *Fake) Check(ctx context.Context, p crm.Plan) (crm.Forecast, error) {
	if err := f.enter(ctx, "Check"); err != nil {
		return crm.Forecast{}, err
	}
	defer f.mu.Unlock()
	var forecast crm.Forecast
	if p.Empty() {
		return forecast, nil
	}
	before, after := running(p.Base), running(p.New)
	for _, list := range []struct {
		task     string
		of, gone []instance
	}{{"stop", before, after}, {"start", after, before}} {
		for _, i := range list.of {
			if !contains(list.gone, i) {
				forecast.Actions = append(forecast.Actions, crm.Action{Task: list.task, Resource: i.name, Node: i.node})
			}
		}
	}
	if unfenced(p.New) {
		return crm.Forecast{}, &crm.ToolError{Tool: "crm_verify", Code: 78, Err: crm.ErrNoFencing, Message: crm.ErrNoFencing.Error()}
	}
	return forecast, nil
}

// Apply implements crm.Cluster.
func (f *Fake) Apply(ctx context.Context, p crm.Plan) error {
	if err := f.enter(ctx, "Apply"); err != nil {
		return err
	}
	defer f.mu.Unlock()
	if p.Empty() {
		return nil
	}
	if p.Base.Version != f.cib.Version {
		return fmt.Errorf("cannot write the configuration: it is version %s, not %s: %w", f.cib.Version, p.Base.Version, crm.ErrStale)
	}
	f.cib = p.New
	f.applied++
	return nil
}

// Wait implements crm.Cluster: this cluster has always settled.
func (f *Fake) Wait(ctx context.Context, progress func(crm.Progress)) error {
	if err := f.enter(ctx, "Wait"); err != nil {
		return err
	}
	f.mu.Unlock()
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
	stonith, _ := f.cib.Property("stonith-enabled")
	s := &crm.Status{Pacemaker: "2.1.5", Quorum: true, Fencing: stonith != "false"}
	count := map[string]int{}
	for _, p := range placements(f.cib) {
		rs := crm.ResourceStatus{ID: p.id, Parent: p.parent, Agent: p.agent, Managed: true, Role: "Stopped"}
		switch reason, broken := f.broken[p.id]; {
		case p.stopped || unfenced(f.cib):
		case broken:
			rs.Failed, rs.Reason = true, reason
			s.Failures = append(s.Failures, crm.Failure{Resource: p.id, Node: p.node, Task: "start", Code: 1, Meaning: "error", Reason: reason,
				Status: "complete", Time: f.since})
		default:
			rs.Role, rs.Active, rs.Node, rs.Nodes, rs.Since = "Started", true, p.node, []string{p.node}, f.since
			count[p.node]++
		}
		s.Resources = append(s.Resources, rs)
	}
	for i, name := range f.cib.Nodes() {
		if i == 0 {
			s.DC = name
		}
		s.Nodes = append(s.Nodes, crm.NodeStatus{Name: name, ID: fmt.Sprint(i + 1), Type: "member", Online: true, DC: i == 0, Running: count[name]})
	}
	return s, nil
}
