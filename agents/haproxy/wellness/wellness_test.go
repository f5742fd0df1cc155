package wellness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
)

// stage is a counter whose clock stands, and a cluster that notes what it is told.
type stage struct {
	t     *testing.T
	boot  string
	up    time.Duration
	told  []string
	fails error
	c     *Counter
}

func (s *stage) SetAttributeWithin(_ context.Context, name, value string, delay time.Duration) error {
	if s.fails == nil {
		s.told = append(s.told, strings.TrimPrefix(name, "hawser-haproxy-well-")+"="+value+" within "+delay.String())
	}
	return s.fails
}

func (s *stage) SetOrDelete(_ context.Context, name, value string) error {
	require.Empty(s.t, value)
	if s.fails == nil {
		s.told = append(s.told, strings.TrimPrefix(name, "hawser-haproxy-well-")+" deleted")
	}
	return s.fails
}

func newStage(t *testing.T, times ...time.Duration) *stage {
	s := &stage{t: t, boot: "b1", up: time.Hour}
	s.c = &Counter{File: filepath.Join(t.TempDir(), "well.json"), Resource: contract.ResourceOf("haproxy"),
		Times: times, Cluster: s, Clock: func() (string, time.Duration) { return s.boot, s.up }}
	return s
}

// again is another process.
func (s *stage) again() {
	c := *s.c
	c.unsaved = nil
	s.c = &c
}

// step is a step after some time; it returns when the next one is due, and what the cluster was told.
func (s *stage) step(after time.Duration, well bool) (next time.Duration, told []string) {
	s.t.Helper()
	s.up += after
	s.told = nil
	next, err := s.c.Step(s.t.Context(), Now{Well: well})
	require.NoError(s.t, err)
	return next, s.told
}

func (s *stage) wants(after time.Duration, well bool, next time.Duration, told ...string) {
	s.t.Helper()
	due, said := s.step(after, well)
	require.Equal(s.t, told, said)
	require.Equal(s.t, next, due)
}

func TestWellForLong(t *testing.T) {
	s := newStage(t, time.Minute, 5*time.Minute)
	s.wants(0, true, time.Minute, "60 deleted", "300 deleted")
	s.wants(59*time.Second, true, time.Second)
	s.wants(time.Second, true, 4*time.Minute, "60=yes within 5s")
	s.wants(time.Minute, true, 3*time.Minute)
	s.again() // as after kill -9, or an upgrade
	s.wants(3*time.Minute, true, never, "300=yes within 5s")
	s.wants(time.Hour, true, never)

	t.Run("a check that fails", func(t *testing.T) {
		s.t = t
		s.wants(0, false, never, "60 deleted", "300 deleted")
		s.wants(time.Hour, false, never)
		s.wants(0, true, time.Minute)
		s.wants(30*time.Second, false, never)
		s.again()
		s.wants(0, true, time.Minute)
		s.wants(time.Minute, true, 4*time.Minute, "60=yes within 5s")
	})
	t.Run("another list", func(t *testing.T) {
		s.t = t
		s.c.Times = []time.Duration{2 * time.Minute}
		s.again()
		s.wants(time.Minute, true, never, "60 deleted", "120=yes within 5s")
		s.c.Times = nil
		require.False(t, s.c.Idle())
		s.wants(0, true, never, "120 deleted")
		require.True(t, s.c.Idle())
	})
}

func TestBeginnings(t *testing.T) {
	s := newStage(t, time.Minute)
	s.step(0, true)
	s.wants(time.Minute, true, never, "60=yes within 5s")
	require.NoError(t, os.Remove(s.c.File)) // a start of HAProxy
	s.wants(0, true, time.Minute, "60 deleted")
	s.wants(time.Minute, true, never, "60=yes within 5s")
	s.boot, s.up = "b2", 10*time.Second // a reboot with a /run that was kept
	s.wants(0, true, time.Minute, "60 deleted")
	s.boot = ""
	_, err := s.c.Step(t.Context(), Now{Well: true})
	require.ErrorIs(t, err, errNoClock)

	// An earlier version has not counted, and HAProxy has served for a while.
	s = newStage(t, time.Minute, 10*time.Minute)
	next, err := s.c.Step(t.Context(), Now{Well: true, Already: 2 * time.Minute})
	require.NoError(t, err)
	require.Equal(t, 8*time.Minute, next)
	require.Equal(t, []string{"60=yes within 5s", "600 deleted"}, s.told)

	s = newStage(t, time.Minute)
	next, err = s.c.Step(t.Context(), Now{Already: 2 * time.Minute})
	require.NoError(t, err)
	require.Equal(t, never, next, "it is ill now")
	require.Equal(t, []string{"60 deleted"}, s.told)
}

func TestTellAgain(t *testing.T) {
	s := newStage(t, time.Minute, 5*time.Minute)
	require.NoError(t, s.c.Forget())
	s.step(0, true)
	s.wants(time.Minute, true, 4*time.Minute, "60=yes within 5s")
	require.NoError(t, s.c.Forget())
	s.again()
	s.wants(0, true, 4*time.Minute, "60=yes within 5s")
	s.wants(0, true, 4*time.Minute)

	t.Run("what the cluster has not heard", func(t *testing.T) {
		s.t = t
		s.fails = errors.New("no cluster")
		s.up += 4 * time.Minute
		_, err := s.c.Step(t.Context(), Now{Well: true})
		require.ErrorIs(t, err, s.fails)
		s.fails = nil
		s.again()
		s.wants(0, true, never, "60=yes within 5s", "300=yes within 5s")
		s.fails = errors.New("no cluster")
		_, err = s.c.Step(t.Context(), Now{})
		require.ErrorIs(t, err, s.fails)
		s.fails = nil
		s.again()
		s.wants(0, false, never, "60 deleted", "300 deleted")
		s.wants(0, false, never)
	})
}

func TestWithdraw(t *testing.T) {
	s := newStage(t, time.Minute, 5*time.Minute)
	require.NoError(t, s.c.Withdraw(t.Context()))
	require.Empty(t, s.told)
	s.step(0, true)
	s.step(time.Minute, true)
	s.told = nil
	s.again()
	require.NoError(t, s.c.Withdraw(t.Context()))
	require.Equal(t, []string{"60=no within 0s", "60 deleted"}, s.told)
	s.fails = context.DeadlineExceeded
	require.ErrorIs(t, s.c.Withdraw(t.Context()), context.DeadlineExceeded)
}

// TestFullRun: it is counted all the same, by the process that counts.
func TestFullRun(t *testing.T) {
	s := newStage(t, time.Minute)
	s.c.File = filepath.Join(t.TempDir(), "none", "well.json")
	_, err := s.c.Step(t.Context(), Now{Well: true})
	require.ErrorContains(t, err, "cannot write ")
	s.up += time.Minute
	s.told = nil
	_, err = s.c.Step(t.Context(), Now{Well: true})
	require.ErrorContains(t, err, "cannot write ")
	require.Equal(t, []string{"60=yes within 5s"}, s.told)
	s.told = nil
	_, err = s.c.Step(t.Context(), Now{Well: true})
	require.Error(t, err)
	require.Empty(t, s.told)
}

func TestClock(t *testing.T) {
	boot, up := SinceBoot()
	require.NotEmpty(t, boot)
	require.Positive(t, up)
}
