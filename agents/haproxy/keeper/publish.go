package keeper

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

const (
	// publishAgain is how often results are published although nothing has changed: the cluster
	// may have lost them, as it does when Pacemaker is restarted under a HAProxy that goes on.
	publishAgain = time.Minute
	// publishRetry is how soon results are published again that the cluster did not take. Each
	// attempt starts a process per attribute, so it takes twice as long after each, up to
	// longestRetry: where Pacemaker was stopped and HAProxy goes on, that may be for hours.
	publishRetry = time.Second
	longestRetry = 10 * time.Second
	// atOnce is how long a failure waits for those of other nodes that come at the same moment.
	// Pacemaker's attribute daemon writes them together, so that the scheduler never sees one node
	// fail before the other, and moves an address between the two.
	atOnce = 300 * time.Millisecond
	// swiftly is that for the carrier of an interface, of which others have known that it is in doubt
	// for as long as a link may blink.
	swiftly = 50 * time.Millisecond
	// noHurry is how long a result waits for those of other nodes where none of them could take the
	// address now: a failure while the check fails, or begins to fail, everywhere, and the end of
	// one, which other nodes may be about to see too.
	noHurry = 5 * time.Second
)

// doubtful is the value of contract.DoubtAttribute while a check is in doubt.
const doubtful = "1"

// results is what the checks say.
type results struct {
	// values are those of the attributes, by the names of the checks.
	values map[string]string
	// doubts says of which checks the last results were bad although they hold so far.
	doubts map[string]bool
	// swift says of which checks a failure waits no longer than swiftly for those of other nodes.
	swift map[string]bool
	// failing is the value of contract.FailingAttribute.
	failing string
	// gone are checks that are not done any more; withdrawn is called when their attributes are
	// gone too.
	gone      []string
	withdrawn func()
}

// publisher tells the cluster the results, and how soon they have to be written.
type publisher struct {
	in   *instance.Instance
	call *ocf.Call
	due  chan struct{}

	values map[string]published
	doubts map[string]bool
	// failing is what the cluster has been told, nil while that is not known: an earlier publisher
	// may have told it of a check that nobody does any more.
	failing *string
}

// published is what the cluster has been told of a check.
type published struct {
	value string
	at    time.Time
	// waits is set while it may wait to be written, for noHurry.
	waits bool
}

func newPublisher(in *instance.Instance, call *ocf.Call) publisher {
	return publisher{in: in, call: call, due: make(chan struct{}, 1), values: map[string]published{},
		doubts: map[string]bool{}}
}

// soon has run publish what has changed.
func (p *publisher) soon() {
	select {
	case p.due <- struct{}{}:
	default:
	}
}

// run publishes what current returns when it has changed, and now and then, until the context ends.
func (p *publisher) run(ctx context.Context, current func() (results, bool)) {
	again := time.NewTicker(publishAgain)
	defer again.Stop()
	retry := time.NewTimer(publishRetry)
	defer retry.Stop()
	pause := time.Duration(0) // after a failure, until the next attempt
	for {
		due := p.due
		if pause > 0 {
			due = nil
		}
		select {
		case <-ctx.Done():
			return
		case <-due:
		case <-retry.C:
		case <-again.C:
			p.forget()
		}
		now, ok := current()
		if ctx.Err() != nil {
			return
		}
		if !ok {
			pause = 0
			continue
		}
		err := p.publish(ctx, now)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			if pause = 0; p.waiting() {
				retry.Reset(publishRetry)
			}
			continue
		case pause == 0:
			p.call.Warnf("cannot tell the cluster the results of the checks: %v", err)
		}
		pause = min(max(2*pause, publishRetry), longestRetry)
		retry.Reset(pause)
	}
}

// forget has everything published once more but what waits to be written.
func (p *publisher) forget() {
	maps.DeleteFunc(p.values, func(_ string, v published) bool {
		return !v.waits || time.Since(v.at) >= noHurry
	})
	clear(p.doubts)
	p.failing = nil
}

// waiting reports whether a failure waits to be written.
func (p *publisher) waiting() bool {
	for _, v := range p.values {
		if v.waits && v.value == contract.CheckFailed && time.Since(v.at) < noHurry {
			return true
		}
	}
	return false
}

func (p *publisher) publish(ctx context.Context, now results) error {
	r := contract.ResourceOf(p.call.Instance)
	var errs pacemaker.Errors
	// A doubt that becomes a failure ends after the failure has been published, and one that begins
	// is published before all else: in between the check would seem to hold without a doubt, and
	// another node would send the address here.
	if errs.Add(p.publishDoubts(ctx, r, now, true)) {
		return errs.Err()
	}
	for _, name := range slices.Sorted(maps.Keys(now.values)) {
		if errs.Add(p.publishOne(ctx, r, name, now)) {
			return errs.Err()
		}
	}
	if errs.Add(p.publishDoubts(ctx, r, now, false)) {
		return errs.Err()
	}
	if p.failing == nil || now.failing != *p.failing {
		err := p.in.SetOrDelete(ctx, contract.FailingAttribute(r), now.failing)
		if errs.Add(err) {
			return errs.Err()
		}
		if err == nil {
			p.failing = &now.failing
		}
	}
	if len(now.gone) > 0 {
		err := p.in.WithdrawChecks(ctx, r, now.gone)
		errs.Add(err)
		if err == nil {
			now.withdrawn()
		}
	}
	return errs.Err()
}

// publishDoubts publishes which checks are in doubt, or which are not.
func (p *publisher) publishDoubts(ctx context.Context, r contract.ResourceID, now results,
	doubt bool) error {
	value := "0"
	if doubt {
		value = doubtful
	}
	for _, name := range slices.Sorted(maps.Keys(now.doubts)) {
		if before, told := p.doubts[name]; now.doubts[name] != doubt || told && before == doubt {
			continue
		}
		if err := p.in.SetPrivate(ctx, contract.DoubtAttribute(r, name), value); err != nil {
			return err
		}
		p.doubts[name] = doubt
	}
	return nil
}

// publishOne publishes the result of a check, or hurries one that waits.
func (p *publisher) publishOne(ctx context.Context, r contract.ResourceID, name string,
	all results) error {
	attribute, value := contract.CheckAttribute(r, name), all.values[name]
	before, told := p.values[name]
	now := published{value: value, at: time.Now()}
	switch {
	case told && before.value == value && !before.waits:
		return nil
	case told && before.value == value: // it waits
		if value == contract.CheckOK || time.Since(before.at) >= noHurry || !p.wellElsewhere(ctx, r, name) {
			return nil
		}
		now.at = before.at
	case value == contract.CheckOK:
		now.waits = told
	default:
		now.waits = !p.wellElsewhere(ctx, r, name)
	}
	delay := atOnce
	if all.swift[name] {
		delay = swiftly
	}
	if now.waits {
		delay = noHurry
	}
	if !told {
		delay = 0
		now.waits = false
	}
	if err := p.in.SetAttributeWithin(ctx, attribute, value, delay); err != nil {
		return err
	}
	p.values[name] = now
	return nil
}

// wellElsewhere reports whether the check holds on another node, and nothing there says that it is
// about to fail. Unknown is yes: then the address is better moved in vain than not at all.
func (p *publisher) wellElsewhere(ctx context.Context, r contract.ResourceID, name string) bool {
	// The doubts first: where one has ended in a failure since, the failure is there to be seen.
	doubts, err := p.in.QueryAttribute(ctx, contract.DoubtAttribute(r, name))
	if err != nil {
		return true
	}
	values, err := p.in.QueryAttribute(ctx, contract.CheckAttribute(r, name))
	if err != nil {
		return true
	}
	for node, value := range values {
		if node != p.call.Node && value == contract.CheckOK && doubts[node] != doubtful {
			return true
		}
	}
	return false
}
