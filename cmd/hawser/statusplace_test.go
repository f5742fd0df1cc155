package main

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
)

// statusOf is what status prints of the cluster on a machine.
func statusOf(t *testing.T, node string, change func(*crm.Status)) (text string, code int) {
	t.Helper()
	status := healthy()
	change(status)
	sys, stdout, _ := testSystem(t, tutorialCluster(t, status, nil))
	sys.Node = node
	code = runStatus(t, sys)
	return unwrapped(stdout.String()), code
}

// Without quorum Pacemaker does what a property says, as its scheduler reads it.
func TestStatusWithoutQuorum(t *testing.T) {
	const stops = "Pacemaker stops all resources here (no-quorum-policy is stop)"
	for _, tc := range []struct {
		policy, want string
		fencing      bool
	}{
		{"", stops, false},
		{"stop", stops, true},
		{"panic", stops, true}, // there is no such policy
		{"freeze", "what runs here goes on, and nothing is taken over from nodes outside (no-quorum-policy is freeze)", false},
		{"FREEZE", "what runs here goes on, ", false},
		{"ignore", "Pacemaker goes on as if it had, and so may the other nodes: an address can be held twice", false},
		{"demote", "Pacemaker demotes what is promoted here and stops all other resources (no-quorum-policy is demote)", false},
		{"suicide", "Pacemaker has the nodes of this partition fenced, or stops all resources here if it never had quorum", true},
		{"suicide", stops, false}, // who should do it?
		{"fence", "Pacemaker has the nodes of this partition fenced, ", true},
		{"fence", stops, false},
	} {
		status := healthy()
		status.Quorum, status.Fencing = false, tc.fencing
		c := tutorialCluster(t, status, nil)
		require.NoError(t, c.Edit(property("stonith-enabled", strconv.FormatBool(tc.fencing))))
		if tc.policy != "" {
			require.NoError(t, c.Edit(property("no-quorum-policy", tc.policy)))
		}
		sys, stdout, _ := testSystem(t, c)
		require.Equal(t, exitDegraded, runStatus(t, sys))
		require.Contains(t, unwrapped(stdout.String()), "  Quorum     no     this partition has no quorum: "+tc.want, "%+v", tc)
	}
}

// Until a lost node is fenced Pacemaker says that its resources run there. Nobody knows, and an address that is nowhere else answers nobody.
func TestStatusOfANodeThatIsNotFencedYet(t *testing.T) {
	text, code := statusOf(t, "lb-9", func(s *crm.Status) {
		s.Fencing = true
		s.Nodes[0] = crm.NodeStatus{Name: "lb-1", Unclean: true}
	})
	require.Equal(t, exitResource, code)
	require.Regexp(t, `FloatIP +203.0.113.10 +unknown on lb-1 .*lb-1 is offline, and until it has been fenced`, text)
	require.Regexp(t, `lb-1 +haproxy +unknown `, text)
	require.Regexp(t, `lb-2 +haproxy +running `, text)
}

func TestStatusOfABannedHAProxy(t *testing.T) {
	banned := func(ban crm.Ban) func(*crm.Status) {
		return func(s *crm.Status) {
			s.Nodes = append(s.Nodes, crm.NodeStatus{Name: "quorum", Online: true})
			s.Bans = []crm.Ban{ban}
		}
	}
	text, code := statusOf(t, "lb-9", banned(crm.Ban{ID: "not-here", Resource: "haproxy-clone", Node: "quorum", Score: -crm.Infinity}))
	require.Equal(t, exitOK, code, text)
	require.Regexp(t, `quorum +haproxy +kept off +the constraint not-here keeps it off this node`, text)
	text, code = statusOf(t, "lb-9", banned(crm.Ban{ID: "cli-ban-haproxy-clone-on-quorum", Resource: "haproxy-clone", Node: "quorum", Score: -crm.Infinity}))
	require.Equal(t, exitDegraded, code)
	require.Contains(t, text, "`crm resource clear haproxy-clone` ends that")
	for _, other := range []crm.Ban{{ID: "a", Resource: "haproxy-clone", Node: "lb-1", Score: -crm.Infinity}, {ID: "a", Resource: "haproxy-clone", Node: "quorum", Score: -5},
		{ID: "a", Resource: "FloatIP", Node: "quorum", Score: -crm.Infinity}} {
		text, code = statusOf(t, "lb-9", banned(other))
		require.Equal(t, exitDegraded, code)
		require.Regexp(t, `quorum +haproxy +stopped`, text)
	}
}

// A HAProxy of this node that cannot be asked is not passed over in silence, also where the cluster knows the node without its domain.
func TestStatusWithoutTheSocketOfThisNode(t *testing.T) {
	for _, host := range []string{"lb-1", "LB-1.example.com"} {
		text, code := statusOf(t, host, func(*crm.Status) {})
		require.Equal(t, exitDegraded, code)
		require.Regexp(t, `lb-1 +haproxy +running .*stats socket unavailable: there is no /.*/haproxy/stats.sock`, text)
	}
	text, code := statusOf(t, "lb-1", func(s *crm.Status) {
		for i := range s.Resources {
			if s.Resources[i].ID == "haproxy" {
				s.Resources[i].Agent = "systemd:haproxy" // has no socket that hawser knows of
			}
		}
	})
	require.Equal(t, exitOK, code, text)
}
