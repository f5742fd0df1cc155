package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// answersEvery is how often the nodes' answers are polled.
const answersEvery = 150 * time.Millisecond

// carry has every node check the configuration, and if none refuses, take it.
func (r *Roller) carry(ctx context.Context, p *Push, timeout time.Duration,
	progress change.Progress) (answers []NodePush, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		progress("removing the configuration from the cluster's")
		err = errors.Join(err, r.unpush(ctx, p))
	}()

	asked := map[string]bool{}
	progress("having every node check the configuration")
	if err := r.order(ctx, p, p.order(contract.PushCheck)); err != nil {
		if errors.Is(err, crm.ErrUnwritten) {
			err = outcome.Errorf(outcome.Interrupted,
				"interrupted before any node was asked: nothing was changed")
		}
		return nil, err
	}
	answers, err = r.answers(ctx, p, p.order(contract.PushCheck), asked)
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, outcome.Errorf(outcome.Degraded,
			"%s; no node has taken it and no file was changed", bad)
	}
	progress("having every node take the configuration")
	if err := r.order(ctx, p, p.order(contract.PushTake)); err != nil {
		if errors.Is(err, crm.ErrUnwritten) {
			err = outcome.Errorf(outcome.Interrupted, "interrupted: every node has checked the "+
				"configuration, no node has taken it and no file was changed")
		}
		return answers, err
	}
	answers, err = r.answers(ctx, p, p.order(contract.PushTake), asked)
	for i := range answers {
		answers[i].Serves = answers[i].Answer == Accepted
	}
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, outcome.Errorf(outcome.Degraded,
			"%s; the other nodes have applied it: fix that node and push again, or `hawser "+
				"reload --rollback`", bad)
	}
	return answers, nil
}

// notOK names the nodes that refused or did not answer. One that has left does not count: it serves
// nobody.
func notOK(answers []NodePush) string {
	var bad []string
	for _, a := range answers {
		switch a.Answer {
		case "refused":
			bad = append(bad, a.Node+": "+a.Reason)
		case "none":
			bad = append(bad, a.Node+" did not answer in time")
		}
	}
	return strings.Join(bad, "\n")
}

// order writes an order, and the configuration with it.
func (r *Roller) order(ctx context.Context, p *Push, order string) error {
	return change.Write(ctx, r.Cluster, func(cib *crm.CIB) (crm.Plan, error) {
		return pushPlan(cib, p, func(now string) (string, bool, error) {
			if order == p.order(contract.PushTake) && now != p.order(contract.PushCheck) {
				return "", false, outcome.Errorf(outcome.Conflict,
					"somebody else pushed another configuration meanwhile (%q): no node has "+
						"taken this one", now)
			}
			return order, true, nil
		})
	})
}

// unpush removes what order wrote, unless somebody else has pushed in the meantime.
func (r *Roller) unpush(ctx context.Context, p *Push) error {
	err := change.Undo(ctx, r.Cluster, func(cib *crm.CIB) (crm.Plan, error) {
		return pushPlan(cib, p, func(now string) (string, bool, error) {
			if now != "" && !strings.HasSuffix(now, p.Sum) {
				return now, true, nil
			}
			return "", false, nil
		})
	})
	if err != nil {
		return fmt.Errorf("the configuration could not be removed from the cluster's again (the "+
			"next hawser reload does it): %w", err)
	}
	return nil
}

// pushPlan writes the order that decide returns, given the current one, with or without the
// configuration.
func pushPlan(cib *crm.CIB, p *Push,
	decide func(now string) (string, bool, error)) (crm.Plan, error) {
	there, ok := cib.Object(p.Resource)
	primitive, isPrimitive := there.(*crm.Primitive)
	if !ok || !isPrimitive {
		return crm.Plan{}, outcome.Errorf(outcome.Conflict,
			"%s was removed from the configuration meanwhile", p.Resource)
	}
	now, _ := primitive.Params.Get(contract.ParamPush)
	order, with, err := decide(now)
	if err != nil || order == now && with {
		return crm.Plan{}, err
	}
	clean, deletes := withoutPush(cib, primitive)
	puts := []crm.Object{clean}
	if order != "" {
		clean.Params.Set(contract.ParamPush, order)
		puts = append(puts, &crm.Property{Set: contract.PushSet(contract.ResourceOf(p.Resource)),
			Name: contract.PushedConfig, Value: p.packed})
		deletes = nil
	}
	return change.Edit(cib, puts, deletes)
}

// withoutPush returns the edits that remove everything a push has written.
func withoutPush(cib *crm.CIB, p *crm.Primitive) (clean *crm.Primitive, deletes []string) {
	edited := *p
	edited.Params = slices.DeleteFunc(slices.Clone(p.Params),
		func(a crm.Attr) bool { return a.Name == contract.ParamPush })
	for _, o := range cib.Objects() {
		if property, ok := o.(*crm.Property); ok &&
			property.Set == contract.PushSet(contract.ResourceOf(p.Name)) {
			deletes = append(deletes, property.ID())
		}
	}
	return &edited, deletes
}

// answers waits until every node that runs the resource has answered the order. asked holds the
// nodes that have been seen with the resource since the push began: one that leaves between two
// orders is listed too.
func (r *Roller) answers(ctx context.Context, p *Push, order string,
	asked map[string]bool) ([]NodePush, error) {
	for {
		status, err := r.Cluster.Status(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		var all []NodePush
		if err == nil {
			var waiting bool
			if all, waiting = answersIn(status, p.Resource, order, asked); !waiting {
				return all, nil
			}
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return all, outcome.Errorf(outcome.Interrupted,
					"interrupted before every node had answered: `hawser status` shows what "+
						"each of them serves")
			}
			return all, outcome.Errorf(outcome.Timeout,
				"not every node has answered in time: %s; `hawser status` shows what each of "+
					"them serves",
				cmp.Or(strings.ReplaceAll(notOK(all), "\n", "; "),
					"Pacemaker did not report any answer"))
		case <-time.After(answersEvery):
		}
	}
}

// answersIn reads the nodes' answers. asked remembers the nodes that have been seen with the
// resource.
func answersIn(status *crm.Status, resource, order string,
	asked map[string]bool) (all []NodePush, waiting bool) {
	attribute := contract.PushAttribute(contract.ResourceOf(resource))
	running := map[string]bool{}
	for _, r := range status.Resources {
		if crm.ResourceOf(r.ID) == resource && r.Active && r.Node != "" {
			running[r.Node], asked[r.Node] = true, true
		}
	}
	for _, n := range status.Nodes {
		answer, ok := contract.ParsePushAnswer(n.Attributes[attribute])
		switch {
		case !asked[n.Name]:
		case !running[n.Name] && (!n.Online || n.Standby || n.Shutdown):
			all = append(all, NodePush{Node: n.Name, Answer: LeftPush,
				Reason: "it stopped meanwhile"})
		case !ok || answer.Order.String() != order:
			waiting = true
			all = append(all, NodePush{Node: n.Name, Answer: Unanswered})
		case answer.Refused == "":
			all = append(all, NodePush{Node: n.Name, Answer: Accepted})
		default:
			all = append(all, NodePush{Node: n.Name, Answer: Refused, Reason: answer.Refused})
		}
	}
	if len(running) == 0 {
		waiting = true
	}
	slices.SortFunc(all, func(a, b NodePush) int { return strings.Compare(a.Node, b.Node) })
	return all, waiting
}
