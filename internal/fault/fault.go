// Package fault sorts what goes wrong between an agent and what it asks — a cloud's API, a network,
// a token's file — by what that means for the resource: whether it may pass, and what Pacemaker is
// to be told. Providers and agents share the words without importing each other. Every fault says
// "unknown" or "cannot"; none says "not here".
//
// It is not internal/outcome, which says how a command of an operator has ended: an agent turns
// faults into exit codes of OCF, the command line turns outcomes into its own. Agents know faults
// only and commands outcomes only; host, which asks a provider for a command, translates.
//
// It imports nothing of hawser. There is only this file.
package fault

import (
	"errors"
	"fmt"
)

// Kind is what an error means for what happens next.
type Kind int

// The kinds. The agent gives each one an exit code; see the table in package floatip.
const (
	// Unknown is no answer, or one that says nothing: an outage, a time-out, a 5xx. It may pass.
	Unknown Kind = iota
	// Throttled is a provider that asks to be left alone for a while.
	Throttled
	// Busy is an address or a server with which the provider is still doing something else.
	Busy
	// Denied is a refusal of what this node may do: of its token, of the token's rights, of the
	// process's.
	Denied
	// NotFound is an address that the provider does not know under this node's credentials.
	NotFound
	// Misplaced is an address that cannot come to this node: it belongs to another data centre, or
	// the node holds another one.
	Misplaced
	// NotInstalled is something that this node needs and has not: a token file, a network
	// interface, a route.
	NotInstalled
	// Conflict is another machine that uses the address although nothing gave it away.
	Conflict
	// Broken is an address that is here and cannot serve: its interface has no carrier, or the
	// kernel disabled it.
	Broken

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
	names := [...]string{"unknown", "throttled", "busy", "denied", "not found", "misplaced",
		"not installed", "conflict", "broken"}
	if k < 0 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// Passing reports whether the fault may go away by itself.
func (k Kind) Passing() bool { return k == Unknown || k == Throttled || k == Busy }

// Error is an error with its kind.
type Error struct {
	Kind Kind
	Err  error
}

// Error returns the text of the wrapped error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an error of the kind. The format takes %w as fmt.Errorf does.
func Errorf(k Kind, format string, args ...any) error {
	return &Error{Kind: k, Err: fmt.Errorf(format, args...)}
}

// Of returns the kind of the outermost Error in the chain, and Unknown for an error without one.
func Of(err error) Kind {
	var fault *Error
	if errors.As(err, &fault) {
		return fault.Kind
	}
	return Unknown
}
