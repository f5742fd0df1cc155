package checks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/nic/nictest"
)

func TestCarrier(t *testing.T) {
	cable := nictest.New(t)
	c := parse(t, "up interface="+cable.Name)
	r := &Runner{}
	require.Eventually(t, func() bool { return r.Do(t.Context(), c) == nil }, 5*time.Second, time.Millisecond)

	// A link that blinks was never gone.
	cable.Down()
	again := time.AfterFunc(blink/4, cable.Up)
	defer again.Stop()
	require.NoError(t, r.Do(t.Context(), c))

	cable.Down()
	began := time.Now()
	require.EqualError(t, r.Do(t.Context(), c), cable.Name+" is down: ip link set "+cable.Name+" up")
	require.GreaterOrEqual(t, time.Since(began), blink)
	cable.Remove()
	require.ErrorContains(t, r.Do(t.Context(), c), "this node has no interface "+cable.Name+" (it has ")
}
