package load

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Kind is how a request failed. An answer of status 400 and above has a kind such as "status 503".
type Kind string

// The kinds. What tells them apart is how far the request had come: one that was not sent can
// safely be repeated, one that was sent may have been carried out.
const (
	Refused        Kind = "connection refused"   // nobody listens: a reset in answer to the SYN
	Unreachable    Kind = "unreachable"          // no route, or no neighbour answers
	ConnectTimeout Kind = "connection timed out" // neither accepted nor refused
	// ResetBefore is a connection that was closed before the request was sent
	ResetBefore   Kind = "reset before it asked"
	ResetAfter    Kind = "reset after it asked" // closed without a byte of an answer
	AnswerTimeout Kind = "answer timed out"     // sent, and no whole answer in time
	CutOff        Kind = "answer cut off"       // closed within the answer
	BadAnswer     Kind = "not an answer"        // not HTTP
	// LocalFault means that no port or file descriptor is left; it also has errors that fit no
	// other kind
	LocalFault Kind = "the client's own system"
)

// Failure is one failed request.
type Failure struct {
	Kind Kind
	// Begun is when it began, since Report.Began, and Took after how long it failed.
	Begun, Took time.Duration
	// InFlight is how many requests had been sent and not answered at that moment, this one among
	// them if it had been sent.
	InFlight int
	Error    string
}

// Report is what the clients saw. Times are in nanoseconds in JSON.
type Report struct {
	Began time.Time
	// Took is from the first request to the last; later answers count, but the time spent waiting
	// for them does not.
	Took time.Duration

	Requests, OK, Failed int
	Failures             map[Kind]int
	// Retried counts the requests that found the server had closed the connection to be reused, and
	// got a new one, as browsers do (RFC 9110, 9.2.2). They are not failures.
	Retried int

	// P50, P99, P999 and Max are waits for good answers, from before the connection is made to the
	// end of the answer.
	P50, P99, P999, Max time.Duration
	// LongestGap is the longest time between the ends of two good answers; the time before the
	// first and after the last count too. GapStart is when it began.
	LongestGap, GapStart time.Duration
	// InFlight is the largest Failure.InFlight: as many requests may have been in a server that
	// died.
	InFlight int
	// Answers counts the good answers by the first line of the body, cut after 128 bytes; the 1,000
	// first different ones.
	Answers map[string]int
	// First are the first 100 failures.
	First []Failure
}

// Count returns how many requests failed in one of these ways.
func (r Report) Count(kinds ...Kind) int {
	n := 0
	for _, k := range kinds {
		n += r.Failures[k]
	}
	return n
}

// String is the report in one line.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests in %s, %d failed", r.Requests, short(r.Took), r.Failed)
	if r.Failed > 0 {
		kinds := make([]string, 0, len(r.Failures))
		for k, n := range r.Failures {
			kinds = append(kinds, fmt.Sprintf("%s %d", k, n))
		}
		slices.Sort(kinds)
		fmt.Fprintf(&b, " (%s; up to %d in flight)", strings.Join(kinds, ", "), r.InFlight)
	}
	fmt.Fprintf(&b, ", waits p50 %s p99 %s max %s, longest gap %s at %s", short(r.P50),
		short(r.P99), short(r.Max), short(r.LongestGap), short(r.GapStart))
	return b.String()
}

func short(d time.Duration) time.Duration {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

const (
	mostAnswers = 1000
	mostFirst   = 100
)

// tally collects what the clients see.
type tally struct {
	mu     sync.Mutex
	report Report
	waits  []uint32      // of good answers, in microseconds
	last   time.Duration // end of the last good answer
	next   time.Duration // the next beginning, for paced clients
	end    time.Duration // of asking, zero until then
}

func newTally() *tally {
	return &tally{
		report: Report{Began: time.Now(), Failures: map[Kind]int{}, Answers: map[string]int{}},
	}
}

func (t *tally) since() time.Duration { return time.Since(t.report.Began) }

func (t *tally) good(begun time.Duration, line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.since() // inside the lock, so that the ends come in order
	r := &t.report
	r.Requests++
	r.OK++
	t.gap(now)
	t.last = now
	t.waits = append(t.waits, uint32(min((now-begun).Microseconds(), 1<<32-1)))
	if _, known := r.Answers[string(line)]; known || len(r.Answers) < mostAnswers {
		r.Answers[string(line)]++
	}
}

func (t *tally) failed(begun time.Duration, kind Kind, err error, inFlight int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := &t.report
	r.Requests++
	r.Failed++
	r.Failures[kind]++
	r.InFlight = max(r.InFlight, inFlight)
	if len(r.First) < mostFirst {
		f := Failure{Kind: kind, Begun: begun, Took: t.since() - begun, InFlight: inFlight}
		if err != nil {
			f.Error = err.Error()
		}
		r.First = append(r.First, f)
	}
}

func (t *tally) retried() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Retried++
}

// over ends the requests. Once there are no more, the time until late answers is not a gap.
func (t *tally) over() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = t.since()
	return t.end
}

func (t *tally) gap(until time.Duration) {
	if t.end > 0 {
		until = min(until, t.end)
	}
	if d := until - t.last; d > t.report.LongestGap {
		t.report.LongestGap, t.report.GapStart = d, t.last
	}
}

// finish makes the report; end is when asking ended.
func (t *tally) finish(end time.Duration) Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap(end)
	r := t.report
	r.Took = end
	slices.Sort(t.waits)
	at := func(perMille int) time.Duration {
		if len(t.waits) == 0 {
			return 0
		}
		return time.Duration(t.waits[min(len(t.waits)*perMille/1000, len(t.waits)-1)]) * time.Microsecond
	}
	r.P50, r.P99, r.P999, r.Max = at(500), at(990), at(999), at(1000)
	return r
}

// Progress is how far a load has come.
type Progress struct{ Requests, OK, Failed int }

func (t *tally) progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	return Progress{t.report.Requests, t.report.OK, t.report.Failed}
}
