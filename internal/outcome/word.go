package outcome

import (
	"fmt"
	"slices"
)

// words are the kinds' names, in their order, as programs read them: none is ever changed.
func words() []string {
	return []string{
		"failed", "usage", "conflict", "unavailable", "resource", "timeout", "denied", "degraded",
		"interrupted",
	}
}

// String is the kind's name.
func (k Kind) String() string {
	if k < 0 || k >= kinds {
		return words()[Failed]
	}
	return words()[k]
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *Kind) UnmarshalText(text []byte) error {
	at := slices.Index(words(), string(text))
	if at < 0 {
		return fmt.Errorf("%q is no kind of outcome", text)
	}
	*k = Kind(at)
	return nil
}
