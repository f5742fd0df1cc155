package cloud_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/lab/cloud"
)

func TestFaults(t *testing.T) {
	ctx := context.Background()
	get := func(t *testing.T, s *stage) error {
		t.Helper()
		_, _, err := s.client(t, "any").ReservedIPs.Get(ctx, ip4.String())
		return err
	}
	t.Run("status with a count", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 503, Count: 2})
		refused(t, get(t, s), 503)
		refused(t, get(t, s), 503)
		require.NoError(t, get(t, s))
	})
	t.Run("status with retry-after, on some requests", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Status, Status: 429, RetryAfter: 1500 * time.Millisecond, Match: "POST "})
		require.NoError(t, get(t, s))
		_, _, err := s.client(t, "any").ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.Equal(t, "2", refused(t, err, 429).Header.Get("Retry-After"))
	})
	t.Run("latency", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Latency, Delay: 50 * time.Millisecond, Count: 1})
		begun := time.Now()
		require.NoError(t, get(t, s))
		require.GreaterOrEqual(t, time.Since(begun), 50*time.Millisecond)
	})
	t.Run("hang until cleared", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Hang})
		done := make(chan error, 1)
		c := s.client(t, "any")
		go func() { _, _, err := c.ReservedIPs.Get(ctx, ip4.String()); done <- err }()
		s.eventually(t, "the request is in", func() bool { return s.Requests() == 1 })
		select {
		case err := <-done:
			t.Fatalf("answered while it should hang: %v", err)
		case <-time.After(30 * time.Millisecond):
		}
		s.ClearFaults(cloud.Hang)
		require.NoError(t, <-done)
	})
	t.Run("drop", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.Drop, Match: "GET "})
		require.ErrorIs(t, get(t, s), io.EOF)
	})
	t.Run("answer lost, work done", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.LostAnswer, Match: "POST ", Count: 1})
		_, _, err := s.client(t, "any").ReservedIPActions.Assign(ctx, ip4.String(), 2)
		refused(t, err, 502)
		s.eventually(t, "moved all the same", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("pending event that is none", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.PendingEvent, Count: 1})
		c := s.client(t, "any")
		_, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.Contains(t, refused(t, err, 422).Message, "pending event")
		_, _, err = c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
	})
	t.Run("action ends in error", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionError, Count: 1})
		c := s.client(t, "any")
		a, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		s.eventually(t, "errored", func() bool {
			got, _, err := c.Actions.Get(ctx, a.ID)
			return err == nil && got.Status == "errored"
		})
		require.Equal(t, 1, s.Holder(ip4))
		require.Empty(t, s.moves)
	})
	t.Run("action stuck, then let go", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionStuck})
		c := s.client(t, "any")
		_, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		_, _, err = c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		refused(t, err, 422)
		require.Equal(t, 1, s.Holder(ip4))
		s.ClearFaults()
		s.eventually(t, "moved", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("action cannot be asked after", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		s.SetFault(cloud.Fault{Kind: cloud.ActionPoll})
		c := s.client(t, "any")
		a, _, err := c.ReservedIPActions.Assign(ctx, ip4.String(), 2)
		require.NoError(t, err)
		_, _, err = c.ReservedIPActions.Get(ctx, ip4.String(), a.ID)
		refused(t, err, 404)
		s.eventually(t, "moved all the same", func() bool { return s.Holder(ip4) == 2 })
	})
	t.Run("none by that name", func(t *testing.T) {
		s := newStage(t, cloud.Options{})
		require.Panics(t, func() { s.SetFault(cloud.Fault{Kind: "gremlins"}) })
	})
}
