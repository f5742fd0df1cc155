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
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

const (
	// publishAgain is how often results are published although nothing has changed: the cluster
	// may have lost them, as it does when Pacemaker is restarted under a HAProxy that goes on.
	publishAgain = time.Minute
	// publishRetry is how soon results are published again that the cluster did not take.
	publishRetry = time.Second
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
	due  chan struct{} // something has to be published
}

// checkAll does the checks until the context ends, and begins anew when the parameters may have
// changed.
func (k *keeper) checkAll(ctx context.Context) {
	for ctx.Err() == nil {
		current, end := context.WithCancel(ctx)
		var done sync.WaitGroup
		if c := k.newChecker(current); c != nil {
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

// newChecker returns nil if there is nothing to check and nothing to take back.
func (k *keeper) newChecker(ctx context.Context) *checker {
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
		book: checks.ReadBook(k.in.Checks()), due: make(chan struct{}, 1)}
	c.serving = func() (instance.State, bool) {
		k.mu.Lock()
		holding := !k.holding.IsZero()
		k.mu.Unlock()
		s, ok := c.in.Load()
		return s, ok && s.Wanted() && !holding
	}
	if len(c.checks) == 0 && len(c.book.Published) == 0 {
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
	for i := range c.checks {
		all.Go(func() { c.repeat(ctx, &c.checks[i]) })
	}
	all.Go(func() { c.publishAll(ctx) })
	c.publishSoon()
	all.Wait()
}

// repeat does one check every time it is due. One that goes on beyond its timeout, as a program in
// the kernel's hands may, is bad each time until it has ended.
func (c *checker) repeat(ctx context.Context, check *param.Check) {
	next := time.NewTicker(check.Every)
	defer next.Stop()
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
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
	}
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
	known := r.Known
	if !r.Take(result, time.Now(), check) {
		return
	}
	switch {
	case r.Failed:
		c.call.Warnf("check %s fails: %s", check.Name, r.Why)
	case known:
		c.call.Infof("check %s holds again", check.Name)
	}
	c.save()
	c.publishSoon()
}

// save keeps the book for the next keeper and for the monitor. A full /run is no reason to stop
// checking.
func (c *checker) save() {
	if err := c.book.Write(c.in.Checks()); err != nil {
		c.call.Warnf("cannot write %s: %v", c.in.Checks(), err)
	}
}

func (c *checker) publishSoon() {
	select {
	case c.due <- struct{}{}:
	default:
	}
}

// publishAll publishes the results when they change, and now and then.
func (c *checker) publishAll(ctx context.Context) {
	again := time.NewTicker(publishAgain)
	defer again.Stop()
	complained := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.due:
		case <-again.C:
		}
		err := c.publish(ctx)
		if err != nil && !complained {
			c.call.Warnf("cannot tell the cluster the results of the checks: %v", err)
		}
		if complained = err != nil; complained {
			select {
			case <-ctx.Done():
				return
			case <-time.After(publishRetry):
				c.publishSoon()
			}
		}
	}
}

// publish publishes what the records say now, and withdraws what belongs to no check any more.
func (c *checker) publish(ctx context.Context) error {
	if _, serving := c.serving(); !serving || !c.call.Clustered {
		return nil
	}
	c.mu.Lock()
	values := c.book.Values(c.names())
	gone := slices.DeleteFunc(slices.Clone(c.book.Published), func(name string) bool {
		return slices.Contains(c.names(), name)
	})
	failing := contract.FormatFailing(c.book.Failing(c.names()))
	if published := slices.Sorted(maps.Keys(values)); !slices.Equal(published, c.book.Published) {
		c.book.Published = slices.Sorted(maps.Keys(values))
		for _, name := range gone { // until they have been withdrawn
			c.book.Published = append(c.book.Published, name)
		}
		c.save()
	}
	c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	r := contract.ResourceOf(c.call.Instance)
	err := c.in.PublishChecks(r, values, gone, failing)
	if err == nil && len(gone) > 0 {
		c.mu.Lock()
		c.book.Published = slices.Sorted(maps.Keys(values))
		c.save()
		c.mu.Unlock()
	}
	return err
}

// parameters returns the environment of a call with the parameters as they are now.
func (k *keeper) parameters() (ocf.Env, error) {
	text, err := os.ReadFile(k.in.KeeperCall())
	if err != nil {
		return ocf.Env{}, fmt.Errorf("the keeper does not know its parameters: %w", err)
	}
	return ocf.Env{
		Args:   []string{contract.KeeperProcess, contract.KeeperProcess},
		Getenv: ocf.Getenv(strings.Split(string(text), "\x00")), Stdout: os.Stdout,
		Stderr: os.Stderr, LogName: contract.KeeperProcess,
	}, nil
}
