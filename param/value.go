// Package param is the values of parameters: how an operator writes a length of time, an address, a
// path or a list of words, and what is wrong with a value that is refused.
//
// The agents bind their parameters with it, and hawser.yaml is validated with it, so that no file
// that an agent would refuse passes. Each kind of value has a function that parses a text, and a
// constructor that binds a variable of an agent. An error completes the sentence "x=y …", as in "is
// not an absolute path".
//
// It imports nothing of hawser. Start reading in this file; the kinds are in files of their own.
package param

import "errors"

// Value is a parameter's Go side: a variable, its type and its default.
type Value interface {
	// Set parses the text and stores it. Its error completes the sentence "parameter x=y …".
	Set(text string) error
	// String returns the default, as meta-data shows it.
	String() string
	// Type returns the type's name in meta-data: string, integer, boolean or second.
	Type() string
}

// value is a Value made of functions. The constructors of this package return one.
type value struct {
	typ, def string
	set      func(string) error
	// hide keeps a refused text out of messages, secret every text.
	hide, secret bool
}

func (v *value) Set(text string) error { return v.set(text) }
func (v *value) String() string        { return v.def }
func (v *value) Type() string          { return v.typ }

// bind makes a Value of a variable and the function that parses its texts.
func bind[T any](typ, def string, p *T, parse func(string) (T, error)) *value {
	return &value{typ: typ, def: def, set: func(text string) error {
		parsed, err := parse(text)
		if err != nil {
			return err
		}
		*p = parsed
		return nil
	}}
}

// Custom binds a variable that a function of another package parses. Its type in meta-data is
// string, its default the text def, which the variable is expected to have already.
func Custom[T any](p *T, def string, parse func(string) (T, error)) Value {
	return bind("string", def, p, parse)
}

// IsSecret reports whether the value's texts must never be shown.
func IsSecret(v Value) bool {
	own, ok := v.(*value)
	return ok && own.secret
}

// HidesRefused reports whether a refused text must not be shown: it may be a secret in the wrong
// place.
func HidesRefused(v Value) bool {
	own, ok := v.(*value)
	return ok && (own.hide || own.secret)
}

// String binds any text.
func String(p *string, def string) Value {
	*p = def
	return bind("string", def, p, func(text string) (string, error) { return text, nil })
}

// ErrNoCopy is the error of a Secret whose value Pacemaker keeps in a file that this node does not
// have. It is a fault of the node, not of the configuration.
var ErrNoCopy = errors.New("is kept in Pacemaker's secrets, but this node has no copy of it: " +
	"run `cibsecret sync` on a node that has")

// lrmPlaceholder stands in the CIB for a value that `cibsecret stash` moved to a file on each node.
const lrmPlaceholder = "lrm://"

// Secret binds a text that must never be shown. The value in the CIB may be kept in Pacemaker's
// secrets (cibsecret), which Pacemaker puts in place before it calls the agent; the placeholder
// itself is refused with ErrNoCopy.
func Secret(p *string) Value {
	v := bind("string", "", p, func(text string) (string, error) {
		if text == lrmPlaceholder {
			return "", ErrNoCopy
		}
		return text, nil
	})
	v.secret = true
	return v
}
