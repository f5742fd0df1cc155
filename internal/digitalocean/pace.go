package digitalocean

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Pacing is how requests follow each other: the first pause is about First, each next one grows by
// half up to about Last.
type Pacing struct{ First, Last time.Duration }

// DefaultPacing is for requests of an action that a caller is waiting for.
var DefaultPacing = Pacing{First: 200 * time.Millisecond, Last: 2 * time.Second}

// maxPauses ends a wait whose context has no deadline: after some 60 s with the default pacing.
const maxPauses = 40

// Begin begins a sequence of requests.
func (p Pacing) Begin() *Pace { return &Pace{next: p.First, last: p.Last} }

// Pace is one sequence of requests.
type Pace struct {
	next, last time.Duration
	pauses     int
	lastErr    error // the latest failure
}

// Pause waits before the next request, as long as the API asks for or else as the sequence goes. It
// returns the failure's error at once if trying again is pointless or would be too late: the time
// left is better spent on reporting why.
func (p *Pace) Pause(ctx context.Context, f *Failure) error {
	if ctx.Err() != nil && p.lastErr != nil {
		// a request that was cut short says less than the one before it
		return fmt.Errorf("%w (%w)", p.lastErr, ctx.Err())
	}
	if !f.Again {
		return f.Err
	}
	p.lastErr = f.Err
	wait := p.next/2 + rand.N(p.next/2+1)
	if f.After > 0 {
		wait = f.After + rand.N(f.After/10+p.next) // the other nodes were given the same time
	}
	p.next = min(p.next+p.next/2, p.last)
	p.pauses++
	if deadline, ok := ctx.Deadline(); !ok && p.pauses > maxPauses || ok &&
		time.Until(deadline) < wait {
		return fmt.Errorf("%w; no time is left to try again", f.Err)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w (%w)", f.Err, ctx.Err())
	case <-timer.C:
		return nil
	}
}
