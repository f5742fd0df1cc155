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
