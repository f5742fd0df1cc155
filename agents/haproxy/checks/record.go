package checks

import (
	"slices"
	"time"

	"github.com/hawser-ha/hawser/param"
)

// Record is what a check's results mean.
type Record struct {
	// Known is false until there has been a result.
	Known  bool `json:"known,omitempty"`
	Failed bool `json:"failed,omitempty"`
	// Since is when Failed became what it is, Why the last bad result of a failure.
	Since time.Time `json:"since,omitzero"`
	Why   string    `json:"why,omitempty"`
	// Falls are the failures that began within flapTime.
	Falls []time.Time `json:"falls,omitempty"`

	// against counts the results in a row that say otherwise than Failed does.
	against int
}

const (
	// flapTime is how long a failure is held against a check: the more failures there have been,
	// the more good results the end of the next one needs.
	flapTime = 10 * time.Minute
	// longestDoubt is the longest time over which results must have been good.
	longestDoubt = 5 * time.Minute
)

// Take counts a result, nil or why it is bad, and reports whether the record says something else
// now. The first result of all counts at once: nothing is known that it could be weighed against.
func (r *Record) Take(result error, now time.Time, c *param.Check) (changed bool) {
	bad := result != nil
	switch {
	case !r.Known:
		*r = Record{Known: true, Falls: r.Falls}
		r.turn(bad, result, now)
		return true
	case bad == r.Failed:
		r.against = 0
		if bad {
			r.Why = result.Error()
		}
		return false
	}
	r.against++
	if r.against < r.needed(now, c) {
		return false
	}
	r.turn(bad, result, now)
	return true
}

// Set is Take for who has a single result to go by, which counts at once.
func (r *Record) Set(result error, now time.Time) (changed bool) {
	bad := result != nil
	if r.Known && bad == r.Failed {
		if bad {
			r.Why = result.Error()
		}
		return false
	}
	*r = Record{Known: true}
	r.turn(bad, result, now)
	return true
}

// Doubtful reports whether the check holds so far, and its last results were bad.
func (r *Record) Doubtful() bool { return r.Known && !r.Failed && r.against > 0 }

func (r *Record) turn(bad bool, result error, now time.Time) {
	r.Failed, r.Since, r.Why, r.against = bad, now, "", 0
	if bad {
		r.Why = result.Error()
		r.Falls = append(r.Falls, now)
	}
}

// needed returns how many results in a row change what the record says. A failure that follows
// others needs twice as many good results as the one before, so that an address that flees from a
// check that comes and goes does so a few times, and not for ever.
func (r *Record) needed(now time.Time, c *param.Check) int {
	if !r.Failed {
		return c.Fall
	}
	r.Falls = slices.DeleteFunc(r.Falls, func(at time.Time) bool {
		return now.Sub(at) > flapTime || at.After(now)
	})
	most := max(c.Rise, int(longestDoubt/c.Every))
	needed := c.Rise
	for range len(r.Falls) - 1 {
		if needed *= 2; needed >= most {
			return most
		}
	}
	return needed
}
