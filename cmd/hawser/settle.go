package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// settle waits until the cluster has nothing left to do.
func (s *system) settle(ctx context.Context, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t := s.startTicker()
	defer t.close()
	t.set("waiting for the cluster to settle")
	var last crm.Progress
	err := s.cluster.Wait(limited, func(p crm.Progress) {
		last = p
		t.set(describeProgress(p))
	})
	switch {
	case ctx.Err() != nil:
		return exitf(exitFailed, "interrupted while the cluster settles: the configuration is written, `hawser status` shows what becomes of it")
	case errors.Is(err, context.DeadlineExceeded) || limited.Err() != nil && err != nil:
		return exitf(exitTimeout, "the cluster has not settled within %v, %s: the configuration is written, `hawser status` shows what becomes of it", timeout, describeProgress(last))
	}
	return err
}

// describeProgress names what is still to be done: starts and stops, and monitors only if there is nothing else.
func describeProgress(p crm.Progress) string {
	var pending []string
	monitors := 0
	for _, a := range p.Pending {
		if a.Task == "monitor" {
			monitors++
			continue
		}
		pending = append(pending, a.String())
	}
	const most = 4
	if len(pending) > most {
		pending = append(pending[:most], fmt.Sprintf("%d more", len(pending)-most))
	}
	switch {
	case len(pending) > 0:
		return "waiting for " + strings.Join(pending, ", ")
	case monitors > 0:
		return "waiting for " + count(monitors, "monitor")
	}
	return "waiting for the cluster to settle"
}

// clockSkew is how far apart the clocks of the nodes may be: failures carry the time of the node where they happened.
const clockSkew = 2 * time.Second

// verdict is an error if one of the resources failed since then, or is not where it should be.
func (s *system) verdict(ctx context.Context, owned []string, since time.Time) error {
	status, err := s.cluster.Status(ctx)
	if err != nil {
		return err
	}
	ours := map[string]bool{}
	for _, id := range owned {
		ours[id] = true
	}
	var lines []string
	explained := map[string]bool{}
	for _, f := range status.Failures {
		if id := instanceOf(f.Resource); ours[id] && f.Time.After(since.Add(-clockSkew)) {
			lines = append(lines, describeFailure(f))
			explained[id] = true
		}
	}
	for _, m := range missing(status, func(id string) bool { return ours[id] }) {
		if explained[m.id] {
			m.reasons = nil
		}
		lines = append(lines, m.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return exitf(exitResource, "%s", strings.Join(lines, "\n"))
}

// absence is a resource that should run and runs nowhere.
type absence struct {
	id      string
	reasons []string // where they are known
}

func (a absence) String() string {
	line := a.id + " runs nowhere"
	if len(a.reasons) > 0 {
		line += ": " + strings.Join(a.reasons, "; ")
	}
	return line
}

// missing lists the resources that should run and run nowhere.
func missing(status *crm.Status, wanted func(id string) bool) []absence {
	var all []*absence
	byID := map[string]*absence{}
	excused := map[string]bool{} // those that run, or should not
	for _, r := range status.Resources {
		id := instanceOf(r.ID)
		if !wanted(id) {
			continue
		}
		a, ok := byID[id]
		if !ok {
			a = &absence{id: id}
			byID[id] = a
			all = append(all, a)
		}
		if r.Active && !r.Failed || r.Target == "Stopped" || !r.Managed {
			excused[id] = true
		}
		a.add(r.Reason)
	}
	var out []absence
	for _, a := range all {
		if excused[a.id] {
			continue
		}
		for _, f := range status.Failures {
			if instanceOf(f.Resource) == a.id {
				a.add(f.Reason)
			}
		}
		out = append(out, *a)
	}
	return out
}

func (a *absence) add(reason string) {
	if reason != "" && !slices.Contains(a.reasons, reason) {
		a.reasons = append(a.reasons, reason)
	}
}

// instanceOf strips the number of a clone's instance: "haproxy:0" is haproxy.
func instanceOf(resource string) string {
	id, _, _ := strings.Cut(resource, ":")
	return id
}

// describeFailure is one failed action as a sentence: what, where, and the agent's own reason.
func describeFailure(f crm.Failure) string {
	line := fmt.Sprintf("%s of %s on %s failed: %s", f.Task, f.Resource, f.Node, f.Meaning)
	if f.Status != "" && f.Status != "complete" && !strings.EqualFold(f.Status, f.Meaning) {
		line += " (" + f.Status + ")"
	}
	if f.Reason != "" {
		line += ": " + f.Reason
	}
	return line
}
