package haproxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// crash is a HAProxy that ended, or hung, without having been asked to, and was brought back.
type crash struct {
	At time.Time `json:"at"`
	// Cause is what happened, Took how long it took from then until HAProxy served again.
	Cause string        `json:"cause"`
	Took  time.Duration `json:"took"`
	// Copies is set where HAProxy was brought back with the kept configuration because its files have been edited since.
	Copies bool `json:"copies,omitempty"`
	// Told is whether a monitor has told Pacemaker.
	Told bool `json:"told,omitempty"`
}

// Why HAProxy is not brought back.
var (
	errUnmanaged = errors.New("Pacemaker does not manage it here (maintenance, or is-managed=false)") //nolint:staticcheck // a name
	errNoCluster = errors.New("Pacemaker does not run here")                                          //nolint:staticcheck // a name
	errRepeated  = errors.New("it keeps crashing")
	errIntended  = errors.New("it is to be stopped")
)

// kept is whether a HAProxy that is gone is to be brought back: it was started, nobody has begun to stop it, and it was not given up.
func (s state) kept() bool { return s.Master.PID > 0 && !s.Stopping && !s.GaveUp }

// ill says why a HAProxy that should run does not serve, nil if it does. It looks and asks once.
func (a *agent) ill(ctx context.Context, f files) error {
	s, running, err := a.locate(f)
	switch {
	case err != nil:
		return err
	case !running:
		return errors.New("HAProxy is gone")
	}
	if err := s.lifeless(); err != nil {
		return err
	}
	if err := a.workerLives(f, s.state.Master); err != nil || !exists(f.StatsSocket()) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, shortly)
	defer cancel()
	info, err := client.Runtime{Path: f.StatsSocket()}.Info(ctx)
	if err != nil {
		return err
	}
	return a.fit(info, s.state.Master)
}

// shortly is how long a HAProxy may take to answer about which there is doubt already.
const shortly = 300 * time.Millisecond

// bringBack starts HAProxy again in place of the one that the state is about, with the configuration that it had last taken, on the listening
// sockets that a keeper holds, if there is one. Whoever finds HAProxy dead calls it under the instance's lock, so that the first one does
// it and the others find it alive: the keeper, a recurring monitor, a reload.
//
// Nothing is checked beforehand and little is asked: clients wait.
func (a *agent) bringBack(ctx context.Context, f files, s state, since time.Time, cause error) error {
	call := ocf.CallFrom(ctx)
	if !s.kept() {
		return errIntended
	}
	recent := 0
	for _, c := range s.Crashes {
		if time.Since(c.At) < a.crashWindow && time.Since(c.At) >= 0 {
			recent++
		}
	}
	managed := make(chan error, 1)
	go func() { managed <- a.managed(ctx) }()
	args, changed := a.lastGood(f)
	switch err := <-managed; {
	case errors.Is(err, errUnmanaged) || errors.Is(err, errNoCluster):
		return err
	case err != nil:
		// A HAProxy too many on a node in maintenance can be stopped; a service that nobody brings back is an outage.
		call.Warnf("bringing HAProxy back although it is not known whether it is managed here: %v", err)
	}
	if recent+1 >= a.maxCrashes {
		return fmt.Errorf("%w: %d times in %s; the last time: %w", errRepeated, recent+1, param.FormatDuration(a.crashWindow), cause)
	}
	if err := a.killAll(ctx, f); err != nil {
		return err
	}
	if err := remove(f.MasterSocket(), f.StatsSocket(), f.Pidfile()); err != nil {
		return fmt.Errorf("cannot remove what the dead HAProxy left: %w", err)
	}
	a.given = s.Given
	if err := a.writeFragment(f, f.StatsSocket()); err != nil {
		return err
	}
	if err := a.launch(ctx, f, s.Given, s.Env, a.onHeldSockets(ctx, f, args)); err != nil {
		return a.nameHolder(f, err)
	}
	now := crash{At: time.Now(), Cause: inShort(cause), Copies: changed}
	s.Crashes = append(s.Crashes, now)
	if extra := len(s.Crashes) - contract.CrashesKept; extra > 0 {
		s.Crashes = s.Crashes[extra:]
	}
	last := &s.Crashes[len(s.Crashes)-1]
	s.Served = a.returned(s.Served, changed)
	if !changed {
		s.Pending = nil // what waited for a reload is what HAProxy has read now
	}
	if err := a.settle(ctx, f, func() state { last.Took = time.Since(since); return s }); err != nil {
		return err
	}
	a.announce(ctx, s)
	call.Warnf("HAProxy was brought back %s after this: %v (%s)", last.Took.Round(time.Millisecond), cause, s.crashesInWords())
	if changed {
		call.Warnf("HAProxy runs the last configuration that it had taken: %s has been changed since, and was not reloaded", a.conffile)
	}
	return nil
}

// giveUp remembers that Pacemaker is to recover HAProxy.
func (a *agent) giveUp(ctx context.Context, f files) {
	s, ok := f.load()
	if !ok {
		return
	}
	s.GaveUp = true
	if err := f.save(s); err != nil {
		ocf.CallFrom(ctx).Errorf("%v", err)
	}
}

// killAll ends what is left of a HAProxy that does not serve any more. Nobody would get an answer from it: a worker ends when its master
// does.
func (a *agent) killAll(ctx context.Context, f files) error {
	for {
		fam, err := a.find(f)
		if err != nil {
			return err
		}
		if fam.empty() {
			if fam, err = a.orphans(f); err != nil || fam.empty() {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("these processes of HAProxy are still there: %s: %w", fam, err)
		}
		fam.signal(syscall.SIGKILL)
		// All of them: one that is ending has no command line any more by which to find it, but may still have its sockets open.
		for _, m := range fam.all() {
			family{others: []member{m}}.wait(ctx, time.Now().Add(stopAgain))
		}
	}
}

// crashesInWords is how often it has happened, for a person: "2 crashes in 10 min".
func (s state) crashesInWords() string {
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

// crashNotice is what the next monitor tells Pacemaker of crashes that it has not told of yet: nil if there are none. Pacemaker shows it
// beside the resource and counts no failure.
func (s *state) crashNotice() error {
	if len(s.Crashes) == 0 || s.Crashes[len(s.Crashes)-1].Told {
		return nil
	}
	last := &s.Crashes[len(s.Crashes)-1]
	last.Told = true
	words := []string{fmt.Sprintf("HAProxy crashed at %s and is back after %.2f s", last.At.Format("15:04:05"), last.Took.Seconds())}
	if n := len(s.Crashes); n > 1 {
		words = append(words, s.crashesInWords())
	}
	if last.Copies {
		words = append(words, "with its last good configuration")
	}
	return errors.New(strings.Join(append(words, last.Cause), ", "))
}
