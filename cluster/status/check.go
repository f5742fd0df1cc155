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
	Resource string `json:"resource"`
	Name     string `json:"name"`
	// State is degraded if it fails on any node: no check stops HAProxy.
	State State         `json:"state"`
	Nodes []CheckOnNode `json:"nodes"`
}

// CheckOnNode is the result of a check on a node.
type CheckOnNode struct {
	Node  string     `json:"node"`
	Is    string     `json:"is"` // ok or failed
	Since *time.Time `json:"since,omitempty"`
	// Reason is why it fails.
	Reason string `json:"reason,omitempty"`
}

// FailsEverywhere reports whether the check fails on every node that has done it.
func (c Check) FailsEverywhere() bool {
	return len(c.Nodes) > 0 && !slices.ContainsFunc(c.Nodes,
		func(n CheckOnNode) bool { return n.Is != contract.CheckFailed })
}

// addChecks adds the results that the nodes have published.
func (r *Report) addChecks(status *crm.Status) {
	resources := map[string]bool{}
	for _, h := range r.HAProxy {
		resources[h.Resource] = true
	}
	for _, resource := range slices.Sorted(maps.Keys(resources)) {
		for _, c := range checksOf(status, resource) {
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
			here := CheckOnNode{Node: n.Name, Is: value}
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
