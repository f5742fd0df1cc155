package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// position is a place in hawser.yaml, both counted from 1; the zero position is the file as a whole.
type position struct{ line, column int }

// fault is one thing wrong with hawser.yaml.
type fault struct {
	at      position
	message string // what was found, and what would be right
}

// faultList is everything wrong with one file. A person who has to correct a file wants to hear all of it at once.
type faultList struct {
	file   string
	faults []fault
}

func (l *faultList) add(at position, format string, args ...any) {
	l.faults = append(l.faults, fault{at, fmt.Sprintf(format, args...)})
}

// err is nil if nothing is wrong.
func (l *faultList) err() error {
	if len(l.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(l.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	return l
}

// Error has a line for each fault, in the form in which compilers name a place.
func (l *faultList) Error() string {
	lines := make([]string, len(l.faults))
	for i, f := range l.faults {
		if f.at.line == 0 {
			lines[i] = fmt.Sprintf("%s: %s", l.file, f.message)
			continue
		}
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", l.file, f.at.line, f.at.column, f.message)
	}
	return strings.Join(lines, "\n")
}
