package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// Config is what a node's agent has reported about the configuration.
type Config struct {
	// Serves is the hash of the configuration that HAProxy serves; missing if it is not known.
	Serves string `json:"serves,omitempty"`
	// Disk is the hash of the node's files if it is a different one: "missing" or "unreadable" if
	// there is none.
	Disk string `json:"disk,omitempty"`
	// OldWorkers counts the workers from before a reload that still have connections, as of the
	// last monitor.
	OldWorkers int `json:"old_workers"`
	// OldConnections counts their connections, as of the last monitor.
	OldConnections int `json:"old_connections"`
	// Cut is when HAProxy ends the last of them that are still open (hard-stop-after).
	Cut *time.Time `json:"cut,omitempty"`
}

// Drift is a HAProxy whose nodes serve different configurations.
type Drift struct {
	// Resource is the HAProxy's.
	Resource string `json:"resource"`
	// Served lists each configuration and its nodes, the most common one first.
	Served []Served `json:"served"`
}

// Served is a configuration, and the nodes that serve it.
type Served struct {
	// Configuration is its hash.
	Configuration string `json:"configuration"`
	// Nodes lists the nodes that serve it.
	Nodes []string `json:"nodes"`
}

// configOf returns what the node's agent publishes about its configuration, nil if nothing.
func configOf(status *crm.Status, node, resource string) *Config {
	text, ok := status.Attribute(node, contract.LoadedAttribute(contract.ResourceOf(resource)))
	if !ok {
		return nil
	}
	t := contract.ParseLoaded(text)
	c := &Config{Serves: t.Serves, Disk: t.Disk, OldWorkers: t.OldWorkers,
		OldConnections: t.Conns}
	if !t.Cut.IsZero() {
		c.Cut = &t.Cut
	}
	return c
}

// addDrift compares what the nodes serve. A configuration that was edited and is not served yet is
// no fault; files that are gone are, since HAProxy could not be started again there, and so are
// nodes that serve different ones.
func (r *Report) addDrift() {
	served := map[string]map[string][]string{}
	for i := range r.HAProxy {
		h := &r.HAProxy[i]
		if h.Configuration == nil {
			continue
		}
		if d := h.Configuration.Disk; d == contract.Missing || d == contract.Unreadable {
			h.State = worst(h.State, Degraded)
			r.State = worst(r.State, Degraded)
			if h.Reason == "" {
				h.Reason = "its configuration files are " + d +
					" there: HAProxy could not be started again"
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
		d := Drift{Resource: resource}
		for hash, nodes := range configurations {
			slices.Sort(nodes)
			d.Served = append(d.Served, Served{hash, nodes})
		}
		slices.SortFunc(d.Served, func(a, b Served) int {
			return cmp.Or(cmp.Compare(len(b.Nodes), len(a.Nodes)),
				strings.Compare(a.Nodes[0], b.Nodes[0]))
		})
		r.Drift = append(r.Drift, d)
		r.State = worst(r.State, Degraded)
	}
	slices.SortFunc(r.Drift,
		func(a, b Drift) int { return strings.Compare(a.Resource, b.Resource) })
}

// Drifted says whether the node's files differ from what it serves.
func (c *Config) Drifted() bool {
	return c != nil && c.Disk != "" && c.Disk != contract.Missing && c.Disk != contract.Unreadable
}

// unknownOn begins the sentence about nodes where the agent does not know what was loaded.
const unknownOn = "it is not known what HAProxy serves on "

// String is the configuration in a few words, "" if nothing is known about it.
func (c *Config) String() string {
	if c == nil {
		return ""
	}
	text := "serves " + cmp.Or(c.Serves, "unknown")
	if !c.Drifted() {
		return text
	}
	return text + ", files are " + c.Disk
}

// cutIn is how long the connections of old workers may still go on, nil if that is not known.
func (c *Config) cutIn(now time.Time) *time.Duration {
	if c == nil || c.Cut == nil {
		return nil
	}
	left := c.Cut.Sub(now)
	return &left
}
