package status_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
)

// TestNext asks who takes the address if its node is lost: only what is known is said.
func TestNext(t *testing.T) {
	three := corosync.Votes{Expected: 3, Total: 3, Needed: 2, Members: 3}
	for name, c := range map[string]struct {
		votes  corosync.Votes
		change func(c *crmtest.Fake)
		status func(s *crm.Status)
		next   string
		none   string
	}{
		"three nodes": {votes: three, next: "lb-2"},
		"one is kept off": {votes: three, next: "lb-3", change: func(c *crmtest.Fake) {
			require.NoError(t, c.Edit(&crm.Location{Name: "off", Resource: "FloatIP", Score: "-INFINITY",
				Node: "lb-2"}))
		}},
		"one is down": {votes: corosync.Votes{Expected: 3, Total: 2, Needed: 2, Members: 2},
			none: "without lb-1 there is no quorum", change: func(c *crmtest.Fake) { c.Down("lb-3", true) }},
		"two nodes, two_node": {votes: corosync.Votes{Expected: 2, Total: 2, Needed: 1, Members: 2},
			next: "lb-2"},
		"a quorum device": {votes: corosync.Votes{Expected: 3, Total: 3, Needed: 2, Members: 2,
			DeviceVotes: 1}, next: "lb-2"},
		"half of the votes may do": {votes: corosync.Votes{Expected: 4, Total: 2, Needed: 3, Members: 2,
			Flags: []string{"Quorate", "AutoTieBreaker"}}},
		"a node with two votes": {votes: corosync.Votes{Expected: 4, Total: 4, Needed: 3, Members: 3}},
		"nobody else can": {votes: three, none: "no other node can take it",
			change: func(c *crmtest.Fake) { c.Down("lb-2", true); c.Down("lb-3", true) }},
		"maintenance":   {votes: three, status: func(s *crm.Status) { s.Maintenance = true }},
		"no quorum":     {votes: three, status: func(s *crm.Status) { s.Quorum = false }},
		"no simulation": {votes: three, change: func(c *crmtest.Fake) { c.Fail("Lose", errors.New("no")) }},
	} {
		t.Run(name, func(t *testing.T) {
			s, cluster := collector(t, c.status)
			if c.change != nil {
				c.change(cluster)
			}
			s.Votes = func(context.Context) (corosync.Votes, error) { return c.votes, nil }
			ip := s.Collect(context.Background()).FloatingIPs[0]
			require.Equal(t, c.next, ip.Next)
			require.Equal(t, c.none, ip.NoNext)
		})
	}
	t.Run("Corosync cannot be asked", func(t *testing.T) {
		s, _ := collector(t, nil)
		s.Votes = func(context.Context) (corosync.Votes, error) {
			return corosync.Votes{}, corosync.ErrNotRunning
		}
		ip := s.Collect(context.Background()).FloatingIPs[0]
		require.Empty(t, ip.Next+ip.NoNext)
	})
}
