// Package doctor finds what is wrong with a node and its cluster before a failover does. It changes
// nothing.
//
// This package is the engine: checks and findings, how bad they are, how checks are run, and what
// nodes report to each other. The checks themselves are in doctor/node, doctor/pacemaker and
// doctor/corosync, and host gives them their facts. A check asks small interfaces, so that a test
// can provoke each finding, and returns what is wrong, why that matters and the commands that fix
// it. What could not be checked is a finding too: nothing that is unknown is taken to be fine.
//
// It imports crm, contract and internal packages, none of the checks. Start with doctor.go.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Severity is how bad a finding is.
type Severity string

// The severities, worst first. Unknown comes before Warning, since what was not checked may be an
// Error.
const (
	// Error fails, or will fail when it is needed.
	Error Severity = "error"
	// Unknown could not be checked.
	Unknown Severity = "unknown"
	// Warning weakens the cluster, or may surprise.
	Warning Severity = "warning"
	// Note is worth knowing; nothing has to be done.
	Note Severity = "note"
)

// Severities returns all of them, worst first.
func Severities() []Severity { return []Severity{Error, Unknown, Warning, Note} }

// rank orders severities: the smaller, the worse. An unfamiliar one counts as Unknown.
func (s Severity) rank() int {
	if i := slices.Index(Severities(), s); i >= 0 {
		return i
	}
	return Unknown.rank()
}

// Worse reports whether s is worse than other.
func (s Severity) Worse(other Severity) bool { return s.rank() < other.rank() }

// Finding is one thing that is wrong, or could not be checked.
type Finding struct {
	// Check is the name of the check that found it.
	Check string `json:"check"`
	// Severity is how bad it is.
	Severity Severity `json:"severity"`
	// Node is where it was found; missing if it is the cluster's.
	Node string `json:"node,omitempty"`
	// Subject is what it is about: a file, a resource, an address.
	Subject string `json:"subject,omitempty"`
	// What says what is wrong.
	What string `json:"what"`
	// Why says why that matters.
	Why string `json:"why,omitempty"`
	// Fix are the commands that fix it, in order. Each may be pasted into a shell as it is: nothing
	// in it is left to fill in, and none relies on something that has to be done by hand first.
	Fix []string `json:"fix,omitempty"`
	// Todo is what is left to people, in words: a file to edit, a choice, a command that must not be
	// given before something is known.
	Todo []string `json:"todo,omitempty"`
	// Reported is when another node reported it; missing if it was found now.
	Reported *time.Time `json:"told,omitempty"`

	cause string // the check that reports why this one could not be done
}

// Remedies returns what fixes it: commands, and what is left to people.
func (f Finding) Remedies() []string { return slices.Concat(f.Fix, f.Todo) }

// Check is one check of the node or the cluster.
type Check struct {
	// Name is its name in reports, such as haproxy-config, and Short what it looks for.
	Name, Short string
	// Node is the node that is checked, "" for the cluster.
	Node string
	// Worst is the severity of its worst finding, Why what its findings lead to, and Remedy briefly
	// what fixes them. They document the check.
	Worst       Severity
	Why, Remedy string
	// Timeout is how long it may take; 0 is DefaultTimeout.
	Timeout time.Duration
	// Run does the check. An error says that it could not, and becomes a finding of severity
	// Unknown besides those returned.
	Run func(ctx context.Context) ([]Finding, error)
}

// DefaultTimeout is how long a check without a Timeout may take.
const DefaultTimeout = 20 * time.Second

// atOnce is how many checks run at the same time. On a small, busy machine (and machines are
// checked when they are busy) all of them at once starve each other (seen: 25 of 40 without an
// answer on one slow processor).
const atOnce = 4

// Report is what was found.
type Report struct {
	// Findings are sorted, worst first.
	Findings []Finding `json:"findings"`
	// Checked lists the checks that were run, whatever their outcome.
	Checked []string `json:"looked"`
}

// Run runs the checks, some of them at the same time, each with its own deadline.
func Run(ctx context.Context, checks []Check) Report {
	found := make([][]Finding, len(checks))
	r := Report{Findings: []Finding{}, Checked: []string{}}
	var wg sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i, c := range checks {
		r.Checked = append(r.Checked, c.Name)
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			found[i] = c.run(ctx)
		})
	}
	wg.Wait()
	for _, f := range found {
		r.Add(f...)
	}
	return r
}

// Add adds findings to the report.
func (r *Report) Add(findings ...Finding) {
	r.Findings = append(r.Findings, findings...)
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			strings.Compare(a.Node, b.Node), strings.Compare(a.Check, b.Check),
			strings.Compare(a.Subject, b.Subject), strings.Compare(a.What, b.What))
	})
}

// Worst returns the worst severity in the report, "" if nothing was found.
func (r *Report) Worst() Severity {
	if len(r.Findings) == 0 {
		return ""
	}
	return r.Findings[0].Severity
}

// Count returns how many findings there are of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// answer is what a check returned.
type answer struct {
	findings []Finding
	err      error
}

// run runs one check. One that does not end with its context is left behind: it cannot be stopped,
// and must not hold up the others.
func (c Check) run(ctx context.Context) []Finding {
	timeout := cmp.Or(c.Timeout, DefaultTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, timeout,
		fmt.Errorf("it has not ended after %v", timeout))
	defer cancel()
	answers := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("the check itself failed, which is a bug in hawser: %v", p)
			}
			answers <- a
		}()
		a.findings, a.err = c.Run(ctx)
	}()
	var a answer
	select {
	case a = <-answers:
	case <-ctx.Done():
		select {
		case a = <-answers: // both were ready
		default:
			a.err = context.Cause(ctx)
		}
	}
	if cause := context.Cause(ctx); ctx.Err() != nil &&
		errors.Is(a.err, context.DeadlineExceeded) && !errors.Is(a.err, cause) {
		a.err = fmt.Errorf("%w (%w)", a.err, cause)
	}
	for i := range a.findings {
		a.findings[i].Check = cmp.Or(a.findings[i].Check, c.Name)
		a.findings[i].Node = cmp.Or(a.findings[i].Node, c.Node)
	}
	if a.err != nil {
		a.findings = append(a.findings, Finding{
			Check: c.Name, Node: c.Node, Severity: Unknown, cause: causeOf(a.err),
			What: "could not be checked: " + a.err.Error(),
			Why:  "this check looks for " + c.Short,
		})
	}
	return a.findings
}
