// Package outcome says how an operation that a person ordered has ended, in the few kinds that a
// caller treats differently: the command line turns each into an exit code, a web page into an HTTP
// status. Every package that such a command goes through may import it, and no agent: what goes
// wrong between an agent and a cloud is a fault (internal/fault), which means something to Pacemaker
// and not to a person.
//
// It imports nothing of hawser. Open this file first; word.go has the kinds' names.
package outcome

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Kind is how an operation ended.
type Kind int

const (
	// Failed is anything that no other kind names.
	Failed Kind = iota
	// Usage means: what was asked for, hawser.yaml, or the configuration it leads to is wrong.
	// Nothing was changed.
	Usage
	// Conflict means: somebody else changed the configuration meanwhile.
	Conflict
	// Unavailable means: Pacemaker, or what else has to answer, does not answer or has no quorum.
	Unavailable
	// Resource means: a resource failed, or cannot be what was asked for.
	Resource
	// Timeout means: what was begun has not ended in time.
	Timeout
	// Denied means: this user may not do that.
	Denied
	// Degraded means: it works, and something needs attention.
	Degraded
	// Interrupted means: whoever asked has given up.
	Interrupted

	kinds // how many there are
)

// Kinds lists all kinds, for tables that must have a row for each.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Error is an error of a known kind.
type Error struct {
	Kind Kind
	Err  error
}

// Errorf formats an error of the kind; %w works as in fmt.Errorf.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{kind, fmt.Errorf(format, args...)}
}

// Usagef is Errorf(Usage, …).
func Usagef(format string, args ...any) error { return Errorf(Usage, format, args...) }

// Error is the text of what went wrong, without the kind.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap makes errors.Is and errors.As work.
func (e *Error) Unwrap() error { return e.Err }

// Outcome is the error's kind.
func (e *Error) Outcome() Kind { return e.Kind }

// Of is the kind of an error: that of the outermost error that has a method Outcome() Kind, or else
// Timeout and Interrupted for the errors of a context, or else Failed.
func Of(err error) Kind {
	var known interface{ Outcome() Kind }
	switch {
	case errors.As(err, &known):
		return known.Outcome()
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, context.Canceled):
		return Interrupted
	}
	return Failed
}

// After adds to an error what had been done before it. Its kind stays, but nobody will add to it
// that nothing was changed.
func After(err error, done string) error { return Errorf(Of(err), "%w\n%s", err, done) }

// Untouched is the error of what changes nothing: if whoever asked has given up meanwhile, that is
// the error, and not what it looked like to a program that was stopped for it.
func Untouched(ctx context.Context, err error) error {
	if err == nil || !errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	return Errorf(Interrupted, "interrupted: nothing was changed")
}

// Cause strips the operation and the path from an error of package os, for a message that names
// both in words of its own.
func Cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// AskRoot completes "permission denied" for a user who is not root.
func AskRoot(root bool) string {
	if root {
		return ""
	}
	return ": you are not root, try with sudo"
}
