package crm

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// Problem is one thing wrong with one object.
type Problem struct {
	Object  string // "primitive haproxy"
	Field   string // "params conffile"; "" means the object as a whole
	Value   string // the value found, "" if there is none
	Message string // what is wrong and what would be right
}

// String is the problem as one line.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Object)
	if p.Field != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(p.Field)
	}
	if p.Value != "" {
		fmt.Fprintf(&b, " %q", p.Value)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
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

// Outcome implements outcome.Of: nothing was changed.
func (e *InvalidError) Outcome() outcome.Kind { return outcome.Usage }

// report collects problems.
type report struct {
	object   string
	problems []Problem
}

func (r *report) add(field, value, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		Object: r.object, Field: field, Value: value, Message: fmt.Sprintf(format, args...),
	})
}

func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: r.problems}
}
