package doctor

import (
	"context"
	"sync"
)

// Judging returns the check with a judgement of what is read once, for several checks. Where it
// cannot be read nothing is found: a check of its own reports that, once. An end of the check's own
// context is its error, since it has waited for another check's question for too long.
func Judging[V any](c Check, read func(context.Context) (V, error),
	judge func(context.Context, V) ([]Finding, error)) Check {
	c.Run = func(ctx context.Context) ([]Finding, error) {
		v, err := read(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, err
		case err != nil:
			return nil, nil //nolint:nilerr // another check reports it
		}
		return judge(ctx, v)
	}
	return c
}

// AskAll asks about all of them at once, since one that is slow is slow for each, and returns what
// was found in their order. A nil is nothing to report.
func AskAll[T any](all []T, ask func(T) *Finding) []Finding {
	answers := make([]*Finding, len(all))
	var wg sync.WaitGroup
	for i, a := range all {
		wg.Go(func() { answers[i] = ask(a) })
	}
	wg.Wait()
	var found []Finding
	for _, f := range answers {
		if f != nil {
			found = append(found, *f)
		}
	}
	return found
}
