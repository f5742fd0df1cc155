package main

import (
	"context"
	"errors"
	"fmt"
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
	for _, f := range status.Failures {
		if ours[instanceOf(f.Resource)] && f.Time.After(since.Add(-clockSkew)) {
			lines = append(lines, describeFailure(f))
		}
	}
	lines = append(lines, missing(status, func(id string) bool { return ours[id] })...)
	if len(lines) == 0 {
		return nil
	}
	return exitf(exitResource, "%s", strings.Join(lines, "\n"))
}

// missing lists the resources that should run and run nowhere, with the reason if one is known.
func missing(status *crm.Status, wanted func(id string) bool) []string {
	type state struct {
		active, stopped bool
		reason          string
	}
	states := map[string]*state{}
	var order []string
	for _, r := range status.Resources {
		id := instanceOf(r.ID)
		if !wanted(id) {
			continue
		}
		st, ok := states[id]
		if !ok {
			st = &state{}
			states[id] = st
			order = append(order, id)
		}
		st.active = st.active || r.Active && !r.Failed
		st.stopped = st.stopped || r.Target == "Stopped" || !r.Managed
		if st.reason == "" {
			st.reason = r.Reason
		}
	}
	var lines []string
	for _, id := range order {
		st := states[id]
		if st.active || st.stopped {
			continue
		}
		line := id + " runs nowhere"
		if st.reason != "" {
			line += ": " + st.reason
		}
		for _, f := range status.Failures {
			if instanceOf(f.Resource) == id && f.Reason != "" && f.Reason != st.reason {
				line += fmt.Sprintf(" (%s: %s)", f.Node, f.Reason)
			}
		}
		lines = append(lines, line)
	}
	return lines
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
