package haproxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Checks returns the checks that the parameters ask for: those of checks, and what check_url and
// min_servers are short for.
func (a *agent) Checks() []param.Check {
	all := slices.Clone(a.checks.Checks)
	add := func(c param.Check) {
		if !slices.ContainsFunc(all, func(other param.Check) bool { return other.Name == c.Name }) {
			all = append(all, c)
		}
	}
	if a.CheckURL != "" {
		add(param.URLCheck(contract.CheckURLName, a.CheckURL, a.checkTimeout))
	}
	if a.minServers > 0 {
		add(param.ServersCheck(contract.MinServersName, a.minServers))
	}
	return all
}

// unknownChecks says which checks are not done because this version does not know them, nil if it knows
// all. Pacemaker would take that as a mistake in the parameters, and stop HAProxy on every node, while
// the nodes are being upgraded one after the other.
func (a *agent) unknownChecks() error {
	if len(a.checks.Unknown) == 0 {
		return nil
	}
	return fmt.Errorf("parameter %s %w to hawser %s", contract.ParamChecks, a.checks.Unknown[0], a.Version)
}

// judge returns why a monitor of OCF_CHECK_LEVEL 10 is degraded by a check, nil if it is not. The
// keeper does the checks; without one, this monitor does, and each of its results counts.
func (a *agent) judge(ctx context.Context, in *instance.Instance, check ocf.Check,
	s *instance.State, servers []client.Stat, watched bool) error {
	all := a.Checks()
	deep := check.Level >= contract.LevelDeep
	if !watched && !a.Keeper {
		if !deep || len(all) == 0 || checks.ReadBook(in.Checks()).Kept {
			a.withdrawUndone(ctx, in, len(all) > 0)
		}
	}
	if !deep || len(all) == 0 {
		return nil
	}
	var names []string
	for i := range all {
		names = append(names, all[i].Name)
	}
	book := checks.ReadBook(in.Checks())
	if !watched && !a.Keeper {
		runner := &checks.Runner{Env: s.Env, Version: a.Version,
			Servers: func(context.Context) ([]client.Stat, error) { return servers, nil }}
		a.judgeHere(ctx, in, runner, all, names, &book)
	}
	failing := book.Failing(names)
	if len(failing) == 0 {
		return nil
	}
	var reasons []string
	for _, f := range failing {
		reasons = append(reasons, fmt.Sprintf("check %s fails: %s", f.Name, f.Why))
	}
	return errors.New(strings.Join(reasons, "; "))
}

// withdrawUndone withdraws the results of a keeper that there is no more, of a monitor that there is no
// more, and those of checks that there are no more: nobody may do them again, and an address would
// avoid the node for ever.
func (a *agent) withdrawUndone(ctx context.Context, in *instance.Instance, asked bool) {
	book := checks.ReadBook(in.Checks())
	late := !book.Until.IsZero() && time.Now().After(book.Until)
	if !book.Kept && (asked && !late || len(book.Published) == 0) || !a.withdrawChecks(ctx, in) {
		return
	}
	if err := instance.Remove(in.Checks()); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
}

// withdrawChecks removes the results that were published, and reports whether none is left.
func (a *agent) withdrawChecks(ctx context.Context, in *instance.Instance) bool {
	published := checks.ReadBook(in.Checks()).Published
	if len(published) == 0 {
		return true
	}
	if err := in.PublishChecks(ctx, resourceOf(ocf.CallFrom(ctx)), nil, published, ""); err != nil {
		ocf.CallFrom(ctx).Warnf("cannot take the results of the checks back from the cluster: %v",
			err)
		return false
	}
	return true
}

// publishTime is how much of a monitor's time is left for publishing what its checks show.
const publishTime = 2 * time.Second

var errNoTime = errors.New("no answer within the monitor's timeout")

// doAll does all checks at once and returns what is bad about each. One that goes on when the
// monitor has to end is bad: otherwise one that hangs for ever would never fail.
func doAll(ctx context.Context, runner *checks.Runner, all []param.Check) []error {
	limited := ctx
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, left-min(publishTime, left/4))
		defer cancel()
	}
	type result struct {
		of  int
		err error
	}
	done := make(chan result, len(all))
	bad := make([]error, len(all))
	for i := range all {
		bad[i] = errNoTime
		go func() { done <- result{i, runner.Do(limited, &all[i])} }()
	}
	for range all {
		select {
		case r := <-done:
			if r.err == nil || limited.Err() == nil {
				bad[r.of] = r.err
			}
		case <-limited.Done():
			return bad
		}
	}
	return bad
}

// judgeHere does the checks and publishes what they show. It never fails a monitor.
func (a *agent) judgeHere(ctx context.Context, in *instance.Instance, runner *checks.Runner,
	all []param.Check, names []string, book *checks.Book) {
	call := ocf.CallFrom(ctx)
	before, published := book.Values(names), book.Published
	results := doAll(ctx, runner, all)
	if ctx.Err() != nil {
		return // the monitor was ended: what is not known goes on being what it was
	}
	for i, result := range results {
		if checks.Unknown(result) {
			continue
		}
		if book.Of(names[i]).Set(result, time.Now()) && result != nil {
			call.Warnf("check %s fails: %v", names[i], result)
		}
	}
	book.Keep(names)
	now := book.Values(names)
	gone := slices.DeleteFunc(slices.Clone(published), func(name string) bool {
		return slices.Contains(names, name)
	})
	if call.Interval > 0 {
		book.Until = time.Now().Add(missedMonitors*call.Interval + call.Timeout)
	}
	if !call.Clustered {
		return
	}
	defer func() {
		if err := book.Write(in.Checks()); err != nil {
			call.Warnf("cannot write %s: %v", in.Checks(), err)
		}
	}()
	if len(gone) == 0 && maps.Equal(before, now) && len(published) == len(now) &&
		!book.Forgotten {
		return // a steady monitor starts no process
	}
	err := in.PublishChecks(ctx, resourceOf(call), now, gone,
		contract.FormatFailing(book.Failing(names)))
	if err != nil {
		call.Warnf("cannot tell the cluster the results of the checks: %v", err)
		book.Published, book.Forgotten = slices.Concat(names, gone), true // in part, perhaps
		return
	}
	book.Published, book.Forgotten = names, false
}

// missedMonitors is how many monitors in a row have to be missing before nobody counts on another one:
// an operation that takes long delays them.
const missedMonitors = 10

// forgetChecks has the next monitor publish what its checks show although nothing has changed. A keeper
// publishes it now and then.
func (a *agent) forgetChecks(ctx context.Context, in *instance.Instance) {
	book := checks.ReadBook(in.Checks())
	if a.Keeper || book.Kept || book.Forgotten || len(book.Published) == 0 {
		return
	}
	book.Forgotten = true
	if err := book.Write(in.Checks()); err != nil {
		ocf.CallFrom(ctx).Warnf("%v", err)
	}
}
