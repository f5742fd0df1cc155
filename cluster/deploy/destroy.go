package deploy

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Removal is a plan that removes everything hawser made.
type Removal struct {
	Changes  crm.Plan
	Forecast crm.Forecast
	Warnings []string

	made []string
	stop crm.Plan // gives the resources the order to stop, before they are deleted
}

// Interruptions says what visitors will notice.
func (r Removal) Interruptions() []string { return Interruptions(r.Changes, r.Forecast) }

// Empty says whether hawser made nothing in this cluster.
func (r Removal) Empty() bool { return r.Changes.Empty() }

// PlanRemoval plans what Destroy does. It is refused while one of the resources is not managed: the
// order to stop would wait until Pacemaker manages it again, and stop it then.
func (d *Deployer) PlanRemoval(ctx context.Context) (Removal, error) {
	r, err := d.planRemoval(ctx)
	return r, outcome.Untouched(ctx, err)
}

func (d *Deployer) planRemoval(ctx context.Context) (Removal, error) {
	cib, err := d.Cluster.Query(ctx)
	if err != nil {
		return Removal{}, err
	}
	var r Removal
	if r.Changes, err = removing(cib); err != nil || r.Empty() {
		return r, err
	}
	r.made = cib.Tagged(contract.TagID)
	if r.stop, err = change.Stopping(cib, r.made); err != nil {
		return Removal{}, err
	}
	if d.Running {
		if err := change.AllManaged(ctx, d.Cluster, r.made); err != nil {
			return Removal{}, err
		}
	}
	// A configuration in a file has no running resources to stop.
	first := r.stop
	if !d.Running || r.stop.Empty() {
		first = r.Changes
	}
	if r.Forecast, err = d.Cluster.Check(ctx, first); err != nil &&
		!errors.Is(err, crm.ErrNoFencing) {
		return Removal{}, err
	}
	stays := r.Changes.New
	if fencing.StartsNothing(stays) && !fencing.StartsNothing(cib) &&
		slices.ContainsFunc(stays.Objects(), isPrimitive) {
		r.Warnings = append(r.Warnings,
			"fencing is on again after this and no fencing device is configured: Pacemaker will "+
				"start "+
				"none of the resources that stay, unless you configure one, or `hawser configure "+
				"property stonith-enabled=false`")
	}
	return r, nil
}

// Destroy stops the resources, waits until they have stopped, and deletes what was approved.
func (d *Deployer) Destroy(ctx context.Context, r Removal, timeout time.Duration,
	progress change.Progress) error {
	if !d.Running {
		return change.Commit(ctx, d.Cluster, r.Changes, removing)
	}
	if err := change.Stop(ctx, d.Cluster, r.stop, r.made, timeout, progress); err != nil {
		return err
	}
	if err := d.removeStopped(ctx, r.stop.New); err != nil {
		return outcome.After(err,
			"the resources are stopped, but still configured: `hawser destroy` continues, "+
				"`hawser apply` starts them again")
	}
	return nil
}

// removing deletes everything hawser made.
func removing(cib *crm.CIB) (crm.Plan, error) {
	p, err := crm.Diff(cib, crm.Spec{Tag: contract.TagID, Note: noteOf(contract.Applied{})})
	if err != nil {
		return crm.Plan{}, err
	}
	return p, onlyOurs(p, nil)
}

// removeStopped deletes what has been stopped, if that is still what was approved: the same as when
// the stop was ordered.
func (d *Deployer) removeStopped(ctx context.Context, then *crm.CIB) error {
	approved, err := removing(then)
	if err != nil {
		return err
	}
	cib, err := d.Cluster.Query(ctx)
	if err != nil {
		return err
	}
	meanwhile := "somebody else changed the configuration while the resources stopped" +
		change.LastEdit(then, cib) + ", and nothing was deleted"
	remove, err := removing(cib)
	if err != nil {
		return outcome.Errorf(outcome.Conflict, meanwhile+"; now: %w", err)
	}
	if !remove.Same(approved) {
		return &change.Changed{Next: remove, Message: meanwhile}
	}
	return change.Commit(ctx, d.Cluster, remove, removing)
}

func isPrimitive(o crm.Object) bool {
	_, ok := o.(*crm.Primitive)
	return ok
}
