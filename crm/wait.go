package crm

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"time"
)

// poll is how often Wait looks: often enough that a person does not notice, seldom enough that the nodes do not either.
const poll = 150 * time.Millisecond

// settled is how many times in a row the scheduler must have nothing to do. A fresh edit is with the scheduler at once, because it sees the
// configuration itself and not what the controller has made of it, so that one time is enough.
const settled = 1

// Wait asks the scheduler, with the live configuration and status, what is left to do, until that is nothing: what `crm_resource --wait` does
// every two seconds. A configuration in a file has no cluster that would act on it, and is settled at once.
func (t *Tools) Wait(ctx context.Context, progress func(Progress)) error {
	if t.file() != "" {
		return nil
	}
	start := time.Now()
	var last []Pending
	idle := 0
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for first := true; ; first = false {
		pending, err := t.remaining(ctx)
		switch {
		case ctx.Err() != nil:
			return waitError(ctx, last)
		case err != nil:
			return err
		}
		if progress != nil && (first || !slices.Equal(pending, last)) {
			progress(Progress{Pending: pending, Elapsed: time.Since(start)})
		}
		last = pending
		if len(pending) == 0 {
			idle++
		} else {
			idle = 0
		}
		if idle >= settled {
			return nil
		}
		select {
		case <-ctx.Done():
			return waitError(ctx, last)
		case <-tick.C:
		}
	}
}

func waitError(ctx context.Context, last []Pending) error {
	what := "Pacemaker has not answered"
	if len(last) > 0 {
		what = fmt.Sprintf("still to do: %s", last[0])
		if n := len(last) - 1; n > 0 {
			what += fmt.Sprintf(" and %d more", n)
		}
	}
	return fmt.Errorf("the cluster has not settled in time (%s): %w", what, ctx.Err())
}

// remaining simulates what the cluster has yet to do.
func (t *Tools) remaining(ctx context.Context) ([]Pending, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	out, err := t.run(ctx, nil, "crm_simulate", "--live-check", "--simulate", "--output-as=xml")
	if err != nil {
		return nil, err
	}
	if out.code != 0 {
		return nil, t.toolError("crm_simulate", "ask what the cluster has yet to do", out)
	}
	var s simulation
	if err := xml.Unmarshal(out.stdout, &s); err != nil {
		return nil, fmt.Errorf("crm: crm_simulate's answer cannot be read: %w", err)
	}
	return s.pending(), nil
}
