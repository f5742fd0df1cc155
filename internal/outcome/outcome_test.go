package outcome_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/outcome"
)

func TestOf(t *testing.T) {
	cause := errors.New("cause")
	conflict := outcome.Errorf(outcome.Conflict, "meanwhile: %w", cause)
	require.EqualError(t, conflict, "meanwhile: cause")
	require.ErrorIs(t, conflict, cause)
	for _, tc := range []struct {
		err  error
		want outcome.Kind
	}{
		{cause, outcome.Failed},
		{conflict, outcome.Conflict},
		{fmt.Errorf("while moving: %w", conflict), outcome.Conflict},
		{outcome.Errorf(outcome.Usage, "the outer one counts: %w", conflict), outcome.Usage},
		{errors.Join(cause, conflict), outcome.Conflict},
		{context.DeadlineExceeded, outcome.Timeout},
		{fmt.Errorf("x: %w", context.Canceled), outcome.Interrupted},
		{outcome.Errorf(outcome.Unavailable, "no answer: %w", context.DeadlineExceeded), outcome.Unavailable},
		{outcome.After(conflict, "all the same"), outcome.Conflict},
	} {
		require.Equal(t, tc.want, outcome.Of(tc.err), "%v", tc.err)
	}
}

// Every kind has a name of its own, by which it is found again.
func TestWords(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range outcome.Kinds() {
		text, err := kind.MarshalText()
		require.NoError(t, err)
		require.False(t, seen[string(text)], "%s", text)
		seen[string(text)] = true
		var again outcome.Kind
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, kind, again)
	}
	require.Equal(t, "denied", outcome.Denied.String())
	require.Equal(t, "failed", outcome.Kind(99).String())
	require.Error(t, new(outcome.Kind).UnmarshalText([]byte("well")))
}
