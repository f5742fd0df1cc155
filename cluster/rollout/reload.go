package rollout

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/cluster/reach"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// ReloadOptions are the options of a reload.
type ReloadOptions struct {
	Force     bool // reload even if Pacemaker would restart HAProxy on a node
	Differing bool // let each node load its own files, though they differ
}

// Reload is a planned reload, and its outcome so far.
type Reload struct {
	Report   ReloadReport
	ConfFile string // on every node
	// Demanded is the hash of the only configuration that nodes may load, "" if each loads what it
	// has.
	Demanded string
	Warnings []string

	id, generation string
	began          time.Time
	written        bool
	plan           crm.Plan
	replan         change.Planner
}

// PlanReload checks this node's configuration and simulates the reload of a resource, "" for the
// only one.
func (r *Roller) PlanReload(ctx context.Context, resource string,
	o ReloadOptions) (*Reload, error) {
	l, err := r.planReload(ctx, resource, o)
	return l, outcome.Untouched(ctx, err)
}

func (r *Roller) planReload(ctx context.Context, resource string,
	o ReloadOptions) (*Reload, error) {
	now, err := crm.Read(ctx, r.Cluster)
	if err != nil {
		return nil, err
	}
	p, err := inventory.Find(now.CIB, resource)
	if err != nil {
		return nil, err
	}
	l := newReload(now.Status, p.Name)
	l.ConfFile = inventory.ConfigOf(p)
	if len(l.Waiting()) == 0 {
		return nil, outcome.Errorf(outcome.Resource,
			"%s is not running on any node where Pacemaker would reload it; nothing was changed%s",
			p.Name, l.skipped())
	}
	hash, err := r.checkForReload(ctx, p)
	if err != nil {
		return nil, err
	}
	if r.Remote {
		l.Warnings = append(l.Warnings, "the cluster is another machine's: its nodes check the "+
			"configuration, and each loads the files it has")
	}
	l.Warnings = append(l.Warnings, r.here(ctx, now.CIB, p.Name, nil)...)
	l.Report.Configuration = hash
	if !o.Differing {
		l.Demanded = hash
	}
	salt := rand.Uint32() //nolint:gosec // it only has to be another one each time
	l.generation = contract.NewGeneration(r.Now(), salt, l.Demanded)
	l.replan = func(cib *crm.CIB) (crm.Plan, error) {
		return generationPlan(cib, p.Name, l.generation)
	}
	if l.plan, err = l.replan(now.CIB); err != nil {
		return nil, err
	}
	var warning string
	if l.plan, warning, err = r.foresee(ctx, l.plan, l.replan, p.Name, o.Force); err != nil {
		return nil, err
	}
	if warning != "" {
		l.Warnings = append(l.Warnings, warning)
	}
	return l, nil
}

// Reload writes what was planned, and waits until each node has loaded the configuration, said why
// it has not, or is gone; for the timeout at most. The report is filled in even if there is an
// error: there is one unless every node that keeps serving has loaded the configuration.
func (r *Roller) Reload(ctx context.Context, l *Reload, timeout time.Duration,
	progress change.Progress) error {
	l.began = r.Now()
	if err := change.Commit(ctx, r.Cluster, l.plan, l.replan); err != nil {
		return err
	}
	l.written = true
	err := r.await(ctx, l, timeout, progress)
	if verdict := l.verdict(); err == nil {
		err = verdict
	} else if verdict != nil {
		err = outcome.Errorf(outcome.Of(err), "%w\n%w", err, verdict)
	}
	r.addLocal(ctx, l)
	return err
}

// Written says whether the reload was asked for.
func (l *Reload) Written() bool { return l.written }

// checkForReload has this node's HAProxy check the configuration as the agent would run it, and
// returns its hash: "" where the cluster is another machine's.
func (r *Roller) checkForReload(ctx context.Context, p *crm.Primitive) (string, error) {
	if r.Remote {
		return "", nil
	}
	h, err := inventory.HAProxyOf(p)
	if err != nil {
		return "", outcome.Usagef("%w; nothing was changed", err)
	}
	before, err := h.Sources()
	if err != nil {
		return "", outcome.Usagef("%w%s; nothing was changed", err, outcome.AskRoot(r.Root))
	}
	if err := r.HAProxy(ctx, preflight.FromCluster(h, r.Environment(p.Name), r.Node)); err != nil {
		return "", outcome.Usagef("%w; nothing was changed", err)
	}
	after, err := h.Sources()
	if err != nil || haproxy.Hash(after) != haproxy.Hash(before) {
		return "", outcome.Usagef("%s was edited while it was checked; nothing was changed: run "+
			"the command again", h.Config)
	}
	return haproxy.Hash(before), nil
}

// here warns of agents of another version, and of addresses at which nobody would be served with this
// node's files, or with those that are pushed to a resource.
func (r *Roller) here(ctx context.Context, cib *crm.CIB, id string, pushed []haproxy.Source) []string {
	if r.Remote {
		return nil
	}
	var warnings []string
	if r.OtherVersions != nil {
		if warning := r.OtherVersions(ctx); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	declared, err := inventory.Read(cib)
	if err != nil {
		return warnings
	}
	return append(warnings, reach.Warnings(reach.OfCluster(declared, r.Environment, id, pushed))...)
}

// generationPlan changes the parameter, and nothing else.
func generationPlan(cib *crm.CIB, id, generation string) (crm.Plan, error) {
	o, ok := cib.Object(id)
	p, isPrimitive := o.(*crm.Primitive)
	if !ok || !isPrimitive {
		return crm.Plan{}, outcome.Errorf(outcome.Conflict, "%s was removed from the configuration",
			id)
	}
	changed, leftovers := withoutPush(cib, p) // of a push that was killed
	changed.Params.Set(contract.ParamGeneration, generation)
	return change.Edit(cib, []crm.Object{changed}, leftovers)
}
