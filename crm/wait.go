package crm

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"time"
)

// poll is how long Wait lets the cluster work between two checks: short enough that a person does
// not notice. On a machine so busy that a check takes longer than this, it pauses for as long as
// the check took.
const poll = 150 * time.Millisecond

// Wait asks the scheduler, with the live configuration and status, what is left to do, until that
// is nothing, as `crm_resource --wait` does every two seconds. A fresh edit is seen at once,
// because this asks the scheduler and not the controller, which may not have heard of it yet. A
// configuration in a file has no cluster to act on it, and is settled at once.
func (t *Tools) Wait(ctx context.Context, progress func(Progress)) error {
	if t.file() != "" {
		return ctx.Err()
	}
	start := time.Now()
	var last []Pending
	for first := true; ; first = false {
		asked := time.Now()
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
			return nil
		}
		select {
		case <-ctx.Done():
			return waitError(ctx, last)
		case <-time.After(max(poll, time.Since(asked))):
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
		return nil, fmt.Errorf("crm_simulate's answer cannot be read: %w", err)
	}
	return s.pending(), nil
}
