package crm

import (
	"errors"
	"fmt"
	"strings"
)

// What a Cluster's methods may fail with; match them with errors.Is.
var (
	// ErrStale is returned by Apply when the configuration is not the one that the plan was made for. Nothing was written: query,
	// plan again, and write only if the new plan says the same as the one that was approved.
	ErrStale = errors.New("crm: the configuration is not what the plan was made for")
	// ErrNotRunning says that Pacemaker does not run on this node, or does not answer.
	ErrNotRunning = errors.New("crm: Pacemaker does not answer")
	// ErrNoQuorum says that this part of the cluster has lost its quorum and accepts no changes.
	ErrNoQuorum = errors.New("crm: no quorum")
	// ErrPermission says that the user may not read or write the configuration.
	ErrPermission = errors.New("crm: permission denied")
	// ErrRefused says that Pacemaker finds the configuration invalid.
	ErrRefused = errors.New("crm: Pacemaker refuses the configuration")
	// ErrNotInstalled says that one of Pacemaker's tools is missing.
	ErrNotInstalled = errors.New("crm: Pacemaker's tools are not installed")
)

// Problem is one thing wrong with one object.
type Problem struct {
	Object  string // "primitive haproxy"
	Field   string // "params conffile"; "" is the object as a whole
	Value   string // the value found, "" where there is none
	Message string // what is wrong with it and what would be right
}

// String is the problem as one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Object)
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	if p.Value != "" {
		fmt.Fprintf(&b, " %q", p.Value)
	}
	b.WriteString(": " + p.Message)
	return b.String()
}

// InvalidError lists everything that keeps a set of objects from being a configuration.
type InvalidError struct{ Problems []Problem }

// Error has a line for each problem.
func (e *InvalidError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// report collects problems.
type report struct {
	object   string
	problems []Problem
}

func (r *report) add(field, value, format string, args ...any) {
	r.problems = append(r.problems, Problem{Object: r.object, Field: field, Value: value, Message: fmt.Sprintf(format, args...)})
}

func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: r.problems}
}
