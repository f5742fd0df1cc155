package status

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
)

// What checks say fits a terminal, however long their reasons are.
func TestChecksFitATerminal(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	first, last := noon.Add(-time.Hour), noon.Add(-time.Minute)
	reason := "GET http://192.0.2.1:8080/health: " + strings.Repeat("dial tcp: connection refused; ", 4)
	r := &Report{Now: noon, State: Degraded, Pacemaker: Pacemaker{Source: Source{Available: true}, Quorum: true}, Checks: []Check{{Name: "web", State: Degraded, Nodes: []CheckOnNode{
		{Node: "lb-1", Is: contract.CheckFailed, Since: &first, Reason: reason},
		{Node: "lb-2", Is: contract.CheckFailed, Since: &last, Reason: "a short one"},
	}}, {Name: "db", Nodes: []CheckOnNode{{Node: "lb-1", Is: contract.CheckOK}}}}}
	text := r.Text(func(_ Style, text string) string { return text })
	for line := range strings.Lines(text) {
		require.LessOrEqual(t, len(line), 81, line)
	}
	said, _, _ := strings.Cut(text, "\n\n")
	require.Contains(t, strings.Join(strings.Fields(said), " "),
		"the check web fails on every node since "+last.Local().Format("15:04:05")+" (1m0s): HAProxy goes on")
	require.Contains(t, text, "      a short one\n")
	require.Contains(t, text, "  db   holds  on lb-1\n")
}

func TestNoQuorumOfAnUnknownConfiguration(t *testing.T) {
	require.Equal(t, "this partition has no quorum", noQuorum(Pacemaker{}))
}

// A crash that was before the start is told as such.
func TestCrashBeforeTheStart(t *testing.T) {
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		since time.Time
		count int
		words string
	}{
		{noon.Add(-time.Minute), 2, "back after 0.10 s, 2 crashes before this start"},
		{noon.Add(-time.Minute), 1, "back after 0.10 s, before this start"},
		{noon.Add(-time.Hour), 2, "back after 0.10 s, 2 crashes since its start"},
	} {
		r := &Report{Now: noon, HAProxy: []HAProxy{{Node: "lb-1", Resource: "haproxy", State: OK,
			Is: "running", Since: &tc.since, Crash: &Crash{Time: noon.Add(-2 * time.Minute),
				TookSeconds: 0.1, Count: tc.count}}}}
		require.Contains(t, r.Text(func(_ Style, text string) string { return text }), tc.words)
	}
}

// Who is not root sees less, and nothing is called ill for it.
func TestViewWithoutRights(t *testing.T) {
	h := localHAProxy{instance: "haproxy", err: fs.ErrPermission}.report(HAProxy{State: OK, Is: "running"})
	require.Equal(t, OK, h.State)
	require.Equal(t, Running, h.Is)
	require.False(t, h.dead)
	plain := func(_ Style, text string) string { return text }
	text := (&Report{Denied: true, State: Unavailable}).Text(plain)
	require.Contains(t, text, "permission denied: run this as root")
	require.Contains(t, text, "HAProxy\n  not asked: permission denied\n")
	require.NotContains(t, text, "no agent's HAProxy runs")
}

// What was reported between two monitors says where its reason is: Pacemaker has none.
func TestFailuresThatWereReported(t *testing.T) {
	r := &Report{FloatingIPs: []FloatingIP{{Resource: "VIP"}}, Failures: []Failure{
		{Task: "asyncmon", Resource: "VIP", Node: "lb-1", Meaning: "error", Reason: "Simulated failure"},
		{Task: "asyncmon", Resource: "haproxy", Node: "lb-2", Meaning: "error", Reason: "Simulated failure"},
	}}
	text := strings.Join(strings.Fields(r.Text(func(_ Style, text string) string { return text })), " ")
	require.Contains(t, text, "asyncmon of VIP on lb-1: it was gone from its interface, or that was down: `journalctl -t hawser-floatip` on lb-1 says why")
	require.Contains(t, text, "asyncmon of haproxy on lb-2: error: Simulated failure", "somebody's `crm_resource --fail`, or of a resource that is not ours")
}
