package doctor_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

func finds(findings ...doctor.Finding) func(context.Context) ([]doctor.Finding, error) {
	return func(context.Context) ([]doctor.Finding, error) { return findings, nil }
}

func TestRunSortsWorstFirst(t *testing.T) {
	r := doctor.Run(t.Context(), []doctor.Check{
		{
			Name: "b",
			Run: finds(doctor.Finding{
				Severity: doctor.Note, What: "n",
			}, doctor.Finding{Severity: doctor.Warning, What: "w"}),
		},
		{Name: "a", Run: finds(doctor.Finding{Severity: doctor.Error, What: "e"})},
		{Name: "c", Short: "the moon", Run: func(context.Context) ([]doctor.Finding, error) {
			return []doctor.Finding{
				{Severity: doctor.Error, What: "half"},
			}, errors.New("the other half cannot be read")
		}},
		{Name: "fine", Run: finds()},
	})
	require.Equal(t, []string{"b", "a", "c", "fine"}, r.Checked)
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Severity)+" "+f.Check)
	}
	require.Equal(t, []string{"error a", "error c", "unknown c", "warning b", "note b"}, got)
	require.Contains(t, r.Findings[2].What, "the other half cannot be read")
	require.Contains(t, r.Findings[2].Why, "the moon")
	require.Equal(t, doctor.Error, r.Worst())
	require.Equal(t, 2, r.Count(doctor.Error))
	empty := doctor.Run(t.Context(), nil)
	require.Empty(t, empty.Worst())
	text, err := json.Marshal(empty)
	require.NoError(t, err)
	require.JSONEq(t, `{"findings":[],"looked":[]}`, string(text))
}

// A check that hangs, whether or not it respects its context, and one that panics are "unknown",
// and delay nothing.
func TestCheckThatDoesNotAnswerIsUnknown(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	const brief = 20 * time.Millisecond
	r := doctor.Run(t.Context(), []doctor.Check{
		{
			Name: "deaf", Timeout: brief,
			Run: func(context.Context) ([]doctor.Finding, error) { <-over; return nil, nil },
		},
		{
			Name: "obedient", Timeout: brief,
			Run: func(ctx context.Context) ([]doctor.Finding, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		},
		{
			Name: "broken",
			Run:  func(context.Context) ([]doctor.Finding, error) { panic("index out of range") },
		},
		{Name: "well", Run: finds(doctor.Finding{Severity: doctor.Note, What: "n"})},
	})
	require.Len(t, r.Findings, 4)
	require.Equal(t, 3, r.Count(doctor.Unknown))
	for i, want := range []string{"bug in hawser", "not ended after 20ms", "not ended after 20ms"} {
		require.Contains(t, r.Findings[i].What, want)
	}
}
