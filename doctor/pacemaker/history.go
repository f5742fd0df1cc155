package pacemaker

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
)

// history is what the CIB's status section says about the past: how long operations took, and how
// often they failed.
type history struct {
	took  []opTook
	fails []failCount
}

// opTook is one completed operation.
type opTook struct {
	resource, node, operation string
	took                      time.Duration
}

// failCount is how often a resource has failed on a node since it was last cleaned up, all
// operations together.
type failCount struct {
	resource, node string
	count          int
	infinite       bool
}

// text returns the count as Pacemaker shows it.
func (f failCount) text() string {
	if f.infinite {
		return crm.InfinityWord
	}
	return strconv.Itoa(f.count)
}

// readHistory reads it out of a whole CIB (Pacemaker's status-1.0.rng is not written: the names are
// those of lib/pengine/unpack.c).
func readHistory(cib []byte) (history, error) {
	var in struct {
		Nodes []struct {
			Name      string `xml:"uname,attr"`
			Transient []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"transient_attributes>instance_attributes>nvpair"`
			Resources []struct {
				ID  string `xml:"id,attr"`
				Ops []struct {
					Operation string `xml:"operation,attr"`
					Interval  string `xml:"interval,attr"`
					Code      string `xml:"rc-code,attr"`
					Status    string `xml:"op-status,attr"`
					Exec      string `xml:"exec-time,attr"`
				} `xml:"lrm_rsc_op"`
			} `xml:"lrm>lrm_resources>lrm_resource"`
		} `xml:"status>node_state"`
	}
	if err := xml.Unmarshal(cib, &in); err != nil {
		return history{}, fmt.Errorf("the status section of the CIB cannot be read: %w", err)
	}
	var h history
	for _, n := range in.Nodes {
		for _, a := range n.Transient {
			h.count(n.Name, a.Name, a.Value)
		}
		for _, r := range n.Resources {
			for _, op := range r.Ops {
				ms, err := strconv.Atoi(op.Exec)
				if err != nil || op.Status == "-1" || ms <= 0 { // under way, or not measured
					continue
				}
				h.took = append(h.took, opTook{
					crm.ResourceOf(r.ID), n.Name, op.Operation,
					time.Duration(ms) * time.Millisecond,
				})
			}
		}
	}
	return h, nil
}

// count counts a node attribute such as fail-count-haproxy#monitor_15000.
func (h *history) count(node, name, value string) {
	rest, ok := strings.CutPrefix(name, "fail-count-")
	if !ok {
		return
	}
	resource, _, _ := strings.Cut(rest, "#")
	resource = crm.ResourceOf(resource)
	f := failCount{resource: resource, node: node}
	n, err := strconv.Atoi(value)
	f.infinite = strings.TrimPrefix(value, "+") == crm.InfinityWord || n >= crm.Infinity
	if f.count = n; err != nil && !f.infinite || n <= 0 && !f.infinite {
		return
	}
	for i := range h.fails {
		if old := &h.fails[i]; old.resource == resource && old.node == node {
			old.count += f.count
			old.infinite = old.infinite || f.infinite
			return
		}
	}
	h.fails = append(h.fails, f)
}
