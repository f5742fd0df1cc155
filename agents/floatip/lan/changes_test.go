package lan_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"

	"github.com/hawser-ha/hawser/internal/nic"
)

func TestChanges(t *testing.T) {
	s := newStage(t)
	var c *nic.Changes
	s.m.Do(t, func() {
		var err error
		c, err = nic.NewChanges(nic.Links | nic.Addresses)
		require.NoError(t, err)
	})
	defer c.Close()
	heard := func(change func()) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- c.Wait(t.Context(), time.Minute) }()
		change()
		select {
		case err := <-done:
			require.NoError(t, err)
		case <-time.After(10 * time.Second):
			require.FailNow(t, "it was not heard")
		}
	}
	require.NoError(t, c.Wait(t.Context(), 10*time.Millisecond), "nothing has happened")
	heard(func() { s.m.Do(t, func() { addByHand(t, "192.0.2.10/24") }) })
	heard(func() { s.m.Do(t, func() { addByHand(t, "2001:db8:1::10/64") }) })
	heard(func() { require.NoError(t, s.a.Release(t.Context(), vip4, "a")) })
	var plug func()
	heard(func() { plug = s.net.Unplug(t, s.m) })
	heard(func() { plug() })
	heard(func() {
		s.m.Do(t, func() {
			link, err := netlink.LinkByName("eth0")
			require.NoError(t, err)
			require.NoError(t, netlink.LinkSetDown(link))
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	for ctx.Err() == nil {
		_ = c.Wait(ctx, time.Minute)
	}
	require.ErrorIs(t, c.Wait(ctx, time.Minute), context.Canceled)
}
