package keeper

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/param"
)

// Of an interface the kernel tells when something has changed, so that its check does not wait until
// it is due. A bad result is a doubt first, which the other nodes get to know, and counts once the
// link has been away for longer than a link blinks. Good results count when the check is due, so that
// a link that comes and goes does not hold again because it came often.

// hearAgain is how long after the kernel could not be heard it is tried again.
const hearAgain = 10 * time.Second

// followLinks wakes the checks when an interface of this machine has changed, until the context ends.
// Where that cannot be heard, they are done when they are due.
func (c *checker) followLinks(ctx context.Context, wake []chan struct{}) {
	told := false
	for ctx.Err() == nil {
		err := heedLinks(ctx, wake)
		if ctx.Err() != nil {
			return
		}
		if !told {
			c.call.Warnf("checks of interfaces are done only when they are due: %v", err)
		}
		told = true
		select {
		case <-ctx.Done():
		case <-time.After(hearAgain):
		}
	}
}

func heedLinks(ctx context.Context, wake []chan struct{}) error {
	changes, err := nic.NewChanges(nic.Links)
	if err != nil {
		return err
	}
	defer changes.Close()
	for {
		// once at the beginning, too: what has changed before nobody has heard
		for _, w := range wake {
			select {
			case w <- struct{}{}:
			default:
			}
		}
		if err := changes.Wait(ctx, time.Hour); err != nil {
			return err
		}
	}
}

// peace is for how long a link that has blinked must be quiet for the doubt to end: each turn of a doubt
// starts a process, and a bad cable makes hundreds in a second.
const peace = time.Second

// repeatLooking does the check of an interface when it is due, and when it is woken.
func (c *checker) repeatLooking(ctx context.Context, check *param.Check, wake <-chan struct{}) {
	due := true
	var quiet time.Time // the doubt about a link that has blinked lasts until then
	for {
		if c.lookAt(ctx, check, due, time.Now().Before(quiet)) {
			quiet = time.Now().Add(peace)
		}
		wait := untilDue(check)
		dueAt := time.Now().Add(wait)
		if left := time.Until(quiet); left > 0 {
			wait = min(wait, left)
		}
		next := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-wake:
			next.Stop()
			due = false
		case <-next.C:
			due = !time.Now().Before(dueAt)
		}
	}
}

// lookAt does the check, and reports whether the link has blinked. A doubt that there is from before ends
// only where it is not to be kept.
func (c *checker) lookAt(ctx context.Context, check *param.Check, due, keep bool) (blinked bool) {
	s, serving := c.serving()
	if !serving {
		return false
	}
	err := nic.Works(check.Interface)
	bad := err != nil && !checks.Unknown(err)
	if bad {
		c.suspect(check, true)
		err = c.runner(s).Do(ctx, check)
	}
	blinked = bad && err == nil
	switch {
	case ctx.Err() != nil:
	case !checks.Unknown(err) && (err != nil || due):
		c.take(err, check)
	case !blinked && !keep:
		c.suspect(check, false)
	}
	return blinked
}

// suspect notes that the check may be about to fail, or that it is not.
func (c *checker) suspect(check *param.Check, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.doubtful(check.Name)
	if c.suspects[check.Name] = is; c.doubtful(check.Name) != before {
		c.publisher.soon()
	}
}

// doubtful reports whether the check holds so far, and may be about to fail.
func (c *checker) doubtful(name string) bool {
	r := c.book.Of(name)
	return r.Doubtful() || c.suspects[name] && r.Known && !r.Failed
}
