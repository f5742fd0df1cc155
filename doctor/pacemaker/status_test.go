package pacemaker

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/internal/bench"
)

// remembering is a cluster that also has what no file keeps: what failed, and how fencing went.
type remembering struct {
	*bench.Cluster
	failures []crm.Failure
	fences   []crm.FenceEvent
	nodes    []crm.NodeStatus
}

func (r remembering) Status(ctx context.Context) (*crm.Status, error) {
	s, err := r.Cluster.Status(ctx)
	if err == nil {
		s.Failures, s.Nodes = append(s.Failures, r.failures...), append(s.Nodes, r.nodes...)
		s.Fences = r.fences
	}
	return s, err
}

// What Pacemaker remembers is reported once, and a node that could be fenced in the end is not.
func TestWhatPacemakerRemembers(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		remembering
		check, says string
		want        doctor.Severity
	}{
		{"a failed action without a count", remembering{failures: []crm.Failure{
			{
				Resource: "haproxy:1", Node: "lb-2", Task: "monitor", Meaning: "error",
				Reason: "it does not answer", Status: "Timed Out", Time: now,
			},
			{
				Resource: "haproxy:1", Node: "lb-2", Task: "start", Meaning: "error",
				Time: now.Add(-time.Hour),
			},
		}}, "failures", "it does not answer", doctor.Warning},
		{"a node could not be fenced", remembering{fences: []crm.FenceEvent{
			{
				Target: "lb-3", Action: "reboot", Status: "failed", Reason: "login refused",
				Time: now,
			},
			{Target: "lb-3", Action: "reboot", Status: "success", Time: now.Add(-time.Hour)},
		}}, "fencing", "lb-3 could not be fenced the last time (reboot): login refused",
			doctor.Error},
		{"it could in the end", remembering{fences: []crm.FenceEvent{
			{Target: "lb-3", Action: "reboot", Status: "failed", Time: now.Add(-time.Hour)},
			{Target: "lb-3", Action: "reboot", Status: "success", Time: now},
		}}, "", "", ""},
		{
			"a remote node is offline",
			remembering{nodes: []crm.NodeStatus{{Name: "far", Type: "remote"}}}, "nodes",
			"far (a remote node) is offline", doctor.Warning,
		},
		{
			"a node is about to join",
			remembering{
				nodes: []crm.NodeStatus{{Name: "far", Type: "remote", Online: true, Pending: true}},
			},
			"nodes", "has not joined Pacemaker's yet", doctor.Warning,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.Cluster = bench.New(t)
			found := doctor.Run(t.Context(), (&Cluster{
				Pacemaker: c.remembering, Files: c.Files,
			}).Checks()).Findings
			if c.check == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1, "%+v", found)
			require.Equal(t, c.check, found[0].Check)
			require.Equal(t, c.want, found[0].Severity)
			require.Contains(t, found[0].What, c.says)
			require.NotEmpty(t, found[0].Remedies())
		})
	}
}

// HAProxy that starts where its address goes, both in one group, is another design and no fault.
func TestGroupOfAddressAndHAProxy(t *testing.T) {
	b := bench.New(t)
	b.Group(t)
	b.Verify(t)
	for _, f := range findings(t, b) {
		require.NotContains(t, []string{"haproxy-clone", "address-colocation"}, f.Check, "%+v", f)
	}
}
