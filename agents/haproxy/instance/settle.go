package instance

import (
	"context"
	"errors"
	"fmt"
	"time"

	client "github.com/hawser-ha/hawser/haproxy"
)

// AskEvery is the pause between two looks at something that is about to happen.
const AskEvery = 10 * time.Millisecond

// MarkWanted remembers that HAProxy should run, whatever an interrupted stop or a keeper that gave
// up had remembered.
func (in *Instance) MarkWanted() error {
	s, ok := in.Load()
	if !ok || s.Wanted() {
		return nil
	}
	s.Stopping, s.GaveUp = false, false
	return in.Save(s)
}

// Serves reports whether a HAProxy of this instance runs as it should.
func (in *Instance) Serves(ctx context.Context, fam Family) bool {
	if len(fam.Masters) != 1 || fam.Masters[0].Stat.Stopped() {
		return false
	}
	if !in.startedWith(fam.Masters[0].Args) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, Briefly)
	defer cancel()
	info, err := client.Runtime{Path: in.StatsSocket()}.Info(ctx)
	if err != nil || info.Stopping && !in.IsOld(ctx, info.Pid) {
		return false
	}
	return len(fam.WorkersOf(fam.Masters[0].PID)) > 0
}

// ErrUnsaved means that HAProxy runs, and that this could not be noted: /run is full.
var ErrUnsaved = errors.New("HAProxy runs, but that cannot be noted")

// startedWith reports whether a command line is that of a HAProxy as the parameters want it.
func (in *Instance) startedWith(args []string) bool {
	for _, wanted := range [][]string{in.Args(), in.argsOnCopies()} {
		old := wanted[:len(wanted)-len(in.lastArgs())]
		if sameArgs(args, wanted) || sameArgs(args, old) {
			return true
		}
	}
	return false
}

// Settle waits until the new HAProxy answers, remembers it, and makes sure that no other HAProxy has
// its addresses. It returns what it remembered, also with ErrUnsaved. The worker's sockets listen
// before there is a worker, so an answer on the stats socket shows that they do. The master has to
// answer as well: it executes itself again once it has its worker, and until then does not receive
// signals.
func (in *Instance) Settle(ctx context.Context, remembered func() State) (State, error) {
	var fam Family
	began := time.Now()
	for {
		var err error
		if fam, err = in.Find(); err != nil {
			return State{}, err
		}
		if fam.Empty() {
			return State{}, in.startFailure("HAProxy started and exited at once: ",
				"see its own log, or the system's, for why")
		}
		if err = in.ready(ctx, fam); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return State{}, slow(ctx, "HAProxy started but was not ready", began,
				errors.Join(err, ctx.Err()))
		case <-time.After(AskEvery):
		}
	}
	s := remembered()
	s.Master, s.Served.Worker = fam.Masters[0].Process, fam.Others[0].PID
	unsaved := in.Save(s)
	in.KeepBelongings(ctx, s)
	err := in.refuseBeside(ctx, fam)
	switch {
	case err == nil && unsaved != nil:
		return s, fmt.Errorf("%w: %w", ErrUnsaved, unsaved)
	case err == nil:
		return s, nil
	}
	if ended := in.End(ctx, 0); ended != nil {
		return s, fmt.Errorf("%w; and HAProxy could not be stopped again: %w", err, ended)
	}
	return s, errors.Join(err, in.Clear())
}

// ready returns an error until both the master and the worker answer.
func (in *Instance) ready(ctx context.Context, fam Family) error {
	ctx, cancel := context.WithTimeout(ctx, Briefly)
	defer cancel()
	if len(fam.Masters) != 1 || len(fam.Others) != 1 {
		return fmt.Errorf("there are processes besides a master and a worker: %s", fam)
	}
	info, err := client.Runtime{Path: in.StatsSocket()}.Info(ctx)
	if err != nil {
		return err
	}
	if err := in.checkAnswer(info, fam.Masters[0].Process); err != nil {
		return err
	}
	_, err = client.Master{Path: in.MasterSocket()}.Procs(ctx)
	return err
}
