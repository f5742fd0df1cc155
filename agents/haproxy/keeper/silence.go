package keeper

import (
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/pulse"
)

// silence is HAProxy not answering, several times in a row.
type silence struct {
	// limit is how long it may last.
	limit time.Duration
	// since is when the first question was asked that was not answered, zero if the last one was.
	since time.Time

	asked  int // without an answer, since the worker was last seen to be alive
	last   time.Time
	before pulse.Pulse
	// still is for how long the worker did nothing, all for how long it was not seen to be alive.
	still, all time.Duration
	told       bool
}

// answered ends the silence.
func (s *silence) answered() { *s = silence{limit: s.limit} }

// alive has the silence count from now on only: the worker works.
func (s *silence) alive() { s.asked, s.still, s.all = 0, 0, 0 }

// doubtful reports whether HAProxy is to be asked again soon.
func (s *silence) doubtful() bool { return s.asked > 0 }

// unanswered counts a question that was asked at the given time. asleep is whether this process
// itself was not let run meanwhile.
func (s *silence) unanswered(at time.Time, worker int, asleep bool) {
	now := pulse.Take(worker)
	sign := pulse.Still
	if s.since.IsZero() {
		s.since, s.last = at, at
	} else {
		sign = now.Since(s.before)
	}
	if asleep {
		sign = max(sign, pulse.Hindered)
	}
	passed := time.Since(s.last)
	s.last, s.before = time.Now(), now
	s.passed(passed, sign)
}

// passed counts the time since the question before.
func (s *silence) passed(took time.Duration, sign pulse.Sign) {
	s.asked++
	s.all += took
	switch sign {
	case pulse.Still:
		s.still += took
	case pulse.Alive:
		s.alive()
	}
}

// tooLong reports whether the silence has lasted for so long that HAProxy hangs, if it does not move
// when it is poked. A worker that something else may keep from its work gets more time.
func (s *silence) tooLong() bool {
	return s.asked >= seenTwice && (s.still >= s.limit || s.all >= hinderedFor*s.limit)
}

// worthTelling reports, once, that HAProxy has been silent for longer than it may, and works.
func (s *silence) worthTelling() bool {
	if s.told || s.since.IsZero() || time.Since(s.since) < s.limit || s.still > 0 {
		return false
	}
	s.told = true
	return true
}
