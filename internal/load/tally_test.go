package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEnds has the time before the first and after the last good answer count as gaps.
func TestEnds(t *testing.T) {
	ms := time.Millisecond
	with := func(began time.Duration) *tally {
		t := newTally()
		t.report.Began = time.Now().Add(-began)
		return t
	}
	early := with(0)
	early.good(0, nil)
	r := early.finish(time.Second)
	require.InDelta(t, time.Second, r.LongestGap, float64(100*ms), "an outage that lasts to the end counts")

	late := with(time.Second)
	late.good(900*ms, nil)
	r = late.finish(1001 * ms)
	require.InDelta(t, time.Second, r.LongestGap, float64(100*ms))
	require.Zero(t, r.GapStart)

	after := with(time.Second)
	after.good(900*ms, nil)
	end := after.over()
	after.report.Began = after.report.Began.Add(-5 * time.Second) // an answer that comes five seconds after the last request
	after.good(900*ms, nil)
	require.InDelta(t, time.Second, after.finish(end).LongestGap, float64(100*ms), "nobody asked in those five seconds")

	require.Equal(t, time.Second, with(0).finish(time.Second).LongestGap, "nobody was served at all")
}
