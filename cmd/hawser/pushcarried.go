package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// aPush is a configuration on its way.
type aPush struct {
	resource    string // the primitive
	conffile    string // on every node
	text        []byte
	packed, sum string
}

// carryPush has every node check the configuration, and if none refuses, take it.
func (s *system) carryPush(ctx context.Context, p aPush, timeout time.Duration) (answers []pushNodeReport, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := s.startTicker()
	defer t.close()
	defer func() {
		t.set("removing the configuration from the cluster's")
		err = errors.Join(err, s.unpush(ctx, p))
	}()

	t.set("having every node check the configuration")
	if err := s.order(ctx, p, contract.NewPushOrder(contract.PushCheck, p.sum).String()); err != nil {
		return nil, err
	}
	answers, err = s.answers(ctx, p, contract.NewPushOrder(contract.PushCheck, p.sum).String())
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, exitf(exitDegraded, "%s; no node has taken it and no file was changed", bad)
	}
	t.set("having every node take the configuration")
	if err := s.order(ctx, p, contract.NewPushOrder(contract.PushTake, p.sum).String()); err != nil {
		return answers, err
	}
	answers, err = s.answers(ctx, p, contract.NewPushOrder(contract.PushTake, p.sum).String())
	for i := range answers {
		answers[i].Serves = answers[i].Answer == "ok"
	}
	if err != nil {
		return answers, err
	}
	if bad := notOK(answers); bad != "" {
		return answers, exitf(exitDegraded, "%s; the other nodes have taken it: mend that node and push again, or `hawser reload --rollback`", bad)
	}
	return answers, nil
}

// notOK names the nodes that refused or did not answer. One that has left is no obstacle: it serves nobody.
func notOK(answers []pushNodeReport) string {
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
func (s *system) order(ctx context.Context, p aPush, order string) error {
	return s.writePush(ctx, p, func(now string) (string, bool, error) {
		if order == contract.NewPushOrder(contract.PushTake, p.sum).String() && now != contract.NewPushOrder(contract.PushCheck, p.sum).String() {
			return "", false, exitf(exitConflict, "somebody else pushed another configuration meanwhile (%q): no node has taken this one", now)
		}
		return order, true, nil
	})
}

// unpush removes what order wrote, unless somebody else has pushed meanwhile.
func (s *system) unpush(ctx context.Context, p aPush) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unpushTime)
	defer cancel()
	err := s.writePush(ctx, p, func(now string) (string, bool, error) {
		if now != "" && !strings.HasSuffix(now, p.sum) {
			return now, true, nil
		}
		return "", false, nil
	})
	if err != nil {
		return fmt.Errorf("the configuration could not be removed from the cluster's again (the next hawser reload does it): %w", err)
	}
	return nil
}

// writePush writes the order that decide returns for the one that is there, with or without the configuration.
func (s *system) writePush(ctx context.Context, p aPush, decide func(now string) (order string, with bool, err error)) error {
	replan := func(cib *crm.CIB) (crm.Plan, error) { return pushPlan(cib, p, decide) }
	cib, err := s.cluster.Query(ctx)
	if err != nil {
		return err
	}
	plan, err := replan(cib)
	if err != nil || plan.Empty() {
		return err
	}
	return s.write(ctx, plan, replan)
}

func pushPlan(cib *crm.CIB, p aPush, decide func(now string) (string, bool, error)) (crm.Plan, error) {
	there, ok := cib.Object(p.resource)
	primitive, isPrimitive := there.(*crm.Primitive)
	if !ok || !isPrimitive {
		return crm.Plan{}, exitf(exitConflict, "%s was removed from the configuration meanwhile", p.resource)
	}
	now, _ := primitive.Params.Get(pushParam)
	order, with, err := decide(now)
	if err != nil || order == now && with {
		return crm.Plan{}, err
	}
	clean, deletes := withoutPush(cib, primitive)
	puts := []crm.Object{clean}
	if order != "" {
		clean.Params.Set(pushParam, order)
		puts = append(puts, &crm.Property{Set: contract.PushSet(contract.ResourceOf(p.resource)), Name: contract.PushedConfig, Value: p.packed})
		deletes = nil
	}
	spec, err := crm.Edit(cib, puts, deletes)
	if err != nil {
		return crm.Plan{}, err
	}
	return crm.Diff(cib, spec)
}

// withoutPush are the edits that leave nothing of a push behind.
func withoutPush(cib *crm.CIB, p *crm.Primitive) (clean *crm.Primitive, deletes []string) {
	edited := *p
	edited.Params = slices.DeleteFunc(slices.Clone(p.Params), func(a crm.Attr) bool { return a.Name == pushParam })
	for _, o := range cib.Objects() {
		if property, ok := o.(*crm.Property); ok && property.Set == contract.PushSet(contract.ResourceOf(p.Name)) {
			deletes = append(deletes, property.ID())
		}
	}
	return &edited, deletes
}

// answers waits until every node that runs the resource has answered the order.
func (s *system) answers(ctx context.Context, p aPush, order string) ([]pushNodeReport, error) {
	asked := map[string]bool{}
	for {
		status, err := s.cluster.Status(ctx)
		if err != nil && ctx.Err() == nil {
			return nil, err
		}
		var all []pushNodeReport
		if err == nil {
			var waiting bool
			if all, waiting = answersIn(status, p.resource, order, asked); !waiting {
				return all, nil
			}
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return all, exitf(exitInterrupted, "interrupted before every node had answered: `hawser status` shows what each of them serves")
			}
			return all, exitf(exitTimeout, "not every node has answered in time: %s; `hawser status` shows what each of them serves",
				cmp.Or(strings.ReplaceAll(notOK(all), "\n", "; "), "Pacemaker did not tell of any answer"))
		case <-time.After(answersEvery):
		}
	}
}

// answersIn reads the nodes' answers. asked remembers the nodes that have been seen with the resource.
func answersIn(status *crm.Status, resource, order string, asked map[string]bool) (all []pushNodeReport, waiting bool) {
	running := map[string]bool{}
	for _, r := range status.Resources {
		if instanceOf(r.ID) == resource && r.Active && r.Node != "" {
			running[r.Node], asked[r.Node] = true, true
		}
	}
	for _, n := range status.Nodes {
		switch answer, ok := contract.ParsePushAnswer(n.Attributes[contract.PushAttribute(contract.ResourceOf(resource))]); {
		case !asked[n.Name]:
		case !running[n.Name] && (!n.Online || n.Standby || n.Shutdown):
			all = append(all, pushNodeReport{Node: n.Name, Answer: "left", Reason: "it stopped meanwhile"})
		case !ok || answer.Order.String() != order:
			waiting = true
			all = append(all, pushNodeReport{Node: n.Name, Answer: "none"})
		case answer.Refused == "":
			all = append(all, pushNodeReport{Node: n.Name, Answer: "ok"})
		default:
			all = append(all, pushNodeReport{Node: n.Name, Answer: "refused", Reason: answer.Refused})
		}
	}
	if len(running) == 0 {
		waiting = true
	}
	slices.SortFunc(all, func(a, b pushNodeReport) int { return strings.Compare(a.Node, b.Node) })
	return all, waiting
}
