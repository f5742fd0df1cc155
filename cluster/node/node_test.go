package node_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/node"
	"github.com/hawser-ha/hawser/cluster/order"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func cluster(t *testing.T) (*crmtest.Fake, node.Nodes) {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	require.NoError(t, c.Edit(crmtest.Tutorial()...))
	return c, node.Nodes{Cluster: c}
}

// do carries the order out, which must change something.
func do(t *testing.T, c crm.Cluster, o order.Order, err error) {
	t.Helper()
	require.NoError(t, err)
	require.False(t, o.Done, o.Says)
	require.NoError(t, o.Do(t.Context(), c))
	require.NoError(t, o.Verdict(t.Context(), c, time.Now()))
}

func shown(t *testing.T, c crm.Cluster) string {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

func TestStandbyAndOnline(t *testing.T) {
	c, n := cluster(t)
	require.NoError(t, c.Edit(&crm.Node{NodeID: "1", Uname: "lb-1", Attributes: crm.Attrs{{Name: "rack", Value: "r1"}}}))
	before := shown(t, c)

	o, err := n.Standby(t.Context(), "lb-1")
	do(t, c, o, err)
	require.Contains(t, o.Says, "lb-1 goes into standby")
	require.Equal(t, []string{"FloatIP (203.0.113.10) moves from lb-1 to lb-2", "haproxy stops on lb-1, keeps running on lb-2"}, o.Effect.Lines())
	require.Equal(t, []string{"HAProxy runs only on lb-2 then: if that fails, nobody serves"}, o.Notes)
	require.Contains(t, shown(t, c), "rack=r1 standby=on")

	o, err = n.Standby(t.Context(), "lb-1")
	require.NoError(t, err)
	require.True(t, o.Done)

	o, err = n.Standby(t.Context(), "lb-2")
	do(t, c, o, err)
	require.Equal(t, "NOBODY WILL SERVE FloatIP (203.0.113.10) any more.", o.Effect.Headline())
	o, err = n.Online(t.Context(), "lb-2")
	do(t, c, o, err)
	require.Contains(t, o.Effect.Lines(), "FloatIP (203.0.113.10) starts on lb-2")

	o, err = n.Online(t.Context(), "lb-1")
	do(t, c, o, err)
	require.Empty(t, o.Notes)
	require.Equal(t, before, shown(t, c), "nothing is left of it, and what others wrote stays")

	o, err = n.Online(t.Context(), "lb-1")
	require.NoError(t, err)
	require.True(t, o.Done)
	require.Equal(t, "lb-1 is not in standby", o.Says)
}

func TestNodesThatCannotBe(t *testing.T) {
	c, n := cluster(t)
	for _, order := range []func() (order.Order, error){
		func() (order.Order, error) { return n.Standby(t.Context(), "lb-9") },
		func() (order.Order, error) { return n.Online(t.Context(), "lb-9") },
		func() (order.Order, error) { return n.Maintenance(t.Context(), true, "lb-9") },
	} {
		_, err := order()
		require.ErrorContains(t, err, "the cluster has no node lb-9; it has lb-1, lb-2")
		require.Equal(t, outcome.Usage, outcome.Of(err))
	}
	// It lasts until the node's next start, and is in the status only.
	c.OnStatus(func(_ *crm.CIB, s *crm.Status) { s.Nodes[1].Standby, s.Nodes[1].Maintenance = true, true })
	_, err := n.Online(t.Context(), "lb-2")
	require.ErrorContains(t, err, "`crm_attribute --node lb-2 --name standby --lifetime reboot --delete`")
	require.Equal(t, outcome.Resource, outcome.Of(err))
	_, err = n.Maintenance(t.Context(), false, "lb-2")
	require.ErrorContains(t, err, "`crm_attribute --node lb-2 --name maintenance --lifetime reboot --delete`")

	// A node that the configuration does not have, such as a guest.
	c.OnStatus(func(_ *crm.CIB, s *crm.Status) {
		s.Nodes = append(s.Nodes, crm.NodeStatus{Name: "guest", Online: true})
	})
	_, err = n.Standby(t.Context(), "guest")
	require.ErrorContains(t, err, "the configuration has no entry for the node guest")
	c.Fail("Query", errors.New("no answer"))
	_, err = n.Standby(t.Context(), "lb-1")
	require.EqualError(t, err, "no answer")
}

// Whoever brings a node back wants to know what keeps HAProxy off it.
func TestOnlineSaysWhyHAProxyStaysAway(t *testing.T) {
	without := func(s *crm.Status) {
		for i := range s.Resources {
			if s.Resources[i].ID == "haproxy" && s.Resources[i].Node == "lb-2" {
				s.Resources[i] = crm.ResourceStatus{ID: "haproxy", Parent: "haproxy-clone", Managed: true, Agent: s.Resources[i].Agent}
			}
		}
	}
	for name, tc := range map[string]struct {
		status func(s *crm.Status)
		note   string
	}{
		"it has failed": {func(s *crm.Status) {
			without(s)
			s.Failures = []crm.Failure{{Resource: "haproxy:1", Node: "lb-2", Task: "start", Meaning: "not configured", Reason: "no configuration"}}
		}, "haproxy will not run on lb-2, because it has failed there (start: not configured: no configuration): when the cause is fixed, `hawser cleanup haproxy lb-2` lets it start"},
		"it is banned": {func(s *crm.Status) {
			without(s)
			s.Bans = []crm.Ban{{ID: "cli-ban-x", Resource: "haproxy-clone", Node: "lb-2", Score: -crm.Infinity}}
		}, "haproxy will not run on lb-2: the constraint cli-ban-x keeps it off that node"},
		"nobody knows why": {without, "haproxy will not run on lb-2: see `hawser status`, and `hawser cleanup haproxy lb-2` if it has failed there"},
		"the node is away": {func(s *crm.Status) { without(s); s.Nodes[1].Online = false }, "the node is offline: nothing runs there before it is back"},
		"the node joins":   {func(s *crm.Status) { s.Nodes[1].Pending = true }, "the node is still joining the cluster"},
		"it is in maintenance": {func(s *crm.Status) { s.Nodes[1].Maintenance = true },
			"lb-2 is in maintenance: nothing starts there before `hawser maintenance off lb-2`"},
		"the cluster is": {func(s *crm.Status) { s.Maintenance = true },
			"the whole cluster is in maintenance: nothing starts there before `hawser maintenance off`"},
	} {
		t.Run(name, func(t *testing.T) {
			c, n := cluster(t)
			c.OnStatus(func(_ *crm.CIB, s *crm.Status) { tc.status(s) })
			o, err := n.Online(t.Context(), "lb-2")
			require.NoError(t, err)
			require.Equal(t, []string{tc.note}, o.Notes)
		})
	}
}

func TestStandbyOfANodeThatIsAway(t *testing.T) {
	c, n := cluster(t)
	c.Down("lb-2", true)
	o, err := n.Standby(t.Context(), "lb-2")
	do(t, c, o, err)
	require.Contains(t, o.Notes, "lb-2 is offline: it will be in standby when it comes back")
}

func TestMaintenance(t *testing.T) {
	c, n := cluster(t)
	before := shown(t, c)
	o, err := n.Maintenance(t.Context(), true, "")
	do(t, c, o, err)
	require.Contains(t, shown(t, c), "maintenance-mode=true")
	require.Equal(t, []string{"HAProxy and the addresses go on where they are, and Pacemaker does not notice if one of them fails: nobody takes over"}, o.Notes)
	o, err = n.Maintenance(t.Context(), true, "")
	require.NoError(t, err)
	require.True(t, o.Done)

	o, err = n.Maintenance(t.Context(), true, "lb-1")
	do(t, c, o, err)
	require.Contains(t, shown(t, c), "maintenance=true")
	o, err = n.Maintenance(t.Context(), true, "lb-1")
	require.NoError(t, err)
	require.True(t, o.Done)
	o, err = n.Standby(t.Context(), "lb-1")
	require.NoError(t, err)
	require.Contains(t, o.Notes, "the whole cluster is in maintenance: what runs there stays there before `hawser maintenance off`")

	o, err = n.Maintenance(t.Context(), false, "")
	do(t, c, o, err)
	require.Equal(t, []string{"lb-1 is in maintenance by itself, and stays so until `hawser maintenance off lb-1`"}, o.Notes)
	o, err = n.Maintenance(t.Context(), false, "")
	require.NoError(t, err)
	require.True(t, o.Done)
	require.Len(t, o.Notes, 1)

	o, err = n.Maintenance(t.Context(), false, "lb-1")
	do(t, c, o, err)
	require.Equal(t, before, shown(t, c))
	o, err = n.Maintenance(t.Context(), false, "lb-1")
	require.NoError(t, err)
	require.True(t, o.Done)
	require.Equal(t, "lb-1 is not in maintenance", o.Says)
}

// The option may be in a set of somebody's own, or where hawser cannot take it away.
func TestMaintenanceElsewhere(t *testing.T) {
	c, n := cluster(t)
	require.NoError(t, c.Edit(&crm.Property{Set: "own", Name: "maintenance-mode", Value: "yes"}))
	o, err := n.Maintenance(t.Context(), false, "")
	do(t, c, o, err)
	require.NotContains(t, shown(t, c), "maintenance-mode")

	c.OnStatus(func(_ *crm.CIB, s *crm.Status) { s.Maintenance = true })
	_, err = n.Maintenance(t.Context(), false, "")
	require.ErrorContains(t, err, "the option maintenance-mode is not set where hawser can take it away")
	o, err = n.Maintenance(t.Context(), false, "lb-1")
	require.NoError(t, err)
	require.Equal(t, "lb-1 is not in maintenance, but the whole cluster is in maintenance: `hawser maintenance off` ends that", o.Says)
}

func TestOnOff(t *testing.T) {
	on, err := node.OnOff("on")
	require.NoError(t, err)
	require.True(t, on)
	on, err = node.OnOff("off")
	require.NoError(t, err)
	require.False(t, on)
	_, err = node.OnOff("lb-1")
	require.ErrorContains(t, err, `maintenance "lb-1": expected on or off`)
}
