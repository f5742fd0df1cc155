package load

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Running is a load under way.
type Running struct {
	plan   Plan
	target target
	tally  *tally
	cancel context.CancelFunc
	done   chan struct{}
	report Report

	first     chan struct{}
	firstOnce sync.Once
	tickets   atomic.Int64 // requests begun
	inFlight  atomic.Int64 // sent, not answered
}

// Run carries the plan out and returns what the clients saw. The error is for an invalid plan; the
// end of the context only ends the load.
func Run(ctx context.Context, p Plan) (Report, error) {
	if p.endless() && ctx.Done() == nil {
		return Report{}, errEndless
	}
	r, err := Start(ctx, p)
	if err != nil {
		return Report{}, err
	}
	return r.Wait(), nil
}

// Start begins to carry the plan out. Stop ends it.
func Start(ctx context.Context, p Plan) (*Running, error) {
	t, err := p.check()
	if err != nil {
		return nil, err
	}
	p.Timeout = cmp.Or(p.Timeout, 2*time.Second)
	r := &Running{
		plan: p, target: t, tally: newTally(), done: make(chan struct{}),
		first: make(chan struct{}),
	}
	ctx, r.cancel = context.WithCancel(ctx)
	if p.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.For)
		context.AfterFunc(ctx, cancel)
	}
	go func() {
		defer close(r.done)
		defer r.cancel()
		var wg sync.WaitGroup
		if p.Clients == 0 && p.Every > 0 {
			r.open(ctx, &wg)
		} else {
			for range max(p.Clients, 1) {
				wg.Go(func() { r.closed(ctx) })
			}
		}
		var end time.Duration
		if p.Requests == 0 { // asking ends here, with answers still to come
			<-ctx.Done()
			end = r.tally.over()
		}
		wg.Wait()
		r.report = r.tally.finish(cmp.Or(end, r.tally.since()))
	}()
	return r, nil
}

// First is closed at the first good answer.
func (r *Running) First() <-chan struct{} { return r.first }

// Done is closed when the load has ended.
func (r *Running) Done() <-chan struct{} { return r.done }

// Progress returns how far it has come.
func (r *Running) Progress() Progress { return r.tally.progress() }

// Stop ends the load, waits for the requests under way and returns what the clients saw.
func (r *Running) Stop() Report {
	r.cancel()
	return r.Wait()
}

// Wait waits for the end of the load and returns what the clients saw.
func (r *Running) Wait() Report {
	<-r.done
	return r.report
}

// take says whether one more request should be made.
func (r *Running) take() bool {
	return r.tickets.Add(1) <= int64(r.plan.Requests) || r.plan.Requests == 0
}

// open makes a request whenever it is time, regardless of the earlier ones.
func (r *Running) open(ctx context.Context, wg *sync.WaitGroup) {
	free := make(chan *client, 1024) // clients for reuse, with their buffers and connections
	ticker := time.NewTicker(r.plan.Every)
	defer ticker.Stop()
	for ctx.Err() == nil && r.take() {
		var c *client
		select {
		case c = <-free:
		default:
			c = r.newClient()
		}
		wg.Go(func() {
			c.ask()
			select {
			case free <- c:
			default:
				c.hangUp()
			}
		})
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// breath is how long a client waits after a failure: a refusal comes back in microseconds, and
// clients that spin on it take the processor from the server that is trying to come back.
const breath = time.Millisecond

// closed is one client that makes a request when it has the answer to the previous one.
func (r *Running) closed(ctx context.Context) {
	c := r.newClient()
	defer c.hangUp()
	for ctx.Err() == nil && r.take() {
		if r.plan.Every > 0 && !r.turn(ctx) {
			return
		}
		if !c.ask() {
			sleep(ctx, breath)
		}
	}
}

// turn waits for the next beginning that no other client has taken. Beginnings that every client
// has missed are skipped, so that no burst follows a stall.
func (r *Running) turn(ctx context.Context) bool {
	t := r.tally
	t.mu.Lock()
	begin := max(t.next, t.since())
	t.next = begin + r.plan.Every
	t.mu.Unlock()
	return sleep(ctx, begin-t.since())
}

func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
