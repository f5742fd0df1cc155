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
	args := fam.Masters[0].Args
	if !sameArgs(args, in.Args()) && !sameArgs(args, in.argsOnCopies()) {
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

// Settle waits until the new HAProxy answers, remembers it, and makes sure that no other HAProxy has
// its addresses. It returns what it remembered, also with ErrUnsaved. The worker's sockets listen
// before there is a worker, so an answer on the stats socket shows that they do. The master has to
// answer as well: it executes itself again once it has its worker, and until then does not receive
// signals.
func (in *Instance) Settle(ctx context.Context, remembered func() State) (State, error) {
	var fam Family
	for {
		var err error
		if fam, err = in.Find(); err != nil {
			return State{}, err
		}
		if fam.Empty() {
			return State{}, fmt.Errorf("HAProxy started and exited at once: %s",
				in.lastWords("see its own log, or the system's, for why"))
		}
		if err = in.ready(ctx, fam); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return State{}, fmt.Errorf("HAProxy started but is not ready: %w", errors.Join(err, ctx.Err()))
		case <-time.After(AskEvery):
		}
	}
	s := remembered()
	s.Master = fam.Masters[0].Process
	unsaved := in.Save(s)
	addrs, err := bound(fam)
	if err == nil {
		err = in.RefuseStrangers(addrs)
	}
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
