// Package rollout brings a configuration of HAProxy to every node: Reload has each load the files
// that it has, Push brings the files too. Both go through the cluster's configuration, and neither
// lets a broken configuration cause an outage.
//
// PlanReload and PlanPush check and simulate, and change nothing but a stale record of a probe;
// Reload and Push write what was planned and wait for each node's answer. The agent's side is
// agents/haproxy. It imports change, inventory, preflight, contract, crm and haproxy, and never
// deploy, move or status. Open this file first.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Roller is what reloads and pushes need. host fills it in.
type Roller struct {
	Cluster crm.Cluster
	Remote  bool   // the cluster is another machine's: the files are not here
	Node    string // this machine's name in the cluster
	RunDir  string // the agents' runtime files
	Root    bool   // who runs this is root
	Now     func() time.Time
	// HAProxy has this node's HAProxy check a configuration; Environment is the environment that a
	// resource's HAProxy was started with here, nil if none runs.
	HAProxy     func(ctx context.Context, h preflight.HAProxy) error
	Environment func(resource string) []string
	// OtherVersions says that this node's agents are of another version than this program, "" if
	// they are not; nil asks nothing.
	OtherVersions func(ctx context.Context) string
	// Progress is told what a plan waits for, such as Pacemaker; it may be nil.
	Progress func(what string)
}

// foresee has Pacemaker's scheduler simulate the change: it may restart the resource instead of
// reloading it. If the cause is a probe that found it running, the record of that probe is removed
// and the change is simulated again. With force a restart is a warning.
func (r *Roller) foresee(ctx context.Context, plan crm.Plan, replan change.Planner, id string,
	force bool) (next crm.Plan, warning string, err error) {
	nodes, err := r.restarts(ctx, plan, id)
	if err != nil || len(nodes) == 0 {
		return plan, "", err
	}
	for _, node := range nodes {
		if r.Progress != nil {
			r.Progress("waiting until Pacemaker forgets a probe of " + id + " on " + node)
		}
		if err := r.Cluster.ForgetProbe(ctx, id, node); err != nil {
			return plan, "", fmt.Errorf("there is a record of a probe of %s on %s, for which Pacemaker "+
				"would restart it: that cannot be removed: %w", id, node, err)
		}
	}
	cib, err := r.Cluster.Query(ctx)
	if err != nil {
		return plan, "", err
	}
	if plan, err = replan(cib); err != nil {
		return plan, "", err
	}
	if nodes, err = r.restarts(ctx, plan, id); err != nil || len(nodes) == 0 {
		return plan, "", err
	}
	what := fmt.Sprintf("Pacemaker would restart %s on %s instead of reloading it, which cuts "+
		"the connections that are open",
		id, strings.Join(nodes, ", "))
	if !force {
		return plan, "", outcome.Errorf(outcome.Failed,
			"%s; nothing was changed: accept that with --force, or restart one node "+
				"after the other (standby, and online again)", what)
	}
	return plan, what, nil
}

// restarts are the nodes on which Pacemaker would restart the resource if the plan were written.
func (r *Roller) restarts(ctx context.Context, plan crm.Plan, id string) ([]string, error) {
	forecast, err := r.Cluster.Check(ctx, plan)
	if err != nil && !errors.Is(err, crm.ErrNoFencing) {
		return nil, err
	}
	var nodes []string
	for _, a := range forecast.Actions {
		if crm.ResourceOf(a.Resource) == id && (a.Task == "restart" || a.Task == "recover") {
			nodes = append(nodes, a.Node)
		}
	}
	slices.Sort(nodes)
	return nodes, nil
}
