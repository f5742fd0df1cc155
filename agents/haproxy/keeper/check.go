package keeper

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// checker does the checks of the resource, each on its own time, with the parameters of one moment.
type checker struct {
	in     *instance.Instance
	call   *ocf.Call
	checks []param.Check
	// serving returns what HAProxy was started with; false where it is not wanted to serve, and
	// nothing is checked.
	serving func() (instance.State, bool)

	mu   sync.Mutex
	book checks.Book
	// suspects are checks of interfaces whose link may only blink.
	suspects map[string]bool

	publisher publisher

	// well counts for how long all checks have held. turned is sent to when one fails or holds again.
	well   *wellness.Counter
	turned chan struct{}
}

// checkAll does the checks until the context ends, and begins anew when the parameters may have
// changed.
func (k *keeper) checkAll(ctx context.Context) {
	var last *checker
	for ctx.Err() == nil {
		current, end := context.WithCancel(ctx)
		var done sync.WaitGroup
		if c := k.newChecker(current, last); c != nil {
			last = c
			done.Go(func() { c.run(current) })
		}
		select {
		case <-ctx.Done():
		case <-k.rebind:
		}
		end()
		done.Wait()
	}
}

// newChecker returns nil if there is nothing to check and nothing to take back. It goes on with what
// the last one knew, which a full /run may have kept from the file.
func (k *keeper) newChecker(ctx context.Context, last *checker) *checker {
	env, err := k.parameters()
	if err != nil {
		return nil
	}
	a := k.agent()
	bound, err := a.Declare().Bind(ctx, env)
	if err != nil {
		return nil // the actions say what is wrong with the parameters
	}
	c := &checker{in: a.Instance(k.in.Dir), call: ocf.CallFrom(bound), checks: a.Checks(),
		book: checks.ReadBook(k.in.Checks()), suspects: map[string]bool{},
		turned: make(chan struct{}, 1)}
	k.mu.Lock()
	stopped := k.stopped
	k.stopped = false
	k.mu.Unlock()
	if last != nil && !stopped {
		c.book = last.book
	}
	c.book.Kept = true
	c.publisher = newPublisher(c.in, c.call)
	c.well = a.Counter(c.in, contract.ResourceOf(c.call.Instance))
	c.serving = func() (instance.State, bool) {
		k.mu.Lock()
		holding := !k.holding.IsZero()
		k.mu.Unlock()
		s, ok := c.in.Load()
		return s, ok && s.Wanted() && !holding
	}
	if len(c.checks) == 0 && len(c.book.Published) == 0 && c.well.Idle() {
		return nil
	}
	c.book.Keep(c.names())
	return c
}

func (c *checker) names() []string {
	names := make([]string, len(c.checks))
	for i := range c.checks {
		names[i] = c.checks[i].Name
	}
	return names
}

func (c *checker) run(ctx context.Context) {
	var all sync.WaitGroup
	var wake []chan struct{}
	for i := range c.checks {
		if c.checks[i].Interface == "" {
			all.Go(func() { c.repeat(ctx, &c.checks[i]) })
			continue
		}
		own := make(chan struct{}, 1)
		wake = append(wake, own)
		all.Go(func() { c.repeatLooking(ctx, &c.checks[i], own) })
	}
	if len(wake) > 0 {
		all.Go(func() { c.followLinks(ctx, wake) })
	}
	if !c.well.Idle() {
		all.Go(func() { c.countWell(ctx) })
	}
	all.Go(func() { c.publisher.run(ctx, c.results) })
	c.publisher.soon()
	all.Wait()
}

// repeat does one check every time it is due. One that goes on beyond its timeout, as a program in
// the kernel's hands may, is bad each time until it has ended.
func (c *checker) repeat(ctx context.Context, check *param.Check) {
	over := make(chan error, 1)
	busy := false
	for {
		s, serving := c.serving()
		switch {
		case busy:
			c.take(fmt.Errorf("no answer within %s", param.FormatDuration(check.Timeout)), check)
		case serving:
			busy = true
			go func() { over <- c.runner(s).Do(ctx, check) }()
		}
		if busy {
			late := time.NewTimer(check.Timeout + check.Timeout/4)
			select {
			case <-ctx.Done():
				late.Stop()
				return
			case err := <-over:
				busy = false
				if ctx.Err() == nil {
					c.take(err, check)
				}
			case <-late.C:
			}
			late.Stop()
		}
		next := time.NewTimer(untilDue(check))
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-next.C:
		}
	}
}

// untilDue is how long it is until a check is done the next time: at the same moments on all nodes, as
// far as their clocks agree, so that what fails everywhere is found everywhere at once.
func untilDue(check *param.Check) time.Duration {
	return time.Until(time.Now().Truncate(check.Every).Add(check.Every))
}

func (c *checker) runner(s instance.State) *checks.Runner {
	return &checks.Runner{Env: s.Env, Version: c.in.Version,
		Servers: func(ctx context.Context) ([]client.Stat, error) {
			_, servers, err := client.Runtime{Path: c.in.StatsSocket()}.Servers(ctx)
			return servers, err
		}}
}

// take counts a result.
func (c *checker) take(result error, check *param.Check) {
	// What was found while HAProxy was being stopped means nothing.
	if _, serving := c.serving(); !serving {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.book.Of(check.Name)
	known, doubtful := r.Known, c.doubtful(check.Name)
	delete(c.suspects, check.Name)
	changed := r.Take(result, time.Now(), check)
	if changed || c.doubtful(check.Name) != doubtful {
		c.publisher.soon()
	}
	if !changed {
		return
	}
	select {
	case c.turned <- struct{}{}:
	default:
	}
	switch {
	case r.Failed:
		c.call.Warnf("check %s fails: %s", check.Name, r.Why)
	case known:
		c.call.Infof("check %s holds again", check.Name)
	}
	c.save()
}

// save keeps the book for the next keeper and for the monitor. A full /run is no reason to stop
// checking.
func (c *checker) save() {
	if err := c.book.Write(c.in.Checks()); err != nil {
		c.call.Warnf("cannot write %s: %v", c.in.Checks(), err)
	}
}

// results returns what is to be published, false where nothing is.
func (c *checker) results() (results, bool) {
	if _, serving := c.serving(); !serving || !c.call.Clustered {
		return results{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := results{values: c.book.Values(c.names()), doubts: map[string]bool{}, swift: map[string]bool{},
		failing: contract.FormatFailing(c.book.Failing(c.names()))}
	for i := range c.checks {
		name := c.checks[i].Name
		r.doubts[name], r.swift[name] = c.doubtful(name), c.checks[i].Interface != ""
	}
	r.gone = slices.DeleteFunc(slices.Clone(c.book.Published), func(name string) bool {
		return slices.Contains(c.names(), name)
	})
	// Noted before it is done, so that a stop knows what there may be to withdraw. A check that was
	// there before, and has no result yet, still has its attribute.
	kept := slices.Sorted(maps.Keys(r.values))
	for _, name := range c.book.Published {
		if slices.Contains(c.names(), name) && !slices.Contains(kept, name) {
			kept = append(kept, name)
		}
	}
	c.note(slices.Concat(kept, r.gone))
	r.withdrawn = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.note(slices.DeleteFunc(slices.Clone(c.book.Published), func(name string) bool {
			return slices.Contains(r.gone, name)
		}))
	}
	return r, true
}

// note remembers which attributes there may be.
func (c *checker) note(published []string) {
	if !slices.Equal(published, c.book.Published) {
		c.book.Published = published
		c.save()
	}
}

// parameters returns the environment of a call with the parameters as they are now.
func (k *keeper) parameters() (ocf.Env, error) {
	text, err := atomicfile.ReadOwn(k.in.KeeperCall())
	if err != nil {
		return ocf.Env{}, fmt.Errorf("the keeper does not know its parameters: %w", err)
	}
	return ocf.Env{
		Args:   []string{contract.KeeperProcess, contract.KeeperProcess},
		Getenv: ocf.Getenv(strings.Split(strings.TrimRight(string(text), "\n"), "\x00")), Stdout: os.Stdout,
		Stderr: os.Stderr, LogName: contract.KeeperProcess,
	}, nil
}
