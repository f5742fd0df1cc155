package adopt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/deploy"
	"github.com/hawser-ha/hawser/cluster/effect"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Adopter is what adopting needs. host fills it in.
type Adopter struct{ Deployer *deploy.Deployer }

// Plan is a set-up that is taken over, what that changes in the cluster, and what becomes of what
// visitors reach.
type Plan struct {
	Found
	Changes deploy.Plan
	Effect  effect.Effect

	stop  crm.Plan    // stops what has to be stopped first
	write deploy.Plan // Changes, for the configuration that the stop leads to
}

// Headline says that visitors will notice it, "" if they will not.
func (p Plan) Headline() string {
	if len(p.StopFirst) > 0 {
		return "THIS INTERRUPTS SERVICE: HAProxy stops on every node, and starts again when it has " +
			"stopped everywhere."
	}
	return p.Effect.Headline()
}

// Read reads the set-up of the cluster, as the function Read does.
func (a *Adopter) Read(ctx context.Context, path, tokenFile string) (Found, error) {
	cib, err := a.Deployer.Cluster.Query(ctx)
	if err != nil {
		return Found{}, err
	}
	return Read(cib, path, tokenFile)
}

// Plan plans what taking it over changes.
func (a *Adopter) Plan(ctx context.Context, found Found) (Plan, error) {
	d := *a.Deployer
	if found.Unit {
		d.Node.Unit = nil // which would warn of systemd's HAProxy, and that is the cluster's own
	}
	changes, err := d.Plan(ctx, found.File, true, found.Taken...)
	if err != nil {
		return Plan{}, err
	}
	status, err := d.Cluster.Status(ctx)
	if err != nil {
		return Plan{}, err
	}
	now := crm.Snapshot{CIB: changes.Changes.Base, Status: status}
	p := Plan{Found: found, Changes: changes, write: changes,
		Effect: effect.Of(now, changes.Changes.New, changes.Forecast)}
	if len(found.StopFirst) > 0 && d.Running {
		if err := change.AllManaged(ctx, d.Cluster, found.StopFirst); err != nil {
			return Plan{}, err
		}
		if p.stop, err = change.Stopping(changes.Changes.Base, found.StopFirst); err != nil {
			return Plan{}, err
		}
		p.write.Changes, err = d.Diff(found.File, p.stop.New, found.Taken...)
	}
	return p, err
}

// Adopt writes hawser.yaml, over what is there only if over is given, stops what has to be stopped
// first, and writes the plan. If the plan is not written, hawser.yaml is as it was before. The stop
// may take as long as timeout.
func (a *Adopter) Adopt(ctx context.Context, p Plan, over bool, timeout time.Duration,
	progress change.Progress) error {
	path := p.File.Path
	undo, err := Write(path, p.YAML, Mode(p.File), over)
	if err != nil {
		return outcome.Errorf(outcome.Failed, "%s cannot be written: %w; nothing was changed", path,
			outcome.Cause(err))
	}
	if !p.stop.Empty() {
		err := change.Stop(ctx, a.Deployer.Cluster, p.stop, p.StopFirst, timeout, progress)
		if err != nil {
			return errors.Join(err, undo()) // which says what is stopped
		}
	}
	err = a.Deployer.Apply(ctx, p.write)
	if err != nil && !p.stop.Empty() {
		err = outcome.After(err, p.stopped())
	}
	switch {
	case err == nil:
		return nil
	case outcome.Of(err) == outcome.Conflict, outcome.Of(err) == outcome.Usage,
		errors.Is(err, crm.ErrNoQuorum), errors.Is(err, crm.ErrPermission),
		errors.Is(err, crm.ErrUnwritten):
		return errors.Join(err, undo()) // nothing was written
	}
	return outcome.After(err, path+" is written; `hawser plan` shows whether the cluster has it: "+
		"if not, `hawser adopt --force` does it again")
}

// stopped says what is so when the plan is not written after the stop was ordered.
func (p Plan) stopped() string {
	return fmt.Sprintf("%s HAS BEEN ORDERED TO STOP, and stays stopped: `hawser adopt` goes on, and "+
		"`hawser start %[1]s` starts it again as it was", p.StopFirst[0])
}
