// Package once keeps the answer to a question that many callers ask. It imports nothing of hawser;
// there is only this file.
//
// There is only this file.
package once

import "context"

// Answer is the answer to one question, which is asked once. A caller whose context ends does not
// wait for it; the others do. Use New.
type Answer[T any] struct {
	turn  chan struct{}
	asked bool
	value T
	err   error
}

// New returns an answer that has not been requested yet.
func New[T any]() *Answer[T] { return &Answer[T]{turn: make(chan struct{}, 1)} }

// Get asks, or waits for a caller that is already asking. An error is an answer too: the question
// is not asked again.
func (a *Answer[T]) Get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if !a.asked {
		a.value, a.err = ask(ctx)
		a.asked = true
	}
	return a.value, a.err
}
