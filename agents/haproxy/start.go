package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// start runs HAProxy. What it finds decides:
//
//   - a HAProxy of this instance that answers and has the wanted command line: nothing to do;
//   - one that is half started, hung, or has another command line: it is ended first, but not
//     before the new configuration has been checked;
//   - files of one that is gone: removed. Where nothing runs, nothing is checked beforehand: HAProxy
//     reads its configuration before anything else, and one that takes long to read is read once.
//
// A start that is killed at any point leaves something that one of these covers.
func (a *agent) start(ctx context.Context) error {
	in := a.instance(ctx)
	in.NameNode(ctx)
	if err := a.run(ctx, in); err != nil {
		// No HAProxy is going to accept what waits on sockets that a keeper may hold.
		if ended := in.DismissKeeper(ctx); ended != nil {
			ocf.CallFrom(ctx).Warnf("%v", ended)
		}
		return err
	}
	a.keep(ctx, in)
	return nil
}

func (a *agent) run(ctx context.Context, in *instance.Instance) error {
	call := ocf.CallFrom(ctx)
	if err := a.checkExtra(); err != nil {
		return err
	}
	if err := in.CheckDir(); err != nil {
		return err
	}
	fam, err := in.Find()
	if err != nil {
		return err
	}
	if in.Serves(ctx, fam) {
		return in.MarkWanted()
	}

	if err := in.CheckBinary(); err != nil {
		return err
	}
	sources, err := in.Sources()
	if err != nil {
		return err
	}
	env, err := in.Environment(ctx, sources, true)
	if err != nil {
		return err
	}
	given := in.UnitSettings(ctx)
	env = instance.WithUnitEnvironment(given, env)
	// and not what the state says about the HAProxy that this one replaces
	if given == nil {
		given = systemd.Unchanged()
	}
	if err := in.WriteFragment(in.StatsSocket(), given, env); err != nil {
		return err
	}
	if err := in.WriteLastFragment(sources, env); err != nil {
		return err
	}
	instance.MakeSocketDirs(ctx, sources, env)
	in.Advise(ctx, sources, env)
	if !fam.Empty() {
		if err := in.CheckConfig(ctx, in.ConfigPaths(), env); err != nil {
			return err
		}
	}
	in.CheckUnit(ctx)
	if err := in.RefuseStrangers(instance.WillBind(sources, env)); err != nil {
		return err
	}

	if fam, err = in.Find(); err != nil { // a start that was killed may have gone on meanwhile
		return err
	}
	if !fam.Empty() {
		call.Warnf("ending what is left of an earlier HAProxy of this resource: %s", fam)
		if err := in.End(ctx, 0); err != nil {
			return err
		}
	}
	if err := in.Clear(); err != nil {
		return fmt.Errorf("cannot remove what an earlier HAProxy left: %w", err)
	}
	if err := in.WriteFragment(in.StatsSocket(), given, env); err != nil {
		return err
	}
	if err := in.WriteLastFragment(sources, env); err != nil {
		return err
	}
	began := time.Now()
	in.MarkUnread()
	if err := in.Launch(ctx, given, env, in.OnHeldSockets(ctx, in.Args())); err != nil {
		return in.WhyNotStarted(ctx, in.NameHolder(err), sources, env)
	}
	var loaded []client.Source
	var hash string
	if _, err := in.Settle(ctx, func() instance.State {
		loaded, hash = in.HasLoaded(ctx, began, sources)
		return instance.State{ByResource: true, Env: env, Given: given, Pushed: a.push.String(),
			Owner:    instance.OwnerToNote(given),
			Settings: a.settings(ctx), Belongings: in.BelongingsOf(loaded, env),
			Served: in.ServesNow(loaded, hash, env)}
	}); err != nil {
		return in.WhyNotStarted(ctx, err, sources, env)
	}
	if names := in.MissingNow(loaded, hash, env); len(names) > 0 {
		// an empty word, for HAProxy, and so every address where one was meant
		return errors.Join(fmt.Errorf("%s was changed while HAProxy was being started: it mentions %s "+
			"now, which HAProxy was not started with", a.Conffile, strings.Join(names, " and ")),
			in.End(ctx, 0), in.Clear())
	}
	in.WarnIfSlow(ctx, time.Since(began))
	if err := in.KeepLoaded(loaded, hash); err != nil {
		call.Warnf("%v", err)
	}
	a.followOrderAtStart(ctx, in, hash)
	return nil
}
