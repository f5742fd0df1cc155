package crm

import (
	"context"
	"sync"
)

// Once is a cluster that is asked each question once, for many callers at a time: where Pacemaker
// hangs, each question takes until its deadline. What changes the cluster is passed on. Use NewOnce.
type Once struct {
	Cluster
	cib    answer[*CIB]
	status answer[*Status]

	mu      sync.Mutex
	private map[string]*answer[map[string]string]
	agents  map[string]*answer[[]AgentAction]
}

var _ Cluster = (*Once)(nil)

// NewOnce returns a cluster that answers with what c answers the first time.
func NewOnce(c Cluster) *Once {
	return &Once{Cluster: c, cib: newAnswer[*CIB](), status: newAnswer[*Status](),
		private: map[string]*answer[map[string]string]{}, agents: map[string]*answer[[]AgentAction]{}}
}

// Query implements Cluster.
func (o *Once) Query(ctx context.Context) (*CIB, error) { return o.cib.get(ctx, o.Cluster.Query) }

// Status implements Cluster.
func (o *Once) Status(ctx context.Context) (*Status, error) {
	return o.status.get(ctx, o.Cluster.Status)
}

// Private implements Cluster.
func (o *Once) Private(ctx context.Context, name string) (map[string]string, error) {
	return answerOf(&o.mu, o.private, name).get(ctx, func(ctx context.Context) (map[string]string, error) {
		return o.Cluster.Private(ctx, name)
	})
}

// Advertised implements Cluster.
func (o *Once) Advertised(ctx context.Context, agent string) ([]AgentAction, error) {
	return answerOf(&o.mu, o.agents, agent).get(ctx, func(ctx context.Context) ([]AgentAction, error) {
		return o.Cluster.Advertised(ctx, agent)
	})
}

// answer is the answer to one question. A caller whose context ends does not wait for it; the others do.
type answer[T any] struct {
	turn  chan struct{}
	asked bool
	value T
	err   error
}

func newAnswer[T any]() answer[T] { return answer[T]{turn: make(chan struct{}, 1)} }

func answerOf[T any](mu *sync.Mutex, all map[string]*answer[T], name string) *answer[T] {
	mu.Lock()
	defer mu.Unlock()
	if all[name] == nil {
		a := newAnswer[T]()
		all[name] = &a
	}
	return all[name]
}

// get asks, or waits for whoever asks already.
func (a *answer[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
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
