package config

import (
	"errors"

	"github.com/hawser-ha/hawser/internal/jsonout"
)

// Checked is `hawser check --json`.
type Checked struct {
	// File is the file that was read, or standard input.
	File string `json:"file"`
	// Valid says whether nothing is wrong with it.
	Valid bool `json:"valid"`
	// Faults are what is wrong with it.
	Faults []jsonout.Fault `json:"faults"`
}

// Places are the faults, for programs.
func (l *Faults) Places() []jsonout.Fault {
	var all []jsonout.Fault
	for _, f := range l.List {
		all = append(all, jsonout.Fault{Line: f.At.Line, Column: f.At.Column, Message: f.Message})
	}
	return all
}

// CheckedFile says, for programs, what came of reading a file. err is an error of Read, or one that
// says more about it; done is false if it is something else.
func CheckedFile(file *File, err error) (report Checked, done bool) {
	var faults *Faults
	var unreadable *ReadError
	switch {
	case err == nil:
		return Checked{File: file.Path, Valid: true}, true
	case errors.As(err, &faults):
		return Checked{File: faults.Path, Faults: faults.Places()}, true
	case errors.As(err, &unreadable):
		return Checked{File: unreadable.Path, Faults: []jsonout.Fault{{Message: err.Error()}}}, true
	}
	return Checked{}, false
}
