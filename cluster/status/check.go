package status

import (
	"maps"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// Check is one of HAProxy's checks, on all the nodes that have done it.
type Check struct {
	// Resource is the HAProxy's.
	Resource string `json:"resource"`
	// Name is the check's.
	Name string `json:"name"`
	// State is degraded if it fails on any node: no check stops HAProxy.
	State State `json:"state"`
	// Nodes lists the nodes that have done it.
	Nodes []CheckOnNode `json:"nodes"`
	// undone is set if HAProxy serves on a node that has no result, where an address goes as if the
	// check held.
	undone bool
}

// CheckOnNode is the result of a check on a node.
type CheckOnNode struct {
	// Node is where it was done.
	Node string `json:"node"`
	// Is says what it has found there.
	Is CheckIs `json:"is"`
	// Since is when it began to fail.
	Since *time.Time `json:"since,omitempty"`
	// Reason is why it fails.
	Reason string `json:"reason,omitempty"`
}

// FailsEverywhere reports whether the check fails on every node where an address could be.
func (c Check) FailsEverywhere() bool {
	return len(c.Nodes) > 0 && !c.undone && !slices.ContainsFunc(c.Nodes,
		func(n CheckOnNode) bool { return n.Is != CheckFails })
}

// FailingSince returns since when it fails on every node that has done it, nil if that is not known.
func (c Check) FailingSince() *time.Time {
	var last *time.Time
	for _, n := range c.Nodes {
		if n.Since == nil {
			return nil
		}
		if last == nil || n.Since.After(*last) {
			last = n.Since
		}
	}
	return last
}

// addChecks adds the results that the nodes have published.
func (r *Report) addChecks(status *crm.Status) {
	resources := map[string]bool{}
	for _, h := range r.HAProxy {
		resources[h.Resource] = true
	}
	for _, resource := range slices.Sorted(maps.Keys(resources)) {
		for _, c := range checksOf(status, resource) {
			for _, h := range r.HAProxy {
				done := slices.ContainsFunc(c.Nodes, func(n CheckOnNode) bool {
					return n.Node == h.Node
				})
				c.undone = c.undone || h.Resource == resource && serves(h) && !done
			}
			r.State = worst(r.State, c.State)
			r.Checks = append(r.Checks, c)
		}
	}
}

func checksOf(status *crm.Status, resource string) []Check {
	id := contract.ResourceOf(resource)
	checks := map[string]*Check{}
	for _, n := range status.Nodes {
		failing := map[string]contract.FailingCheck{}
		for _, f := range contract.ParseFailing(n.Attributes[contract.FailingAttribute(id)]) {
			failing[f.Name] = f
		}
		for attribute, value := range n.Attributes {
			name, ok := contract.CheckOfAttribute(id, attribute)
			if !ok || value != contract.CheckOK && value != contract.CheckFailed {
				continue
			}
			c := checks[name]
			if c == nil {
				c = &Check{Resource: resource, Name: name, State: OK}
				checks[name] = c
			}
			here := CheckOnNode{Node: n.Name, Is: CheckIs(value)}
			if value == contract.CheckFailed {
				c.State = Degraded
				if f, ok := failing[name]; ok {
					here.Since, here.Reason = timeOf(f.Since), f.Why
				}
			}
			c.Nodes = append(c.Nodes, here)
		}
	}
	var all []Check
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		all = append(all, *checks[name])
	}
	return all
}

// serves reports whether an address could be on the node of a HAProxy.
func serves(h HAProxy) bool { return h.Is == Running || h.Is == RunningDegraded }
