package status_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/contract"
)

// A check fails everywhere, since the last node has seen it, if no node is left that would take an
// address.
func TestFailsEverywhere(t *testing.T) {
	id := contract.ResourceOf("haproxy")
	c, fake := collector(t, nil)
	fails := func(node string, ago time.Duration) {
		fake.SetAttribute(node, contract.CheckAttribute(id, "web"), contract.CheckFailed)
		fake.SetAttribute(node, contract.FailingAttribute(id), contract.FormatFailing([]contract.FailingCheck{
			{Name: "web", Since: noon.Add(-ago), Why: "GET http://a/: 503"},
		}))
	}
	fails("lb-1", time.Minute)
	fails("lb-2", time.Second)
	r := c.Collect(t.Context())
	require.Len(t, r.Checks, 1)
	require.Equal(t, status.Degraded, r.Checks[0].State)
	require.False(t, r.Checks[0].FailsEverywhere(), "lb-3 has not done it: the address goes there")
	fails("lb-3", 2*time.Minute)
	r = c.Collect(t.Context())
	require.True(t, r.Checks[0].FailsEverywhere())
	require.Contains(t, r.Verdict(), "but the check web fails on every node since ", "the first line says so")
	require.Equal(t, noon.Add(-time.Second), r.Checks[0].FailingSince().UTC())
	require.Equal(t, "GET http://a/: 503", r.Checks[0].Nodes[2].Reason)
	fake.SetAttribute("lb-2", contract.CheckAttribute(id, "web"), contract.CheckOK)
	require.False(t, c.Collect(t.Context()).Checks[0].FailsEverywhere())
}
