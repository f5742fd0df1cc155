package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// configReport is what a node's agent has told of the configuration.
type configReport struct {
	// Serves is the hash of the configuration that HAProxy serves, "" where it is not known.
	Serves string `json:"serves,omitempty"`
	// Disk is the hash of the node's files where it is another one: "missing" or "unreadable" where there is none.
	Disk string `json:"disk,omitempty"`
	// OldWorkers are those of before a reload that still have connections, OldConnections these, as of the last monitor.
	OldWorkers     int `json:"old_workers"`
	OldConnections int `json:"old_connections"`
}

// driftReport is a HAProxy of which the nodes serve different configurations.
type driftReport struct {
	Resource string `json:"resource"`
	// Served has the nodes of each configuration, that of the most nodes first.
	Served []servedReport `json:"served"`
}

type servedReport struct {
	Configuration string   `json:"configuration"`
	Nodes         []string `json:"nodes"`
}

// configOf reads what the node's agent has told, nil if nothing.
func configOf(status *crm.Status, node, instance string) *configReport {
	for _, n := range status.Nodes {
		if text, ok := n.Attributes[contract.LoadedAttribute(contract.ResourceOf(instance))]; ok && n.Name == node {
			t := contract.ParseLoaded(text)
			return &configReport{Serves: t.Serves, Disk: t.Disk, OldWorkers: t.OldWorkers, OldConnections: t.Conns}
		}
	}
	return nil
}

// addDrift compares what the nodes serve. A configuration that was edited and is not served yet is no fault; files that are gone are, since
// HAProxy could not be started again there, and so are nodes that serve different ones.
func (r *statusReport) addDrift() {
	served := map[string]map[string][]string{}
	for i := range r.HAProxy {
		h := &r.HAProxy[i]
		if h.Configuration == nil {
			continue
		}
		if d := h.Configuration.Disk; d == contract.Missing || d == contract.Unreadable {
			h.State = worst(h.State, stateDegraded)
			r.State = worst(r.State, stateDegraded)
			if h.Reason == "" {
				h.Reason = "its configuration files are " + d + " there: HAProxy could not be started again"
			}
		}
		if hash := h.Configuration.Serves; hash != "" {
			if served[h.Resource] == nil {
				served[h.Resource] = map[string][]string{}
			}
			served[h.Resource][hash] = append(served[h.Resource][hash], h.Node)
		}
	}
	for resource, configurations := range served {
		if len(configurations) < 2 {
			continue
		}
		d := driftReport{Resource: resource}
		for hash, nodes := range configurations {
			slices.Sort(nodes)
			d.Served = append(d.Served, servedReport{hash, nodes})
		}
		slices.SortFunc(d.Served, func(a, b servedReport) int {
			return cmp.Or(cmp.Compare(len(b.Nodes), len(a.Nodes)), strings.Compare(a.Nodes[0], b.Nodes[0]))
		})
		r.Drift = append(r.Drift, d)
		r.State = worst(r.State, stateDegraded)
	}
	slices.SortFunc(r.Drift, func(a, b driftReport) int { return strings.Compare(a.Resource, b.Resource) })
}

// String is the column of the table.
func (c *configReport) String() string {
	if c == nil {
		return ""
	}
	text := "serves " + orUnknown(c.Serves)
	switch c.Disk {
	case "", contract.Missing, contract.Unreadable:
		return text
	}
	return text + ", files are " + c.Disk
}

// showDrift says in words what the table's hashes mean.
func (s *system) showDrift(r *statusReport) {
	for _, d := range r.Drift {
		var parts []string
		for _, c := range d.Served {
			parts = append(parts, fmt.Sprintf("%s on %s", c.Configuration, strings.Join(c.Nodes, ", ")))
		}
		s.printf("  %s %s\n", s.paint(yellow, d.Resource+" serves different configurations:"), strings.Join(parts, "; "))
	}
	for _, h := range r.HAProxy {
		if c := h.Configuration; c != nil && c.Disk != "" && c.Disk != contract.Missing && c.Disk != contract.Unreadable {
			s.printf("  The files are not what is served on some nodes: `hawser reload` has them loaded\n")
			return
		}
	}
}
