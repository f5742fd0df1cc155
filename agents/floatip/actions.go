package floatip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/ocf"
)

// How long to wait for an answer that is not essential.
const (
	startPatience = 10 * time.Second // for the API, if the address is already here
	// stopPatience is how long a stop waits for the API; if it gives up, the next holder's assign
	// does the job. DigitalOcean takes about 11 s.
	stopPatience    = 25 * time.Second
	monitorPatience = 10 * time.Second // for the API, if there is something else to go by
)

// lag is how long after a start the metadata service may still deny it.
const lag = 2 * time.Minute

// How long to try again where nothing but the network keeps an address exclusive (lan).
const (
	// conflictPatience is how long a start goes on asking whether another machine still answers for
	// the address: a node that only lost sight of the others lets go of it a moment after they have
	// missed it. It is not longer because the cluster decides nothing else while a start is under
	// way.
	conflictPatience = 20 * time.Second
	// conflictPause is about how long to wait before asking again, at random, so that two nodes that
	// want the address at the same time do not go on meeting each other's questions.
	conflictPause = 100 * time.Millisecond
	// passingPatience is for what this node could not do just now, and another one might.
	passingPatience = 2 * time.Second
	// conflictAnswers is how often in a row a monitor must hear of another machine with the address
	// before it gives it up: one stray packet is no holder.
	conflictAnswers, conflictAgain = 3, 300 * time.Millisecond
)

// start brings the address here. It succeeds when the provider says that it is here.
func (a *agent) start(ctx context.Context) error {
	s, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	// This is noted before anything changes: a start that is cut short may still take effect, and
	// the stop after it must find it.
	s.memory.begin(s.settings)
	if err := s.memory.save(); err != nil {
		return err
	}
	here := false
	if s.driver.exclusive {
		here, _ = s.here(ctx) // an error decides nothing, and the provider is asked next
	}
	if err := s.take(ctx, here); err != nil {
		return coded(err)
	}
	s.memory.started(s.settings)
	if err := s.memory.save(); err != nil {
		return err
	}
	a.ensureWatcher(ctx, s)
	a.settle(ocf.Running)
	return nil
}

// take assigns the address and verifies that. here is what the metadata service says.
func (s *session) take(ctx context.Context, here bool) error {
	if here {
		asking, cancel := part(ctx, startPatience, 0.5)
		sure, err := s.certain(asking)
		cancel()
		switch {
		case err == nil && sure:
			return nil
		case err != nil && fault.Of(err).Passing():
			s.call.Warnf("start: %s is here by what this node can see, which the provider cannot "+
				"confirm: %v", s.IP, err)
			return nil
		case err != nil:
			return err
		}
		// It was here and no longer is.
	}
	return s.assign(ctx)
}

func (s *session) assign(ctx context.Context) error {
	self, err := s.self(ctx)
	if err != nil {
		return err
	}
	log := func() { s.call.Infof("start: bringing %s to %s through %s", s.IP, self, s.Provider) }
	if s.driver.exclusive {
		log() // it will take seconds
	}
	if err := s.insist(ctx, func() error {
		return s.provider.Assign(ctx, s.IP, self)
	}); err != nil {
		return err
	}
	if !s.driver.exclusive {
		log() // clients do not wait for a slow log
	}
	return await(ctx, func() error {
		here, err := s.certain(ctx)
		if err == nil && !here {
			err = fault.Errorf(fault.Busy, "%s is not here yet although the provider accepted it",
				s.IP)
		}
		return err
	})
}

// self returns the provider's name for this server. A start cannot do without it, so it goes on
// asking.
func (s *session) self(ctx context.Context) (self string, err error) {
	err = await(ctx, func() error {
		self, err = s.provider.Self(ctx)
		return err
	})
	return self, err
}

// insist repeats an attempt to take the address while what is in its way may pass. A provider that
// keeps the address exclusive has done that itself.
func (s *session) insist(ctx context.Context, take func() error) error {
	if s.driver.exclusive {
		return take()
	}
	began := time.Now()
	patient, cancel := part(ctx, s.driver.patience, 0.75)
	defer cancel()
	var failing time.Time // since when it has been something other than another machine
	for tries := 1; ; tries++ {
		err := take()
		switch kind := fault.Of(err); {
		case kind == fault.Conflict:
			failing = time.Time{}
		case err == nil || !kind.Passing():
			return err
		case failing.IsZero():
			failing = time.Now()
		case time.Since(failing) > passingPatience:
			return err
		}
		again := time.After(conflictPause/2 + rand.N(conflictPause))
		if tries == 1 {
			s.call.Warnf("start: %v; trying again", err)
		}
		select {
		case <-patient.Done():
			return fmt.Errorf("%w (asked %d times within %s)", err, tries,
				time.Since(began).Round(100*time.Millisecond))
		case <-again:
		}
	}
}

// stop takes the address away from here.
func (a *agent) stop(ctx context.Context) error {
	s, err := a.open(ctx, true)
	if errors.Is(err, errNoAddress) {
		ocf.CallFrom(ctx).Warnf("stop: %v, so there is nothing to stop", err)
		a.settle(ocf.Stopped)
		return nil
	}
	if err != nil {
		return err
	}
	asking, cancel := ctx, context.CancelFunc(func() {})
	if s.driver.exclusive {
		asking, cancel = part(ctx, stopPatience, 0.9)
	}
	defer cancel()
	if err := s.release(asking); err != nil {
		if !s.driver.exclusive {
			return coded(err)
		}
		s.call.Warnf("stop: %s may stay assigned to this node until another one takes it, which "+
			"the provider allows: %v", s.IP, err)
	}
	// A note that cannot be removed, because /run is read-only, misleads nobody for long: who goes by
	// it looks for the address. A stop that failed would have the node fenced.
	if err := s.memory.forget(); err != nil {
		s.call.Warnf("stop: %v", err)
	}
	dismissWatcher(s.call.Dir)
	a.settle(ocf.Stopped)
	return nil
}

func (s *session) release(ctx context.Context) error {
	self, err := s.provider.Self(ctx)
	if err != nil {
		return err
	}
	release := func() error { return s.provider.Release(ctx, s.IP, self) }
	if !s.driver.exclusive {
		// A stop that fails has the node fenced, so it tries again while it may. A provider that keeps
		// the address exclusive has done that itself.
		once := release
		release = func() error { return await(ctx, once) }
	}
	if err := release(); err != nil {
		return err
	}
	return await(ctx, func() error {
		here, err := s.certain(ctx)
		if fault.Of(err) == fault.NotFound {
			return nil // nobody has an address that does not exist
		}
		if err == nil && here {
			err = fault.Errorf(fault.Busy, "%s is still here although the provider released it",
				s.IP)
		}
		return err
	})
}

// await repeats a query until its answer is nil or will not change by itself, or the context ends.
func await(ctx context.Context, ask func() error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := ask()
		if err == nil || !fault.Of(err).Passing() {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func (a *agent) settle(s ocf.State) { a.settled = &s }

// monitor reports whether the address is here.
func (a *agent) monitor(ctx context.Context, check ocf.Check) (ocf.State, error) {
	if check.Action != "monitor" {
		// Start and stop end with the answer of the authoritative source. A lagging source, asked
		// again, could only contradict it.
		if a.settled == nil {
			return ocf.Stopped, fmt.Errorf("the %s did not finish", check.Action)
		}
		return *a.settled, nil
	}
	s, err := a.open(ctx, check.Probe)
	if errors.Is(err, errNoAddress) {
		return ocf.Stopped, nil
	}
	if err != nil {
		return ocf.Stopped, err
	}
	here, err := s.isHere(ctx, check)
	kind := fault.Of(err)
	switch {
	case kind == fault.Broken || kind == fault.Conflict:
		return ocf.Running, ocf.Errorf(ocf.ErrGeneric, "%w", err)
	case here:
		s.note(func() { s.memory.seen(s.settings) })
		if !check.Probe {
			a.ensureWatcher(ctx, s)
			s.announce(ctx, a.announceFor)
		}
		if err != nil {
			return ocf.Degraded, err
		}
		return ocf.Running, nil
	case err == nil:
		if s.memory.Held && !check.Probe {
			s.call.Warnf("monitor: %s was here and no longer is", s.IP)
		}
		s.note(s.memory.lost)
		return ocf.Stopped, nil
	case s.memory.Held && !check.Probe:
		return ocf.Degraded, fmt.Errorf("%w; %s was here when that was last known", err,
			s.IP)
	}
	// Never with a code that Pacemaker takes for "not installed, so not running".
	return ocf.Stopped, ocf.Errorf(ocf.ErrGeneric, "%w", err)
}

// isHere finds out whether the address is here. here together with an error means that it is, and
// that the error is worth knowing.
func (s *session) isHere(ctx context.Context, check ocf.Check) (here bool, err error) {
	if !s.driver.exclusive {
		if here, err = s.here(ctx); err != nil || !here || check.Level < 10 {
			return here, err
		}
		return true, s.alone(ctx)
	}
	asking, cancel := part(ctx, monitorPatience, 0.5)
	defer cancel()
	var askErr error
	if check.Level >= 10 {
		if here, askErr = s.certain(asking); askErr == nil {
			return here, nil
		}
		askErr = fmt.Errorf("the provider does not confirm it: %w", askErr)
	}
	here, err = s.here(ctx)
	switch {
	case err == nil && here && check.Probe && askErr == nil:
		// A "running" that lags behind the truth would be a second one beside the holder's, and the
		// cluster would stop both.
		if sure, err := s.certain(asking); err == nil {
			return sure, nil
		}
		return true, nil
	case err == nil && here:
		return true, askErr
	case err == nil && !s.memory.Held:
		return false, nil
	case err != nil && (!check.Probe || askErr != nil):
		return false, both(err, askErr)
	}
	// The metadata service denies what the API told the start, or cannot answer a probe: the API's
	// word counts.
	if askErr == nil {
		var sure bool
		if sure, askErr = s.certain(asking); askErr == nil {
			return sure, nil
		}
	}
	if err == nil && (check.Probe || s.memory.age() > lag) {
		return false, nil
	}
	return false, both(err, askErr)
}

// alone returns nil unless the provider cannot say that the address is here alone. It also asks
// whether another machine answers for it.
func (s *session) alone(ctx context.Context) error {
	for answers := 1; ; answers++ {
		_, err := s.provider.Holder(ctx, s.IP)
		if fault.Of(err) != fault.Conflict || answers == conflictAnswers {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(conflictAgain):
		}
	}
}

// both joins two errors, either of which may be nil, into one sentence.
func both(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	return fmt.Errorf("%w; %w", a, b)
}

// note updates the memory if that makes a difference. A monitor that cannot write it has still
// found its answer.
func (s *session) note(change func()) {
	before := *s.memory
	change()
	if *s.memory == before {
		return
	}
	if err := s.memory.save(); err != nil {
		s.call.Warnf("monitor: %v", err)
	}
}

// announce repeats the announcement while the start is recent.
func (s *session) announce(ctx context.Context, long time.Duration) {
	announcer, ok := s.provider.(Announcer)
	if !ok || s.memory.age() > long {
		return
	}
	if err := announcer.Announce(ctx, s.IP); err != nil {
		s.call.Warnf("monitor: %v", err)
	}
}
