package instance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/copies"
	"github.com/hawser-ha/hawser/agents/haproxy/reading"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// HAProxy reads a large configuration for longer than an operation may take, and goes on when the
// operation's time is over. What has become of it is then asked of the master, before anybody is
// told that the previous configuration serves, and before it is loaded once more.

// Loading is a reload that HAProxy was asked for and whose outcome is not known yet.
type Loading struct {
	Since time.Time `json:"since"`
	// Master is the process that was asked, Reloads how many reloads it had tried before.
	Master  Process `json:"master"`
	Reloads int     `json:"reloads"`
	// Config and Generation are what HAProxy serves if it succeeds.
	Config     string `json:"config"`
	Generation string `json:"generation,omitempty"`
	// HardStop is that of the configuration.
	HardStop time.Duration `json:"hard_stop,omitempty"`
	// Copies are those of that configuration. Committed is set if they are in their place already,
	// because HAProxy runs from them.
	Copies    copies.Fresh `json:"copies,omitempty"`
	Committed bool         `json:"committed,omitempty"`
	// Name is that of these copies, "" in what an earlier version has noted.
	Name string `json:"name,omitempty"`
	// Order is the push that the outcome is the answer to, "" for none.
	Order string `json:"order,omitempty"`
	// Fragment is the text of the last fragment that goes with what serves meanwhile.
	Fragment string `json:"fragment,omitempty"`
}

// ErrLoading means that HAProxy was asked to load a configuration and has not said in time how that
// went. It is noted in the state.
var ErrLoading = errors.New("HAProxy is still loading the configuration")

// prepareLoading keeps copies of what is to be loaded: in their place at once where HAProxy runs
// from them.
func (in *Instance) prepareLoading(ctx context.Context, s *State, sources []client.Source,
	fragment string) (*Loading, error) {
	l := &Loading{Since: time.Now(), Master: s.Master, Config: in.Hash(sources),
		Generation: in.Generation, HardStop: in.hardStop(sources, s.Env), Order: s.Order,
		Fragment: fragment}
	var err error
	l.Name = fmt.Sprintf("%s %d", l.Config, l.Since.UnixNano())
	l.Copies, err = in.kept().Prepare(sources, l.Name)
	if !in.OnCopies(s.Master.PID) {
		if err != nil {
			ocf.CallFrom(ctx).Warnf("%v", err)
			l.Copies = copies.None // those of before would be what comes back after a crash
		}
		return l, nil
	}
	switch {
	case err != nil:
		return nil, err
	case l.Copies == copies.None:
		return nil, fmt.Errorf("its `default-path` depends on the file's directory, and HAProxy "+
			"has run from a copy of %s since it crashed: restart the resource", in.Conffile)
	}
	l.Committed = true
	return l, in.kept().Commit(l.Copies, l.Name)
}

// unprepare puts back what goes with what serves: the copies, and the last fragment.
func (in *Instance) unprepare(l *Loading) error {
	err := in.restoreLast(l.Fragment)
	if !l.Committed && l.Name == "" {
		return err
	}
	// or they are in their place although that was not noted: whoever did it was killed
	return errors.Join(err, in.kept().Undo(l.Copies, l.Name))
}

// loaded notes that HAProxy serves what was to be loaded, and which worker does. The sources are nil
// where they are not known any more.
func (in *Instance) loaded(ctx context.Context, s *State, l *Loading, worker int,
	sources []client.Source) {
	hash, hardStop := l.Config, l.HardStop
	var err error
	if !l.Committed { // or it has read the copies, which nobody else changes
		which, now := in.hasLoaded(ctx, l.Since, l.Config)
		switch which {
		case reading.Before:
			err = in.kept().Commit(l.Copies, l.Name)
		case reading.Now:
			in.warnOfUnset(ctx, s, now)
			sources, hash, hardStop = in.WithChecks(now), client.Hash(now), in.hardStop(now, s.Env)
			err = in.KeepLoaded(sources, hash)
		case reading.Unknown:
			in.warnOfUnset(ctx, s, now)
			hash = ""
			err = in.KeepLoaded(nil, "")
		}
	}
	if err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	if sources == nil {
		sources, _ = in.kept().Read()
	}
	if sources != nil {
		in.Follow(ctx, s, sources)
	}
	s.Pending, s.Served = nil, s.Served.replaced(hash, l.Generation, hardStop)
	s.Served.Worker = worker
}

// freshWorker returns the worker that the last reload made, 0 if it is not known.
func (in *Instance) freshWorker(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, Briefly)
	defer cancel()
	procs, err := client.Master{Path: in.MasterSocket()}.Settled(ctx)
	if err != nil {
		return 0
	}
	return youngest(procs)
}

func youngest(procs client.Procs) int {
	i := slices.IndexFunc(procs.Workers, func(w client.Proc) bool { return w.Reloads == 0 })
	if i < 0 {
		return 0
	}
	return procs.Workers[i].PID
}

// request has the master load the sources. That is noted before, since this process may be killed
// while HAProxy goes on. ErrLoading means that the outcome is not known: the note stays.
func (in *Instance) request(ctx context.Context, s *State, sources []client.Source,
	l *Loading) error {
	master := client.Master{Path: in.MasterSocket()}
	before, err := master.Settled(ctx)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	l.Reloads = before.Master.Reloads
	waiting := s.Pending
	s.Pending = &Pending{Tried: l.Since, Config: client.Digest(sources), Loading: l}
	s.Pending.Reason = in.stillLoading(l)
	if err := in.Save(*s); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
	err = master.ReloadFrom(ctx, before)
	var refused *client.ReloadError
	if err != nil && !errors.As(err, &refused) && !errors.Is(context.Cause(ctx), ErrDied) {
		s.Pending.Reason = in.stillLoading(l)
		return fmt.Errorf("%w: %w", ErrLoading, err)
	}
	s.Pending = waiting
	return err
}

// stillLoading is the reason of a monitor meanwhile.
func (in *Instance) stillLoading(l *Loading) string {
	return fmt.Sprintf("HAProxy has been loading %s for %s; until it has, the previous "+
		"configuration serves", in.Conffile, time.Since(l.Since).Round(time.Second))
}

// Decide finds out what has become of the reload that the state says is under way, notes it in the
// state, and answers the push that it was for. decided is false while HAProxy is still loading; err is
// why it serves the previous configuration, nil if it has loaded the new one.
func (in *Instance) Decide(ctx context.Context, s *State) (decided bool, err error) {
	l := s.Pending.Loading
	decided, err = in.decide(ctx, s, l)
	switch {
	case decided && err == nil && s.Served.Config == "":
		in.answerLate(ctx, s, l, ErrUnknownLoaded)
	case decided:
		in.answerLate(ctx, s, l, err)
	}
	return decided, err
}

func (in *Instance) decide(ctx context.Context, s *State, l *Loading) (decided bool, err error) {
	if l.Master != s.Master {
		return true, in.notLoaded(s, ErrDied)
	}
	brief, cancel := context.WithTimeout(ctx, Briefly)
	defer cancel()
	procs, err := client.Master{Path: in.MasterSocket()}.Procs(brief)
	if err != nil { // HAProxy up to 3.0 answers nothing while it reads
		s.Pending.Reason = in.stillLoading(l)
		return false, nil
	}
	worker := youngest(procs)
	switch {
	case procs.Master.Reloads <= l.Reloads:
		return true, in.notLoaded(s, errors.New("HAProxy was asked to load it and did not begin"))
	case procs.Failed > 0 && worker == 0:
		return true, in.notLoaded(s, &client.ReloadError{})
	}
	// from 3.1 on, a worker that still reads is listed like one that serves
	info, err := client.Runtime{Path: in.StatsSocket()}.Info(brief)
	if err != nil || worker == 0 || info.Pid != worker || info.Stopping {
		s.Pending.Reason = in.stillLoading(l)
		return false, nil
	}
	in.loaded(ctx, s, l, worker, nil)
	return true, nil
}

// outcomeAfterCrash is the answer to a push of which HAProxy died, or during which, and that was brought
// back with this configuration, "" where that is not known.
func (l *Loading) outcomeAfterCrash(served string) error {
	switch served {
	case "":
		return ErrUnknownLoaded
	case l.Config:
		return nil // what was asked of the dead one has been loaded by the next
	}
	return ErrDied
}

// serves reports whether a configuration is the one that is to be loaded, if any is.
func (l *Loading) serves(config string) bool { return l != nil && config != "" && l.Config == config }

// notLoaded notes that a reload which was under way has failed, and returns why.
func (in *Instance) notLoaded(s *State, why error) error {
	err := why
	if undone := in.unprepare(s.Pending.Loading); undone != nil {
		err = errors.Join(why, undone)
	}
	s.Pending.Loading = nil
	s.Pending.Reason = oldServes + Complaint(why)
	s.Pending.Tried = time.Now()
	s.Pending.Deadly = errors.Is(why, ErrDied)
	s.Served = in.ServesStill(s.Served)
	return err
}
