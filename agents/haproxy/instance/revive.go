package instance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Crash is a HAProxy that ended or hung without being asked to, and was brought back.
type Crash struct {
	At time.Time `json:"at"`
	// Cause is what happened, Took how long it took from then until HAProxy served again.
	Cause string        `json:"cause"`
	Took  time.Duration `json:"took"`
	// Copies is set if HAProxy was brought back with the kept configuration because its files have
	// been edited since.
	Copies bool `json:"copies,omitempty"`
	// Reported is whether a monitor has reported it to Pacemaker.
	Reported bool `json:"told,omitempty"`
}

// Why HAProxy is not brought back.
var (
	errRepeated = errors.New("it keeps crashing")
	ErrIntended = errors.New("it is being stopped")
)

// Wanted reports whether a HAProxy that is gone should be brought back: it was started, nobody has
// begun to stop it, and the keeper has not given it up.
func (s State) Wanted() bool { return s.Master.PID > 0 && !s.Stopping && !s.GaveUp }

// CheckHealth returns why a HAProxy that should run does not serve, nil if it does. It queries
// HAProxy once.
func (in *Instance) CheckHealth(ctx context.Context) error {
	s, running, err := in.Locate()
	switch {
	case err != nil:
		return err
	case !running:
		return errors.New("HAProxy is gone")
	}
	if err := s.CheckAlive(); err != nil {
		return err
	}
	if err := in.CheckWorker(s.State.Master); err != nil || !Exists(in.StatsSocket()) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Shortly)
	defer cancel()
	info, err := client.Runtime{Path: in.StatsSocket()}.Info(ctx)
	if err != nil {
		return err
	}
	return in.checkAnswer(info, s.State.Master)
}

// Shortly is how long a HAProxy may take to answer that is already in doubt.
const Shortly = 300 * time.Millisecond

// BringBack starts HAProxy again in place of the one that the state describes, with the
// configuration that it had loaded last, on the listening sockets that a keeper holds, if any.
// Whoever finds HAProxy dead calls it under the instance's lock, so that the first one does it and
// the others find HAProxy alive: the keeper, a recurring monitor, a reload.
//
// Clients are waiting, so nothing is checked beforehand and little is asked. A full /run, in which
// what was done cannot be noted, is no reason to give up a HAProxy that serves: the state is returned.
func (in *Instance) BringBack(ctx context.Context, s State, since time.Time,
	cause error) (State, error) {
	call := ocf.CallFrom(ctx)
	if !s.Wanted() {
		return s, ErrIntended
	}
	recent := 0
	for _, c := range s.Crashes {
		if time.Since(c.At) < in.CrashWindow && time.Since(c.At) >= 0 {
			recent++
		}
	}
	var loading *Loading
	waiting := s.Served.Asked
	if s.IsLoading() {
		loading = s.Pending.Loading
		waiting = loading.Generation
		call.Warnf("%s: %v", in.Conffile, in.notLoaded(&s, ErrDied))
	}
	managed := make(chan error, 1)
	go func() { managed <- in.Managed(ctx) }()
	args, files, changed := in.lastGood()
	switch err := <-managed; {
	case errors.Is(err, pacemaker.ErrUnmanaged) || errors.Is(err, pacemaker.ErrNoCluster):
		return s, err
	case err != nil:
		// One HAProxy too many on a node in maintenance can be stopped; a service that nobody
		// brings back is an outage.
		call.Warnf("bringing HAProxy back although it is not known whether it is managed here: %v",
			err)
	}
	if recent+1 >= in.MaxCrashes {
		return s, fmt.Errorf("%w: %d times in %s; the last time: %w", errRepeated, recent+1,
			param.FormatDuration(in.CrashWindow), cause)
	}
	if err := in.refuseUnset(s, files, changed); err != nil {
		return s, err
	}
	if err := in.killAll(ctx); err != nil {
		return s, err
	}
	if err := Remove(in.MasterSocket(), in.StatsSocket(), in.Pidfile()); err != nil {
		return s, fmt.Errorf("cannot remove what the dead HAProxy left: %w", err)
	}
	if err := in.writeFragmentsFor(s, files, changed); err != nil {
		return s, err
	}
	launched := time.Now()
	in.MarkUnread()
	if err := in.Launch(ctx, s.Given, s.Env, in.OnHeldSockets(ctx, args)); err != nil {
		return s, in.NameHolder(err)
	}
	now := Crash{At: time.Now(), Cause: Complaint(cause), Copies: changed}
	s.Crashes = append(s.Crashes, now)
	if extra := len(s.Crashes) - contract.CrashesKept; extra > 0 {
		s.Crashes = s.Crashes[extra:]
	}
	last := &s.Crashes[len(s.Crashes)-1]
	if !changed {
		s.Pending = nil // HAProxy has now read what was waiting for a reload
	}
	s.Served.At = time.Now()
	s, err := in.Settle(ctx, func() State {
		last.Took = time.Since(since)
		if !changed {
			files, s.Served.Config = in.HasLoaded(ctx, launched, files)
			if s.Served = in.Answered(s.Served, waiting, files); loading.serves(s.Served.Config) {
				s.Served.Generation, s.Served.Asked = loading.Generation, ""
			}
		}
		return s
	})
	if errors.Is(err, ErrUnsaved) {
		call.Errorf("%v", err)
	} else if err != nil {
		return s, err
	}
	if !changed {
		if err := in.KeepLoaded(files, s.Served.Config); err != nil {
			call.Warnf("%v", err)
		}
	}
	in.publishCrash(ctx, s)
	if !changed {
		in.warnOfUnset(ctx, &s, files)
	}
	if loading != nil {
		in.answerLate(ctx, &s, loading, loading.outcomeAfterCrash(s.Served.Config))
	}
	call.Warnf("HAProxy was brought back %s after this: %v (%s)", last.Took.Round(time.Millisecond),
		cause, s.crashesInWords())
	if changed {
		call.Warnf("HAProxy runs the last configuration that it had loaded: %s has been changed "+
			"since, and was not reloaded", in.Conffile)
	}
	return s, nil
}

// GiveUp remembers that Pacemaker is to recover HAProxy.
func (in *Instance) GiveUp(ctx context.Context) {
	s, ok := in.Load()
	if !ok {
		return
	}
	s.GaveUp = true
	if err := in.Save(s); err != nil {
		ocf.CallFrom(ctx).Errorf("%v", err)
	}
}

// killAll kills what is left of a HAProxy that no longer serves. Nobody would get an answer from
// it: a worker ends with its master.
func (in *Instance) killAll(ctx context.Context) error {
	for {
		fam, err := in.findLeft()
		if err != nil || fam.Empty() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("these processes of HAProxy are still there: %s: %w", fam, err)
		}
		fam.Signal(syscall.SIGKILL)
		in.killScope(fam)
		// Wait for all of them: one that is ending cannot be found by its command line any more,
		// but may still have its sockets open.
		for _, m := range fam.All() {
			Family{Others: []Member{m}}.Wait(ctx, time.Now().Add(stopAgain))
		}
	}
}

// crashesInWords returns how often HAProxy has crashed, for a person: "2 crashes in 10 min".
func (s State) crashesInWords() string {
	switch n := len(s.Crashes); n {
	case 0:
		return "no crash"
	case 1:
		return "the first crash since its start"
	default:
		over := s.Crashes[n-1].At.Sub(s.Crashes[0].At)
		return fmt.Sprintf("%d crashes in %s", n, over.Round(time.Second))
	}
}

// CrashNotice returns what the next monitor reports to Pacemaker about crashes that were not
// reported yet, nil if there are none. Pacemaker shows it beside the resource and does not count it
// as a failure.
func (s *State) CrashNotice() error {
	if len(s.Crashes) == 0 || s.Crashes[len(s.Crashes)-1].Reported {
		return nil
	}
	last := &s.Crashes[len(s.Crashes)-1]
	last.Reported = true
	words := []string{fmt.Sprintf("HAProxy crashed at %s and is back after %.2f s",
		last.At.Format("15:04:05"), last.Took.Seconds())}
	if n := len(s.Crashes); n > 1 {
		words = append(words, s.crashesInWords())
	}
	if last.Copies {
		words = append(words, "with its last good configuration")
	}
	return errors.New(strings.Join(append(words, last.Cause), ", "))
}
