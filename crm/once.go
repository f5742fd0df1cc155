package crm

import (
	"context"
	"sync"

	"github.com/hawser-ha/hawser/internal/once"
)

// Once wraps a cluster and makes each query only once, for many concurrent callers: if Pacemaker
// hangs, each query lasts until its deadline. What changes the cluster is passed on. Use NewOnce.
type Once struct {
	Cluster
	cib    *once.Answer[*CIB]
	status *once.Answer[*Status]

	mu      sync.Mutex
	private map[string]*once.Answer[map[string]string]
	agents  map[string]*once.Answer[[]AgentAction]
}

var _ Cluster = (*Once)(nil)

// NewOnce returns a cluster that answers with what c answers the first time.
func NewOnce(c Cluster) *Once {
	return &Once{Cluster: c, cib: once.New[*CIB](), status: once.New[*Status](),
		private: map[string]*once.Answer[map[string]string]{},
		agents:  map[string]*once.Answer[[]AgentAction]{}}
}

// Query implements Cluster.
func (o *Once) Query(ctx context.Context) (*CIB, error) { return o.cib.Get(ctx, o.Cluster.Query) }

// Status implements Cluster.
func (o *Once) Status(ctx context.Context) (*Status, error) {
	return o.status.Get(ctx, o.Cluster.Status)
}

// Private implements Cluster.
func (o *Once) Private(ctx context.Context, name string) (map[string]string, error) {
	return answerOf(&o.mu, o.private, name).Get(ctx,
		func(ctx context.Context) (map[string]string, error) {
			return o.Cluster.Private(ctx, name)
		})
}

// Advertised implements Cluster.
func (o *Once) Advertised(ctx context.Context, agent string) ([]AgentAction, error) {
	return answerOf(&o.mu, o.agents, agent).Get(ctx,
		func(ctx context.Context) ([]AgentAction, error) {
			return o.Cluster.Advertised(ctx, agent)
		})
}

func answerOf[T any](mu *sync.Mutex, all map[string]*once.Answer[T], name string) *once.Answer[T] {
	mu.Lock()
	defer mu.Unlock()
	if all[name] == nil {
		all[name] = once.New[T]()
	}
	return all[name]
}
