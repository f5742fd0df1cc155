package cloud

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Kind names what a Fault does.
type Kind string

// The faults of the API, and those of the metadata service.
const (
	// Latency delays every answer of the API by Delay.
	Latency Kind = "latency"
	// Status answers with the Status, without doing anything. 429 comes with the rate-limit
	// headers, and with retry-after when RetryAfter is set.
	Status Kind = "status"
	// Hang never answers: the request waits until its client gives up or the fault is cleared.
	Hang Kind = "hang"
	// Drop closes the connection instead of answering.
	Drop Kind = "drop"
	// LostAnswer carries the request out and then answers with Status (502 if zero), as a gateway
	// in between does.
	LostAnswer Kind = "lost-answer"
	// PendingEvent refuses actions with 422 "already has a pending event" though none is visible.
	PendingEvent Kind = "pending-event"
	// ActionError makes actions end as "errored", with nothing moved.
	ActionError Kind = "action-error"
	// ActionIdle makes actions on droplets end as "completed", with nothing switched.
	ActionIdle Kind = "action-idle"
	// ActionStuck keeps the actions that begin while it is set in progress until it is cleared;
	// then they are completed.
	ActionStuck Kind = "action-stuck"
	// ActionPoll answers queries about an action with Status (404 if zero); the action itself
	// continues.
	ActionPoll Kind = "action-poll"
	// Locked shows addresses and droplets as locked and refuses actions on them.
	Locked Kind = "locked"

	// MetadataLatency delays every answer of the metadata service by Delay.
	MetadataLatency Kind = "metadata-latency"
	// MetadataStatus answers metadata requests with the Status (500 if zero).
	MetadataStatus Kind = "metadata-status"
	// MetadataHang never answers a metadata request.
	MetadataHang Kind = "metadata-hang"
	// MetadataStale makes the metadata service report reserved addresses as they were when the
	// fault was set.
	MetadataStale Kind = "metadata-stale"
)

// Kinds lists every kind of fault.
func Kinds() []Kind {
	return []Kind{
		Latency, Status, Hang, Drop, LostAnswer, PendingEvent, ActionError, ActionIdle, ActionStuck,
		ActionPoll, Locked,
		MetadataLatency, MetadataStatus, MetadataHang, MetadataStale,
	}
}

// Fault is something the cloud does wrong until it has done it Count times or the fault is cleared.
type Fault struct {
	Kind Kind
	// Count is how often it happens; 0: until it is cleared. States (Locked, ActionStuck,
	// MetadataStale) ignore it.
	Count int
	// Status is the HTTP status of the kinds that answer with one.
	Status int
	// Delay is how much later the answer comes, for the latencies.
	Delay time.Duration
	// RetryAfter is sent as retry-after with a Status fault; 0: not at all.
	RetryAfter time.Duration
	// Match limits the fault to requests whose "METHOD /path" contains it; empty: all.
	Match string

	stale map[int]snapshot // MetadataStale: the addresses of each droplet
}

// Validate says what is wrong with the fault.
func (f Fault) Validate() error {
	switch {
	case !slices.Contains(Kinds(), f.Kind):
		return fmt.Errorf("cloud: no fault %q; there are %v", f.Kind, Kinds())
	case f.Count < 0:
		return fmt.Errorf("cloud: fault %s: count %d is negative", f.Kind, f.Count)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("cloud: fault %s: status %d is no HTTP error (400 to 599)", f.Kind,
			f.Status)
	case f.Kind == Status && f.Status == 0:
		return fmt.Errorf("cloud: fault %s wants the HTTP status to answer with", f.Kind)
	case (f.Kind == Latency || f.Kind == MetadataLatency) && f.Delay <= 0:
		return fmt.Errorf("cloud: fault %s wants a delay", f.Kind)
	}
	return nil
}

// SetFault adds the fault to those in force; a fault of the same kind and match is replaced. It
// panics on an invalid fault, which is the test's mistake.
func (c *Cloud) SetFault(f Fault) {
	if err := f.Validate(); err != nil {
		panic(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.Kind == MetadataStale {
		f.stale = map[int]snapshot{}
		for id := range c.droplets {
			f.stale[id] = c.snapshot(id)
		}
	}
	c.faults = slices.DeleteFunc(c.faults,
		func(g *Fault) bool { return g.Kind == f.Kind && g.Match == f.Match })
	c.faults = append(c.faults, &f)
	c.wake()
}

// ClearFaults removes every fault of these kinds, or all if none is named. Hanging requests are
// answered, stuck actions complete.
func (c *Cloud) ClearFaults(kinds ...Kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = slices.DeleteFunc(c.faults,
		func(f *Fault) bool { return len(kinds) == 0 || slices.Contains(kinds, f.Kind) })
	c.wake()
}

// wake notifies everything that waits for a change of the faults. The caller holds mu.
func (c *Cloud) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// faulty returns the fault of this kind that the request meets, without using it up. The caller
// holds mu.
func (c *Cloud) faulty(k Kind, request string) *Fault {
	for _, f := range c.faults {
		if f.Kind == k && strings.Contains(request, f.Match) {
			return f
		}
	}
	return nil
}

// take returns the fault of this kind that the request meets and counts it as used once more.
func (c *Cloud) take(k Kind, r *http.Request) (Fault, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.faulty(k, r.Method+" "+r.URL.Path)
	if f == nil {
		return Fault{}, false
	}
	taken := *f
	if f.Count > 0 {
		if f.Count--; f.Count == 0 {
			c.faults = slices.DeleteFunc(c.faults, func(g *Fault) bool { return g == f })
		}
	}
	return taken, true
}

// wait waits until the fault of this kind is gone, or the context ends: false then.
func (c *Cloud) wait(ctx context.Context, k Kind, request string) bool {
	for {
		c.mu.Lock()
		gone, changed := c.faulty(k, request) == nil, c.changed
		c.mu.Unlock()
		if gone {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
