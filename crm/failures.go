package crm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ClockSkew is how far apart the clocks of the nodes may be: a failure carries the time of the node
// where it happened.
const ClockSkew = 2 * time.Second

// ResourceOf strips the number of a clone's instance: "haproxy:0" is an instance of haproxy.
func ResourceOf(instance string) string {
	id, _, _ := strings.Cut(instance, ":")
	return id
}

// String is the failure as a sentence: what, where, and the agent's own reason.
func (f Failure) String() string {
	line := fmt.Sprintf("%s of %s on %s failed: %s", f.Task, f.Resource, f.Node, f.Meaning)
	if f.Status != "" && f.Status != "complete" && !strings.EqualFold(f.Status, f.Meaning) {
		line += " (" + f.Status + ")"
	}
	if f.Reason != "" {
		line += ": " + f.Reason
	}
	return line
}

// Since says whether the action failed after that moment, as far as the nodes' clocks allow.
func (f Failure) Since(moment time.Time) bool { return f.Time.After(moment.Add(-ClockSkew)) }

// Absence is a resource that should run and does not run on any node.
type Absence struct {
	ID      string
	Reasons []string // those that are known
}

// String is the absence as a sentence.
func (a Absence) String() string {
	line := a.ID + " is not running on any node"
	if len(a.Reasons) > 0 {
		line += ": " + strings.Join(a.Reasons, "; ")
	}
	return line
}

func (a *Absence) add(reason string) {
	if reason != "" && !slices.Contains(a.Reasons, reason) {
		a.Reasons = append(a.Reasons, reason)
	}
}

// Missing lists the resources that should run and do not run on any node. What is stopped on
// purpose or not managed is not missing.
func (s *Status) Missing() []Absence {
	var all []*Absence
	byID := map[string]*Absence{}
	excused := map[string]bool{} // those that run, or should not
	for _, r := range s.Resources {
		id := ResourceOf(r.ID)
		a, ok := byID[id]
		if !ok {
			a = &Absence{ID: id}
			byID[id] = a
			all = append(all, a)
		}
		if r.Active && !r.Failed || r.Target == RoleStopped || !r.Managed {
			excused[id] = true
		}
		a.add(r.Reason)
	}
	var out []Absence
	for _, a := range all {
		if excused[a.ID] {
			continue
		}
		for _, f := range s.Failures {
			if ResourceOf(f.Resource) == a.ID {
				a.add(f.Reason)
			}
		}
		out = append(out, *a)
	}
	return out
}
