package crm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

func TestNodeOfThisMachine(t *testing.T) {
	s := &crm.Status{Nodes: []crm.NodeStatus{{Name: "lb-1.example.com"}, {Name: "lb-2"}, {Name: "lb-2.lan"}}}
	for host, want := range map[string]string{"lb-1": "lb-1.example.com", "LB-1.lan": "lb-1.example.com", "lb-2.lan": "lb-2.lan",
		"lb-2": "lb-2", "other": "other"} {
		require.Equal(t, want, s.NodeOf(host), host)
	}
}

func TestWhatIsMissing(t *testing.T) {
	s := &crm.Status{
		Resources: []crm.ResourceStatus{
			{ID: "haproxy:0", Active: true, Managed: true}, {ID: "haproxy:1", Managed: true, Reason: "port 80 is in use"},
			{ID: "FloatIP", Managed: true, Reason: "no token"}, {ID: "away", Managed: true, Target: "Stopped"}, {ID: "own", Managed: false},
			{ID: "broken", Managed: true, Active: true, Failed: true},
		},
		Failures: []crm.Failure{{Resource: "FloatIP", Reason: "no token"}, {Resource: "FloatIP", Reason: "no network"}},
	}
	var said []string
	for _, a := range s.Missing() {
		said = append(said, a.String())
	}
	require.Equal(t, []string{"FloatIP is not running on any node: no token; no network", "broken is not running on any node"}, said)
}

func TestFailureSince(t *testing.T) {
	began := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	require.True(t, crm.Failure{Time: began.Add(-time.Second)}.Since(began), "the clocks of the nodes differ")
	require.False(t, crm.Failure{Time: began.Add(-time.Minute)}.Since(began))
	require.False(t, crm.Failure{}.Since(began))
}

func TestBooleansAsPacemakerReadsThem(t *testing.T) {
	for word, want := range map[string][2]bool{"true": {true, false}, "Yes": {true, false}, "1": {true, false}, "OFF": {false, true}, "n": {false, true},
		"": {false, false}, "maybe": {false, false}} {
		require.Equal(t, want, [2]bool{crm.IsTrue(word), crm.IsFalse(word)}, word)
	}
}
