package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
)

// No score contradicts another, however many addresses, steps and checks there are.
func TestScores(t *testing.T) {
	require.Equal(t, contract.Scores{Serving: 10, Apart: 1000, Stickiness: 10000, Checked: 50000},
		contract.ScoresFor(2, 0, 0), "those that clusters have already")
	for addresses := 1; addresses <= 64; addresses++ {
		for steps := 0; steps <= 32; steps++ {
			for _, returning := range []int{0, steps} {
				s, others := contract.ScoresFor(addresses, steps, returning), addresses-1
				if addresses <= 8 {
					require.Less(t, s.Serving, s.Apart)
					require.Positive(t, s.Apart*s.Stickiness/1000000, "what Pacemaker makes of Apart")
				} else {
					require.Zero(t, s.Apart)
				}
				if steps > 0 {
					require.Greater(t, s.Prefer, s.Serving+3*others*s.Apart)
					require.Greater(t, s.Prefer+s.ReturnAfter, s.Stickiness+others*s.Apart)
					require.Less(t, s.ReturnAfter, s.Stickiness-others*s.Apart)
				}
				require.Greater(t, s.Stickiness, s.Serving+others*s.Apart+s.Prefer*steps)
				if returning > 0 {
					require.Greater(t, s.Return, s.Stickiness+others*s.Apart)
				}
				require.Greater(t, s.Checked, s.Stickiness+others*s.Apart+s.Serving+
					steps*s.Prefer+max(returning*s.Return, s.ReturnAfter))
			}
		}
	}
	require.True(t, contract.ScoresFor(16, 3, 3).Fit(16, 3, 3))
	require.True(t, contract.ScoresFor(8, 3, 3).Fit(8, 3, 3))
	require.True(t, contract.ScoresFor(40, 0, 0).Fit(16, 0, 0))
	require.False(t, contract.ScoresFor(40, 16, 16).Fit(16, 16, 16))
}
