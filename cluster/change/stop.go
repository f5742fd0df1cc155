package change

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Stopping gives the outermost resources among the ids the target role Stopped. Fencing devices are
// left alone: until the others have stopped, a node that hangs meanwhile must be fenced; a device
// needs no stop, and disappears with its definition.
func Stopping(cib *crm.CIB, ids []string) (crm.Plan, error) {
	inside := map[string]bool{} // members of clones and groups that stop: they follow
	for _, o := range cib.Objects() {
		if !slices.Contains(ids, o.ID()) {
			continue
		}
		switch o := o.(type) {
		case *crm.Clone:
			inside[o.Resource] = true
		case *crm.Group:
			for _, m := range o.Members {
				inside[m] = true
			}
		}
	}
	var stopped []crm.Object
	for _, o := range cib.Objects() {
		if !slices.Contains(ids, o.ID()) || inside[o.ID()] {
			continue
		}
		if p, ok := o.(*crm.Primitive); ok && p.Class == "stonith" {
			continue
		}
		if next, ok := crm.WithMeta(o, crm.MetaOf(o).With(crm.TargetRole, crm.RoleStopped)); ok {
			stopped = append(stopped, next)
		}
	}
	return Edit(cib, stopped, nil)
}

// Stop writes the plan that orders the resources to stop, and waits until they have stopped. If the
// wait is interrupted they are started again.
func Stop(ctx context.Context, c crm.Cluster, stop crm.Plan, ids []string, timeout time.Duration,
	progress Progress) error {
	if !stop.Empty() {
		replan := func(cib *crm.CIB) (crm.Plan, error) { return Stopping(cib, ids) }
		if err := Commit(ctx, c, stop, replan); err != nil {
			return err
		}
	}
	const done = "they have the target role Stopped"
	if err := Settle(ctx, c, timeout, done, progress); err != nil {
		return stopEnded(ctx, c, stop, ids, fmt.Errorf("stopping the resources: %w", err))
	}
	err := allStopped(ctx, c, ids)
	if err != nil && outcome.Of(err) != outcome.Resource { // it is not known whether they have
		return stopEnded(ctx, c, stop, ids, fmt.Errorf("asking whether the resources have stopped: %w", err))
	}
	return err
}

const notManaged = "it is not managed (maintenance mode, or is-managed=false), so Pacemaker " +
	"does not stop it"

// AllManaged is an error if one of the resources runs and Pacemaker would not stop it.
func AllManaged(ctx context.Context, c crm.Cluster, ids []string) error {
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, r := range status.Resources {
		if r.Active && !r.Managed && r.In(ids) {
			lines = append(lines,
				fmt.Sprintf("%s runs on %s and is not managed (maintenance mode, or "+
					"is-managed=false), "+
					"so Pacemaker does not stop it", r.ID, r.Node))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return outcome.Errorf(outcome.Resource,
		"%s\nnothing was changed: end that first, then run the command again",
		strings.Join(lines, "\n"))
}

// allStopped is an error if one of the resources still runs.
func allStopped(ctx context.Context, c crm.Cluster, ids []string) error {
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	var lines []string
	for _, r := range status.Resources {
		if !r.Active || !r.In(ids) || r.IsFencing() {
			continue
		}
		line := fmt.Sprintf("%s still runs on %s", r.ID, r.Node)
		switch {
		case !r.Managed:
			line += ": " + notManaged
		case r.Reason != "":
			line += ": " + r.Reason
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	if status.Fencing && len(status.Devices) == 0 {
		lines = append(lines, "Pacemaker starts and stops nothing while stonith-enabled is true "+
			"and no fencing device is configured")
	}
	return outcome.Errorf(outcome.Resource,
		"%s\nnothing was deleted: correct this, then run the command again",
		strings.Join(lines, "\n"))
}

// StopFirst makes sure that nothing that is to be deleted still runs: Pacemaker would stop it, but
// with no configuration left that says how.
func StopFirst(ctx context.Context, c crm.Cluster, ids []string, force bool, timeout time.Duration,
	progress Progress) (stopped bool, err error) {
	status, err := c.Status(ctx)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(status.Resources, func(r crm.ResourceStatus) bool {
		return r.Active && r.In(ids)
	})
	if at < 0 {
		return false, nil
	}
	if r := status.Resources[at]; !force {
		return false, outcome.Errorf(outcome.Failed,
			"%s runs on %s and is not deleted: stop it first, or use --force, which does",
			crm.ResourceOf(r.ID), r.Node)
	}
	cib, err := c.Query(ctx)
	if err != nil {
		return false, err
	}
	// If the deletion is not possible, nothing is stopped for it.
	if _, err := Edit(cib, nil, ids); err != nil {
		return false, err
	}
	stop, err := Stopping(cib, ids)
	if err != nil {
		return false, err
	}
	return true, Stop(ctx, c, stop, ids, timeout, progress)
}
