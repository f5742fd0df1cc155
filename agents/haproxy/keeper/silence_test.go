package keeper

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/pulse"
)

// count is n questions, a second apart, after which the worker showed the sign.
func (s *silence) count(n int, sign pulse.Sign) {
	for range n {
		s.passed(time.Second, sign)
	}
}

func TestHowLongASilenceMayLast(t *testing.T) {
	began := time.Now().Add(-time.Hour)
	s := &silence{limit: 5 * time.Second, since: began}
	s.count(1, pulse.Still)
	require.False(t, s.tooLong())
	s.count(3, pulse.Still)
	require.False(t, s.tooLong())
	s.count(1, pulse.Alive)
	require.Zero(t, s.still, "alive: it begins anew")
	require.Equal(t, began, s.since, "but it is a silence all the same")
	require.True(t, s.worthTelling())
	require.False(t, s.worthTelling(), "once")
	s.count(4, pulse.Still)
	require.False(t, s.tooLong())
	s.count(1, pulse.Still)
	require.True(t, s.tooLong())
	s.answered()
	require.False(t, s.tooLong())
	require.False(t, s.doubtful())

	s = &silence{limit: 5 * time.Second, since: began}
	s.count(49, pulse.Hindered)
	require.False(t, s.tooLong(), "the machine may be to blame")
	s.count(1, pulse.Hindered)
	require.True(t, s.tooLong(), "but not for ever")

	s = &silence{limit: time.Second, since: began}
	s.count(1, pulse.Still)
	require.False(t, s.tooLong(), "one question is none")
}
