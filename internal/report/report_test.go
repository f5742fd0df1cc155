package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorded runs a benchmark as `go test` would and returns what was kept.
func recorded(t *testing.T, path, run string, rows ...Row) *Kept {
	t.Helper()
	t.Setenv(FileEnv, path)
	t.Setenv(runEnv, run)
	result := testing.Benchmark(func(b *testing.B) {
		for _, r := range rows {
			Record(b, r)
		}
	})
	require.NotZero(t, result.N, "the benchmark failed")
	k, err := Load(path)
	require.NoError(t, err)
	return k
}

func TestARunKeepsTheOtherBenchmarksRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.json")
	others := Row{Section: SectionStatus, What: "status", Ours: Figure{Name: "x", Value: 1}, Benchmark: "BenchmarkOther", Run: "old", Machine: "m"}
	require.NoError(t, update(path, func(k *Kept) {
		k.Machines = []Machine{{ID: "m"}, {ID: "nobody's"}}
		k.Rows = []Row{others}
	}))
	a, b := Row{Section: SectionWrite, What: "a", Ours: Figure{Name: "x", Value: 1}}, Row{Section: SectionWrite, What: "b", Ours: Figure{Name: "x", Value: 2}}
	k := recorded(t, path, "1", a, b)
	require.Len(t, k.Rows, 3)
	require.Len(t, k.Machines, 2, "a machine that no row names is forgotten")

	b.Ours.Value = 3
	k = recorded(t, path, "2", b) // the benchmark has lost its row a
	require.Len(t, k.Rows, 2)
	require.Equal(t, others, k.Rows[0])
	require.Equal(t, 3.0, k.Rows[1].Ours.Value)
	require.Equal(t, "2", k.Rows[1].Run)
	require.NotEmpty(t, k.Rows[1].Command)
	require.WithinDuration(t, time.Now(), k.Rows[1].Date, time.Minute)
}

func TestABrokenFileIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.json")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o644))
	require.ErrorContains(t, update(path, func(*Kept) {}), "repair it")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "{", string(text))
}

func TestGoals(t *testing.T) {
	row := Row{Ours: Figure{Name: "ours", Value: 10, Unit: "ms"}, Theirs: []Figure{{Name: "slow", Value: 100, Unit: "ms"}, {Name: "fast", Value: 5, Unit: "ms"}, {Name: "count", Value: 7}}}
	for _, test := range []struct {
		goal Goal
		held bool
	}{
		{AtMost(10), true}, {AtMost(9.9), false},
		{RatioAtMost(0.1), true}, {RatioAtMost(0.09), false},
		{RatioAtMostOf("fast", 2), true}, {RatioAtMostOf("fast", 1), false},
		{RatioAtMostOf("nobody", 9), false}, {RatioAtMostOf("count", 9), false},
	} {
		row.Goals = []Goal{test.goal}
		require.Equal(t, test.held, row.Reached(), "%+v", test.goal)
	}
}

func TestThePage(t *testing.T) {
	k := &Kept{
		Machines: []Machine{{ID: "m", CPU: "a CPU", Cores: 2, Kernel: "6.1", Versions: []Version{{"corosync", "3.1.7"}}}},
		Rows: []Row{
			{Section: "Of its own", What: "last", Ours: Figure{Name: "x", Value: 0}, Goals: []Goal{AtMost(0)}, Machine: "m", Command: "make x"},
			{Section: SectionWrite, What: "a|b", Ours: Figure{Name: "hawser", Value: 1234.5, Unit: "ms", Detail: "median of 9", More: []Figure{{Name: "CPU", Value: 12, Unit: "ms"}}},
				Theirs: []Figure{{Name: "crmsh", Value: 600, Unit: "ms"}}, Goals: []Goal{RatioAtMost(0.125)}, Machine: "m", Command: "make y", Note: "a note"},
		},
		Plots: []Plot{{Section: SectionWrite, File: "plots/w.svg", Caption: "the write"}},
	}
	var page, text strings.Builder
	require.NoError(t, k.Markdown(&page))
	require.NoError(t, k.Text(&text))
	require.Contains(t, page.String(), `| a\|b | hawser: **1,235 ms (median of 9; 12 ms CPU)** | crmsh: 600 ms | 2.06 | ratio at most 0.125: **missed** |`)
	require.Contains(t, page.String(), "- a|b: a note\n")
	require.Contains(t, page.String(), "![the write](plots/w.svg)")
	require.Contains(t, page.String(), "| CPU | a CPU, 2 cores |")
	require.Contains(t, page.String(), "| corosync | 3.1.7 |")
	require.Contains(t, page.String(), "`make y`")
	require.Less(t, strings.Index(page.String(), SectionWrite), strings.Index(page.String(), "Of its own"))
	require.Contains(t, text.String(), "MISSED GOALS: 1 of 2 rows\n  Writing the set-up: a|b: 1,235 ms: ratio at most 0.125: MISSED")
}
