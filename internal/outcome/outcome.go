// Package outcome says what kind of failure an error is, so that each edge can translate it: the
// command line into an exit code, an API into an HTTP status. What is below the edges knows kinds
// and no codes.
//
// It imports nothing of hawser.
package outcome

import (
	"context"
	"errors"
	"fmt"
)

// Kind is what a failure means to whoever asked for something.
type Kind int

// The kinds. Done is the kind of no error at all, Failed of an error that says nothing else.
const (
	Done Kind = iota
	Failed
	// Usage: what was asked for is wrong, such as an argument or the file; nothing was changed.
	Usage
	// Conflict: somebody else changed the configuration meanwhile; nothing was changed.
	Conflict
	// Unavailable: the cluster cannot be asked, or cannot decide.
	Unavailable
	// Resource: a resource failed, or does not do what it should.
	Resource
	// Timeout: it was not done in time.
	Timeout
	// Denied: the permission is missing.
	Denied
	// Degraded: it works, but something needs attention.
	Degraded
	// Changes: there is something to change, which was asked for.
	Changes
	// Interrupted: whoever asked has ended it.
	Interrupted

	kinds // how many there are
)

// Kinds returns all kinds, for tables that must have a row for each.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// String returns the kind's name.
func (k Kind) String() string {
	names := [...]string{"done", "failed", "usage", "conflict", "unavailable", "resource", "timeout",
		"denied", "degraded", "changes", "interrupted"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// Error is an error with its kind.
type Error struct {
	Kind Kind
	Err  error
	// Hint is what the reader may want to do or know, beside the error; it may be empty.
	Hint string
}

// Error returns the text of the wrapped error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error of the kind. The format takes %w as fmt.Errorf does.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Wrap gives an error a kind; nil stays nil.
func Wrap(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// Usagef returns an error of the kind Usage.
func Usagef(format string, args ...any) error { return Errorf(Usage, format, args...) }

// Conflictf returns an error of the kind Conflict.
func Conflictf(format string, args ...any) error { return Errorf(Conflict, format, args...) }

// Unavailablef returns an error of the kind Unavailable.
func Unavailablef(format string, args ...any) error { return Errorf(Unavailable, format, args...) }

// Resourcef returns an error of the kind Resource.
func Resourcef(format string, args ...any) error { return Errorf(Resource, format, args...) }

// Timeoutf returns an error of the kind Timeout.
func Timeoutf(format string, args ...any) error { return Errorf(Timeout, format, args...) }

// Deniedf returns an error of the kind Denied.
func Deniedf(format string, args ...any) error { return Errorf(Denied, format, args...) }

// Failedf returns an error of the kind Failed.
func Failedf(format string, args ...any) error { return Errorf(Failed, format, args...) }

// Of returns the kind of the outermost error in the chain that has one: an Error, or an error with
// a method Outcome() Kind. Without one, the end of a context is Timeout or Interrupted, nil is Done,
// and everything else Failed.
func Of(err error) Kind {
	if err == nil {
		return Done
	}
	var own interface {
		error
		Outcome() Kind
	}
	if errors.As(err, &own) {
		return own.Outcome()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// Outcome returns the error's kind.
func (e *Error) Outcome() Kind { return e.Kind }

// HintOf returns the hint of the outermost error in the chain that has one, "" if none has.
func HintOf(err error) string {
	for err != nil {
		var own *Error
		if !errors.As(err, &own) {
			return ""
		}
		if own.Hint != "" {
			return own.Hint
		}
		err = own.Err
	}
	return ""
}
