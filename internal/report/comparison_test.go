package report

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestComparison is that README.md and the demonstration show the figures that were measured.
func TestComparison(t *testing.T) {
	k, err := Load("../../docs/benchmarks.json")
	require.NoError(t, err)
	var measured strings.Builder
	require.NoError(t, k.Comparison(&measured))
	for line := range strings.Lines(measured.String()) {
		require.LessOrEqual(t, len(line), 81, line)
	}
	for _, path := range []string{"../../cmd/hawser-lab/comparison.txt", "../../README.md"} {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), measured.String(), "%s does not show what was measured: "+
			"`make bench` writes cmd/hawser-lab/comparison.txt, which README.md quotes", path)
	}
}

func TestComparisonOfWhatWasNotMeasured(t *testing.T) {
	var none Kept
	require.ErrorContains(t, none.Comparison(&strings.Builder{}), "HAProxy killed -9")
}
