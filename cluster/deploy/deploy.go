// Package deploy makes a cluster run what hawser.yaml says, and removes that again.
//
// The steps are read -> judge -> plan -> show -> ask -> write. Showing and asking are up to the
// caller: Plan returns a value that holds everything to show, and Apply writes exactly that plan or
// nothing. Destroy takes the same steps. It imports change, fencing, inventory, preflight, config
// and crm; it never imports move, rollout or status. Open this file first; objects.go has what is
// written to the CIB, and why.
package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Deployer is what planning and writing need. host fills it in.
type Deployer struct {
	Cluster crm.Cluster
	Running bool // a cluster runs behind the configuration: it is not a file or a shadow copy
	Node    preflight.Node
	Facts   fencing.Sources
	Trial   fencing.Trial
	// Device asks Corosync for the quorum device; nil asks nothing.
	Device func(ctx context.Context) (corosync.DeviceState, error)
	// Adopt takes over what the file names and somebody else made, as far as hawser makes such
	// objects: it is changed, and hawser's from then on.
	Adopt bool
	// User is who applies, Now the time, for the note of who applied what; without a clock there is
	// none.
	User string
	Now  func() time.Time
}

// Plan is what a file would change, with the warnings and the forecast.
type Plan struct {
	Changes    crm.Plan
	Forecast   crm.Forecast // what Pacemaker's scheduler would do
	Forecasted bool         // Forecast was made
	Warnings   []string
	Quorum     fencing.Quorum

	file  *config.File
	taken []string
	made  time.Time
}

// Protection says what keeps an address from being held by two nodes, now and with the plan.
func (p Plan) Protection() (now, then string) {
	return fencing.Protection(p.Changes.Base, p.Quorum), fencing.Protection(p.Changes.New, p.Quorum)
}

// Interruptions says what visitors will notice.
func (p Plan) Interruptions() []string { return Interruptions(p.Changes, p.Forecast) }

// Plan compares the file with the cluster, judges its fencing, and has Pacemaker verify the outcome
// and say what it would do: if a forecast is wanted, and always if something that runs is touched.
// What the file refers to on this node is checked meanwhile. taken are the ids of objects that
// somebody else made and hawser takes over, whatever their kinds.
func (d *Deployer) Plan(ctx context.Context, file *config.File, forecast bool,
	taken ...string) (Plan, error) {
	type checked struct {
		warnings []string
		err      error
	}
	local := make(chan checked, 1)
	go func() {
		warnings, err := d.Node.Check(ctx, file)
		local <- checked{warnings, err}
	}()
	p, err := d.planCluster(ctx, file, forecast, taken)
	here := <-local
	if err := outcome.Untouched(ctx, errors.Join(err, here.err)); outcome.Of(err) ==
		outcome.Interrupted {
		return Plan{}, err
	}
	// What is wrong with the file is the more useful answer; if the cluster cannot be asked at all,
	// both are reported.
	if err != nil || here.err != nil {
		var invalid *crm.InvalidError
		if here.err != nil && err != nil && !errors.As(err, &invalid) &&
			outcome.Of(err) != outcome.Usage {
			return Plan{}, here.err
		}
		return Plan{}, errors.Join(here.err, err)
	}
	p.Warnings = append(here.warnings, p.Warnings...)
	return p, nil
}

func (d *Deployer) planCluster(ctx context.Context, file *config.File, forecast bool,
	taken []string) (Plan, error) {
	p := Plan{file: file, taken: taken, made: d.signature(file).At}
	var err error
	if !forecast {
		if p.Changes, err = d.difference(ctx, file, d.Cluster.Configuration, taken); err != nil {
			return Plan{}, err
		}
		forecast = touchesRunning(p.Changes)
	}
	if forecast {
		if p.Changes, err = d.difference(ctx, file, d.Cluster.Query, taken); err != nil {
			return Plan{}, err
		}
	}
	elsewhere, err := d.checkTaken(ctx, file, p.Changes)
	facts := d.Facts.Gather(ctx, file, p.Changes)
	p.Quorum = facts.Quorum
	warnings, refused := fencing.Review(file, p.Changes, facts)
	if err = errors.Join(err, refused); err != nil {
		return Plan{}, err
	}
	p.Warnings = slices.Concat(d.otherFile(file, p.Changes), elsewhere,
		d.thirdPlace(ctx, file, p.Changes.Base.Members()), warnings)
	if d.Running && !p.Changes.Base.Quorate() {
		p.Warnings = append(p.Warnings, noQuorum)
	}
	if p.Changes.Empty() {
		return p, nil
	}
	if p.Forecasted = forecast; forecast {
		p.Forecast, err = d.Cluster.Check(ctx, p.Changes)
	} else {
		p.Forecast.Warnings, err = d.Cluster.Verify(ctx, p.Changes)
	}
	if errors.Is(err, crm.ErrNoFencing) {
		err = nil // Review has judged that
	}
	p.Warnings = append(p.Warnings, p.Forecast.Warnings...)
	return p, err
}

// noQuorum warns that "nothing to do" does not mean that anything runs.
const noQuorum = "no quorum here: this node's part of the cluster starts nothing and takes no changes; " +
	"the others may be serving (`hawser status` says what it waits for)"

// difference reads the configuration and returns what the file changes in it.
func (d *Deployer) difference(ctx context.Context, file *config.File,
	read func(context.Context) (*crm.CIB, error), taken []string) (crm.Plan, error) {
	cib, err := read(ctx)
	if err != nil {
		return crm.Plan{}, err
	}
	return d.diff(file, cib, taken)
}

// Diff returns what the file changes in the configuration. taken are the ids of objects that somebody
// else made and hawser takes over: those that the file has are kept and become hawser's, the others
// are deleted.
func (d *Deployer) Diff(file *config.File, cib *crm.CIB, taken ...string) (crm.Plan, error) {
	return d.diff(file, cib, taken)
}

func (d *Deployer) diff(file *config.File, cib *crm.CIB, taken []string) (crm.Plan, error) {
	if err := checkNodes(file, cib); err != nil {
		return crm.Plan{}, err
	}
	made := append(cib.Tagged(contract.TagID), taken...)
	p, err := crm.Diff(cib, crm.Spec{
		Objects: Objects(file, cib), Tag: contract.TagID, Adoptable: couldBeOurs, Adopt: d.Adopt,
		Note:  d.note(file),
		Owned: func(id string) bool { return slices.Contains(made, id) },
	})
	if err != nil {
		return crm.Plan{}, err
	}
	return p, onlyOurs(p, taken)
}

// Try checks that a fencing device which the plan would write is able to fence.
func (d *Deployer) Try(ctx context.Context, p Plan) (warnings []string, err error) {
	warnings, err = d.Trial.Try(ctx, p.file, p.Changes)
	return warnings, outcome.Untouched(ctx, err)
}

// Apply writes the plan that was approved. If the cluster has changed meanwhile it plans again, and
// the error is *change.Changed if the new plan differs. Fencing is judged again too: a node may
// have become unreachable while the operator was asked.
func (d *Deployer) Apply(ctx context.Context, p Plan) error {
	approved := p.Changes
	if d.Now != nil && d.Now().Sub(p.made) > stale { // the note says when this was applied
		if again, err := d.diff(p.file, approved.Base, p.taken); err == nil {
			approved = again
		}
	}
	return change.Commit(ctx, d.Cluster, approved, func(cib *crm.CIB) (crm.Plan, error) {
		next, err := d.diff(p.file, cib, p.taken)
		if err != nil {
			return crm.Plan{}, err
		}
		_, taken := d.checkTaken(ctx, p.file, next)
		_, err = fencing.Review(p.file, next, d.Facts.Gather(ctx, p.file, next))
		return next, errors.Join(taken, err)
	})
}

// Verdict is an error if one of the plan's resources has failed since then, or is not where it
// should be.
func (d *Deployer) Verdict(ctx context.Context, p Plan, since time.Time) error {
	status, err := d.Cluster.Status(ctx)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled) && !p.Changes.Empty():
		return outcome.Errorf(outcome.Interrupted, "interrupted: the configuration is written and the "+
			"cluster has settled, `hawser status` shows whether everything runs")
	case err != nil:
		return outcome.Untouched(ctx, err)
	}
	ours := map[string]bool{}
	for _, id := range p.Changes.New.Tagged(contract.TagID) {
		ours[id] = true
	}
	var lines []string
	explained := map[string]bool{}
	for _, f := range status.Failures {
		if id := crm.ResourceOf(f.Resource); ours[id] && f.Since(since) {
			lines = append(lines, f.String())
			explained[id] = true
		}
	}
	for _, m := range status.Missing() {
		if !ours[m.ID] {
			continue
		}
		if explained[m.ID] {
			m.Reasons = nil
		}
		lines = append(lines, m.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return outcome.Errorf(outcome.Resource, "%s", strings.Join(lines, "\n"))
}
