package outcome_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/outcome"
)

type stale struct{}

func (stale) Error() string         { return "stale" }
func (stale) Outcome() outcome.Kind { return outcome.Conflict }

func TestOf(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want outcome.Kind
	}{
		"nil":                      {nil, outcome.Done},
		"plain":                    {errors.New("x"), outcome.Failed},
		"deadline":                 {fmt.Errorf("x: %w", context.DeadlineExceeded), outcome.Timeout},
		"cancelled":                {fmt.Errorf("x: %w", context.Canceled), outcome.Interrupted},
		"usage":                    {outcome.Usagef("x"), outcome.Usage},
		"wrapped":                  {fmt.Errorf("x: %w", outcome.Deniedf("y")), outcome.Denied},
		"the outermost counts":     {outcome.Unavailablef("x: %w", outcome.Usagef("y")), outcome.Unavailable},
		"it outweighs the context": {outcome.Resourcef("x: %w", context.Canceled), outcome.Resource},
		"another package's":        {fmt.Errorf("x: %w", stale{}), outcome.Conflict},
		"joined":                   {errors.Join(errors.New("x"), outcome.Timeoutf("y")), outcome.Timeout},
	} {
		require.Equal(t, test.want, outcome.Of(test.err), name)
	}
	require.NoError(t, outcome.Wrap(outcome.Usage, nil))
	err := outcome.Wrap(outcome.Failed, fs.ErrExist)
	require.ErrorIs(t, err, fs.ErrExist)
	require.EqualError(t, err, fs.ErrExist.Error())
}

func TestHint(t *testing.T) {
	inner := &outcome.Error{Kind: outcome.Conflict, Err: errors.New("x"), Hint: "run it again"}
	require.Equal(t, "run it again", outcome.HintOf(fmt.Errorf("y: %w", outcome.Failedf("z: %w", inner))))
	require.Empty(t, outcome.HintOf(errors.New("x")))
}

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range outcome.Kinds() {
		require.NotContains(t, k.String(), "Kind(", int(k))
		require.False(t, seen[k.String()], k)
		seen[k.String()] = true
	}
	require.Equal(t, "Kind(99)", outcome.Kind(99).String())
}
