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

	require.Equal(t, time.Second, with(0).finish(time.Second).LongestGap, "nobody was served at all")
}
