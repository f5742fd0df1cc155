package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// Position is a place in hawser.yaml, both counted from 1; the zero Position is the whole file.
type Position struct{ Line, Column int }

// Fault is one thing wrong with hawser.yaml.
type Fault struct {
	At      Position
	Message string // what was found, and what would be right
}

// Faults is everything wrong with one file: whoever has to correct it wants all of that at once.
type Faults struct {
	Path string
	List []Fault
}

// Add adds a fault.
func (l *Faults) Add(at Position, format string, args ...any) {
	l.List = append(l.List, Fault{at, fmt.Sprintf(format, args...)})
}

// Err returns l, its list sorted by place, or nil if nothing is wrong.
func (l *Faults) Err() error {
	if len(l.List) == 0 {
		return nil
	}
	slices.SortStableFunc(l.List, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
	return l
}

// Outcome implements outcome.Of: nothing was changed.
func (l *Faults) Outcome() outcome.Kind { return outcome.Usage }

// Error has a line for each fault, with the place written as compilers do.
func (l *Faults) Error() string {
	lines := make([]string, len(l.List))
	for i, f := range l.List {
		if f.At.Line == 0 {
			lines[i] = fmt.Sprintf("%s: %s", l.Path, f.Message)
			continue
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", l.Path, f.At.Line, f.At.Column, f.Message)
	}
	return strings.Join(lines, "\n")
}
