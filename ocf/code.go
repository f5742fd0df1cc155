package ocf

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Code is an exit code of an OCF resource agent (OCF Resource Agent API 1.1, section 4.4, "Exit
// status"). Handlers return errors; only Main turns one into a Code.
type Code int

// The exit codes of OCF 1.1. What each one makes Pacemaker do is the reason to choose it:
// ErrGeneric is a passing fault (recover here), ErrArgs, ErrUnimplemented, ErrPerm and ErrInstalled
// are a fault of this node (try another one), ErrConfigured is a fault of the configuration (stop
// trying anywhere).
const (
	Success          Code = 0
	ErrGeneric       Code = 1
	ErrArgs          Code = 2
	ErrUnimplemented Code = 3
	ErrPerm          Code = 4
	ErrInstalled     Code = 5
	ErrConfigured    Code = 6
	NotRunning       Code = 7
	RunningPromoted  Code = 8
	FailedPromoted   Code = 9
	DegradedCode     Code = 190 // active, and more likely to fail soon; only monitor may answer it
	DegradedPromoted Code = 191
)

// Error is an error that knows its exit code.
type Error struct {
	Code Code
	Err  error
}

// Error returns the text of the wrapped error: the exit code is shown by Pacemaker itself.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error for which Main exits with c. The format takes %w as fmt.Errorf does. The
// text becomes the exit reason, which Pacemaker 2.1.5 cuts at 127 characters (execd_commands.c,
// EXIT_REASON_MAX_LEN), so it says the cause first; the log has all of it.
func Errorf(c Code, format string, args ...any) error {
	return &Error{Code: c, Err: fmt.Errorf(format, args...)}
}

// CodeOf returns the exit code that Main makes of an error: that of the outermost Error in its
// chain, ErrGeneric for an error without one, Success for nil. A deadline's error is always
// ErrGeneric: what did not finish in time may finish next time, whatever code its author had in
// mind.
func CodeOf(err error) Code {
	if err == nil {
		return Success
	}
	var coded *Error
	late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	if late || !errors.As(err, &coded) {
		return ErrGeneric
	}
	return coded.Code
}
