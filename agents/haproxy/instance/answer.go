package instance

import (
	"context"
	"errors"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// ErrUnknownLoaded is the answer to a push that somebody has come in between.
var ErrUnknownLoaded = errors.New("the file was changed while HAProxy loaded it, and it is not known " +
	"which version it serves: push again")

// AnswerPush publishes the outcome of an order about a pushed configuration: whoever gave it waits for
// every node's.
func (in *Instance) AnswerPush(ctx context.Context, order contract.PushOrder, outcome error) {
	call := ocf.CallFrom(ctx)
	answer := contract.PushAnswer{Order: order}
	if outcome != nil {
		answer.Refused = Complaint(outcome)
		call.Errorf("push %s: %v", order, outcome)
	}
	if !call.Clustered {
		return
	}
	name := contract.PushAttribute(contract.ResourceOf(call.Instance))
	if err := in.SetAttribute(name, answer.String()); err != nil {
		call.Errorf("cannot report the outcome of %s to the cluster: %v", order, err)
	}
}

// answerLate is AnswerPush for a reload that outlasted its operation. An order that was withdrawn
// meanwhile, or superseded, has no answer.
func (in *Instance) answerLate(ctx context.Context, s *State, l *Loading, outcome error) {
	order, err := contract.ParsePushOrder(l.Order)
	if err == nil && order.Step != "" && l.Order == s.Pushed {
		in.AnswerPush(ctx, order, outcome)
	}
}
