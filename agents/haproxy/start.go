package haproxy

import (
	"context"
	"errors"
	"fmt"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// askEvery is the pause between two looks at something that is about to happen.
const askEvery = 10 * time.Millisecond

// start runs HAProxy. What it finds decides:
//
//   - a HAProxy of this instance that answers and has the wanted command line: nothing to do;
//   - one that is half started, hung, or has another command line: it is ended first, but not before the new configuration has
//     been checked;
//   - files of one that is gone: removed.
//
// A start that is killed at any point leaves something that one of these covers.
func (a *agent) start(ctx context.Context) error {
	f := filesOf(ctx)
	if err := a.run(ctx, f); err != nil {
		// Nobody is going to accept what waits on sockets that a keeper may hold.
		if ended := a.dismiss(ctx, f); ended != nil {
			ocf.CallFrom(ctx).Warnf("%v", ended)
		}
		return err
	}
	a.keep(ctx, f)
	return nil
}

func (a *agent) run(ctx context.Context, f files) error {
	call := ocf.CallFrom(ctx)
	if err := a.checkExtra(); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	fam, err := a.find(f)
	if err != nil {
		return err
	}
	if a.serves(ctx, f, fam) {
		return f.wanted()
	}

	if err := a.checkBinary(); err != nil {
		return err
	}
	sources, err := a.sources()
	if err != nil {
		return err
	}
	env, err := a.environment(ctx, sources, &f)
	if err != nil {
		return err
	}
	a.given = a.unitSettings(ctx)
	env = withUnitEnvironment(a.given, env)
	if a.given == nil { // and not what the state says of the HAProxy that this one is to take the place of
		a.given = systemd.Unchanged()
	}
	if err := a.writeFragment(f, f.StatsSocket()); err != nil {
		return err
	}
	makeSocketDirs(ctx, sources, env)
	if err := a.checkConfig(ctx, a.checked(f), env); err != nil {
		return err
	}
	a.heedUnit(ctx)
	if err := a.refuseStrangers(f, client.Binds(sources, procfs.Getenv(env))); err != nil {
		return err
	}

	if fam, err = a.find(f); err != nil { // a start that was killed may have gone on meanwhile
		return err
	}
	if !fam.empty() {
		call.Warnf("ending what is left of an earlier HAProxy of this resource: %s", fam)
		if err := a.end(ctx, f, 0); err != nil {
			return err
		}
	}
	if err := f.clear(); err != nil {
		return fmt.Errorf("cannot remove what an earlier HAProxy left: %w", err)
	}
	if err := a.writeFragment(f, f.StatsSocket()); err != nil {
		return err
	}
	if err := a.launch(ctx, f, a.given, env, a.onHeldSockets(ctx, f, a.args(f))); err != nil {
		return a.nameHolder(f, err)
	}
	if err := a.settle(ctx, f, func() state {
		return state{ByResource: true, Env: env, Given: a.given, Pushed: a.push.String(), Served: a.takes(sources, served{})}
	}); err != nil {
		return err
	}
	if _, err := a.keepCopies(f, sources); err != nil {
		call.Warnf("%v", err)
	}
	a.orderedAtStart(ctx, f)
	return nil
}

// wanted remembers that HAProxy is to run, whatever a stop that was killed or a keeper that gave up remembered.
func (f files) wanted() error {
	s, ok := f.load()
	if !ok || s.kept() {
		return nil
	}
	s.Stopping, s.GaveUp = false, false
	return f.save(s)
}

// serves is whether a HAProxy of this instance runs as it should.
func (a *agent) serves(ctx context.Context, f files, fam family) bool {
	if len(fam.masters) != 1 || fam.masters[0].stat.Stopped() || !sameArgs(fam.masters[0].args, a.args(f)) && !sameArgs(fam.masters[0].args, a.argsOnCopies(f)) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	info, err := client.Runtime{Path: f.StatsSocket()}.Info(ctx)
	return err == nil && !info.Stopping && len(fam.workersOf(fam.masters[0].PID)) > 0
}

// settle waits until the new HAProxy answers, remembers it, and makes sure that it has its addresses to itself. The worker's
// sockets listen before there is a worker, so an answer on the stats socket says that they do. The master has to answer as well:
// it executes itself anew once it has its worker, and until then does not hear signals.
func (a *agent) settle(ctx context.Context, f files, remembered func() state) error {
	var fam family
	for {
		var err error
		if fam, err = a.find(f); err != nil {
			return err
		}
		if fam.empty() {
			return fmt.Errorf("HAProxy started and ended at once: %s", f.lastWords("see its own log, or the system's, for why"))
		}
		if err = a.ready(ctx, f, fam); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("HAProxy started but is not ready: %w", errors.Join(err, ctx.Err()))
		case <-time.After(askEvery):
		}
	}
	s := remembered()
	s.Master = fam.masters[0].process
	if err := f.save(s); err != nil {
		return err
	}
	addrs, err := bound(fam)
	if err == nil {
		err = a.refuseStrangers(f, addrs)
	}
	if err == nil {
		return nil
	}
	if ended := a.end(ctx, f, 0); ended != nil {
		return fmt.Errorf("%w; and HAProxy could not be stopped again: %w", err, ended)
	}
	return errors.Join(err, f.clear())
}

// ready is whether both of the family's processes answer.
func (a *agent) ready(ctx context.Context, f files, fam family) error {
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	if len(fam.masters) != 1 || len(fam.others) != 1 {
		return fmt.Errorf("there are other processes than a master and a worker: %s", fam)
	}
	info, err := client.Runtime{Path: f.StatsSocket()}.Info(ctx)
	if err != nil {
		return err
	}
	if err := a.fit(info, fam.masters[0].process); err != nil {
		return err
	}
	_, err = client.Master{Path: f.MasterSocket()}.Procs(ctx)
	return err
}
