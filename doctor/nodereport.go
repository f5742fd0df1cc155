package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/contract"
)

// Attribute is the private node attribute in which a node reports its findings to the others.
const Attribute = contract.DoctorAttribute

// NodeReport is what a node reports about itself to the cluster.
type NodeReport struct {
	At time.Time `json:"at"`
	// Facts are what nodes should have in common, by name.
	Facts    map[string]string `json:"facts"`
	Findings []Finding         `json:"findings,omitempty"`
	// Left is how many findings did not fit.
	Left int `json:"left,omitempty"`
}

// How big a report may be, and how long it is valid. Every node keeps every node's attribute in
// memory.
const (
	reportLimit   = 4 << 10
	unpackedLimit = 1 << 20
	// Refresh is after how long an unchanged report is sent again, so that others know it is still
	// valid; Stale is after how long it no longer is.
	Refresh = time.Hour
	Stale   = Refresh + 30*time.Minute
)

// Same reports whether two reports differ only in their time.
func (t NodeReport) Same(other NodeReport) bool {
	a, errA := json.Marshal(NodeReport{Facts: t.Facts, Findings: t.Findings, Left: t.Left})
	b, errB := json.Marshal(NodeReport{
		Facts: other.Facts, Findings: other.Findings, Left: other.Left,
	})
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// Pack returns the attribute's value, without notes, and with as many findings, worst first, as
// fit.
func (t NodeReport) Pack() (string, error) {
	t = t.fitting()
	return t.pack()
}

// fitting returns the part of the report that fits.
func (t NodeReport) fitting() NodeReport {
	t.Findings = slices.DeleteFunc(slices.Clone(t.Findings),
		func(f Finding) bool { return f.Severity == Note })
	for {
		value, err := t.pack()
		if err != nil || len(value) <= reportLimit || len(t.Findings) == 0 {
			return t
		}
		t.Findings, t.Left = t.Findings[:len(t.Findings)-1], t.Left+1
	}
}

func (t NodeReport) pack() (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	return contract.Pack(text), nil
}

// Unpack parses an attribute's value.
func Unpack(value string) (NodeReport, error) {
	text, err := contract.Unpack(value, unpackedLimit)
	if err != nil {
		return NodeReport{}, err
	}
	var t NodeReport
	err = json.Unmarshal(text, &t)
	return t, err
}

// FactsOf returns the facts of those nodes whose reports are still valid.
func FactsOf(values map[string]string, now time.Time) map[string]map[string]string {
	facts := map[string]map[string]string{}
	for node, value := range values {
		if t, _ := FindingsFrom(node, value, now, nil); t.Facts != nil {
			facts[node] = t.Facts
		}
	}
	return facts
}

// FindingsFrom returns the findings that another node has reported, or one finding if there is no
// readable report. An empty value is no report. Whoever may set a node's attributes may have written
// it: why a finding matters and what fixes it is what this program says of the check, not what the
// report does.
func FindingsFrom(node, value string, now time.Time, checks []Check) (NodeReport, []Finding) {
	silent := func(what string) []Finding {
		return []Finding{{Check: "other-nodes", Severity: Unknown, Node: node, What: what,
			Why: "its problems are not known here", Fix: []string{
				"hawser doctor --tell   # on " + node,
			}}}
	}
	if value == "" {
		return NodeReport{}, silent("no report from this node: its keeper is not running or is " +
			"too old")
	}
	t, err := Unpack(value)
	if err != nil {
		return NodeReport{}, silent(
			fmt.Sprintf("its report cannot be read (another version of hawser?): %v", err))
	}
	age := now.Sub(t.At)
	if age > Stale {
		return NodeReport{}, silent(
			fmt.Sprintf("its last report, of %s, is too old, or its clock is wrong",
				t.At.UTC().Format(time.RFC3339)))
	}
	at := t.At
	for i := range t.Findings {
		t.Findings[i] = ownWords(t.Findings[i], node, checks)
		t.Findings[i].Node, t.Findings[i].Reported = node, &at
	}
	if age < -VeryWrong { // clock-skew goes by ICMP's time stamps, which do not show whole days
		t.Findings = append(t.Findings, Finding{
			Check: "clock-skew", Severity: Error, Node: node, Reported: &at, Subject: node,
			What: fmt.Sprintf("by its clock, the report is from %v in the "+
				"future", (-age).Round(time.Second)),
			Why: "one of the two clocks is wrong: certificates and API tokens are refused " +
				"there, and the logs of a failover cannot be compared",
			Fix: []string{
				"date    # on both nodes", "chronyc makestep    # on the node whose clock is wrong",
			},
		})
	}
	if t.Left > 0 {
		t.Findings = append(t.Findings, Finding{
			Check: "other-nodes", Severity: Unknown, Node: node, Reported: &at,
			What: fmt.Sprintf("%d further findings did not fit into its report", t.Left),
			Fix:  []string{"hawser doctor   # on " + node},
		})
	}
	return t, t.Findings
}

// ownWords returns a finding of another node with the severity, the reason and the remedy that this
// program knows. The exact commands are those that doctor shows on the node itself.
func ownWords(f Finding, node string, checks []Check) Finding {
	if !slices.Contains(Severities(), f.Severity) {
		f.Severity = Unknown
	}
	f.Why, f.Todo, f.Fix = "", nil, []string{"hawser doctor   # on " + Quote(node)}
	for _, c := range checks {
		if c.Name == f.Check && f.Check != "" {
			f.Why = c.Why
			f.Fix[0] += "; briefly: " + c.Remedy
			break
		}
	}
	return f
}
