package haproxy

import (
	"context"
	"errors"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/ocf"
)

// stop ends HAProxy: its master, its workers and those from before its last reloads. It lets
// connections finish for stop_grace, then terminates HAProxy, then kills it. It goes by the
// processes that exist and needs neither a program, nor a configuration, nor valid parameters, nor
// any file.
func (a *agent) stop(ctx context.Context) error {
	in := a.instance(ctx)
	remembered, known := in.Load()
	if known {
		remembered.Stopping = true
		if err := in.Save(remembered); err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
		}
	}
	// Before HAProxy stops accepting: on a socket that is held and that nobody accepts on, clients
	// would wait in vain.
	held := a.holdForStart(ctx, in)
	if !held {
		if err := in.DismissKeeper(ctx); err != nil {
			return err
		}
	}
	// first: by this attribute an address goes to a node whose HAProxy serves, not to one that is
	// ending its connections
	a.withdraw(ctx, in, remembered)
	if err := in.End(ctx, a.StopGrace); err != nil {
		return err
	}
	err := in.Clear()
	if !held {
		err = errors.Join(err, instance.Remove(in.KeeperSocket(), in.KeeperCall(),
			in.KeeperCall()+".new", in.KeeperLink(), in.StandbyLink()))
	}
	if err != nil { // on a file system that cannot be written; nothing goes by what they say
		ocf.CallFrom(ctx).Warnf("HAProxy is stopped, but its files cannot be removed: %v", err)
	}
	return nil
}

// endKeeper ends a keeper that keeps a stop waiting for the lock: it may be bringing HAProxy back,
// which takes as long as HAProxy needs to load its configuration, or for ever if that is on a disk
// that hangs.
func (a *agent) endKeeper(ctx context.Context) {
	call := ocf.CallFrom(ctx)
	call.Infof("something else has been busy with HAProxy for a while: ending the keeper")
	if err := a.instance(ctx).DismissKeeper(ctx); err != nil {
		call.Warnf("%v", err)
	}
}

// holdForStart makes the keeper keep holding the listening sockets if Pacemaker is about to start
// the resource here again, as it does for a changed parameter: then that restart refuses no
// connection. HAProxy serves while Pacemaker is asked.
func (a *agent) holdForStart(ctx context.Context, in *instance.Instance) bool {
	call := ocf.CallFrom(ctx)
	if !call.Clustered || !a.Keeper || !in.HoldsSockets(ctx) {
		return false
	}
	again, err := in.WillReturn(ctx)
	if err != nil {
		call.Infof("it is not known whether the resource will be started here again: %v", err)
	}
	if !again {
		return false
	}
	if _, err := in.AskKeeper(ctx, "hold"); err != nil {
		call.Infof("the keeper does not hold HAProxy's sockets for the start: %v", err)
		return false
	}
	return true
}
