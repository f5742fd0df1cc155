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
				if steps > 0 {
					require.Positive(t, s.Prefer)
				}
				require.Less(t, s.Prefer*steps+s.Serving, s.Apart)
				require.Less(t, s.Prefer*steps+s.Serving+others*s.Apart, s.Stickiness)
				require.Positive(t, s.Apart*s.Stickiness/1000000, "what Apart has of it counts")
				if returning > 0 {
					require.Greater(t, s.Return, s.Stickiness+others*s.Apart)
				}
				require.Greater(t, s.Checked, s.Stickiness+others*s.Apart+s.Serving+
					steps*s.Prefer+returning*s.Return)
			}
		}
	}
	require.True(t, contract.ScoresFor(16, 3, 3).Fit(8, 3, 3))
	require.True(t, contract.ScoresFor(40, 0, 0).Fit(16, 0, 0))
	require.False(t, contract.ScoresFor(40, 16, 16).Fit(16, 16, 16))
}
