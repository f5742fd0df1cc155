package jsonout

import (
	"errors"

	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// Failure is why a command could not do, or could not find out, what it was asked for.
type Failure struct {
	// Message is what went wrong, as it is printed to people, in one line or several.
	Message string `json:"message"`
	// Kind says what went wrong in a word; each belongs to one exit code.
	Kind outcome.Kind `json:"kind"`
	// ExitCode is the command's exit code.
	ExitCode int `json:"exit_code"`
	// Hint is what else is known, such as that nothing was changed.
	Hint string `json:"hint,omitempty"`
	// Faults are what is wrong with hawser.yaml, if that is the error.
	Faults []Fault `json:"faults,omitempty"`
}

// Fault is one thing that is wrong with hawser.yaml.
type Fault struct {
	// Line is a line of the file, counted from 1; missing where the file as a whole is meant.
	Line int `json:"line,omitempty"`
	// Column is a column of the line, counted from 1; missing where the file as a whole is meant.
	Column int `json:"column,omitempty"`
	// Message is what was found there, and what would be right.
	Message string `json:"message"`
}

// FailureOf describes an error that ends the program with the exit code.
func FailureOf(err error, code int, hint string) *Failure {
	f := &Failure{Message: err.Error(), Kind: exitcode.KindOf(code), ExitCode: code, Hint: hint}
	var faulty interface{ Places() []Fault }
	if errors.As(err, &faulty) {
		f.Faults = faulty.Places()
	}
	return f
}
