package status_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/crm"
)

// The first line says in one sentence what decides the exit code.
func TestVerdict(t *testing.T) {
	servers := func(node int, text string) func(*crm.Status) {
		return func(s *crm.Status) {
			s.Nodes[node].Attributes = map[string]string{"hawser-haproxy": text}
		}
	}
	prefer := &crm.Location{
		Name: "cli-prefer-FloatIP", Resource: "FloatIP", Score: "INFINITY", Node: "lb-1",
	}
	for _, tc := range []struct {
		name   string
		change func(*crm.Status)
		more   []crm.Object
		state  status.State
		says   string
	}{
		{"all is well", nil, nil, status.OK, "203.0.113.10 on lb-1 for 8h55m, 3 of 3 nodes ready"},
		{"a node is offline", func(s *crm.Status) {
			s.Nodes[2] = crm.NodeStatus{Name: "lb-3"}
			s.Resources = removed(s.Resources, "haproxy", "lb-3")
		}, nil, status.Degraded, "203.0.113.10 is served by lb-1, but lb-3 is offline"},
		{"a node is in standby", func(s *crm.Status) { s.Nodes[1].Standby = true }, nil,
			status.Degraded, "lb-2 is in standby: `hawser online lb-2` ends it"},
		{"maintenance", func(s *crm.Status) { s.Maintenance = true }, nil, status.Degraded,
			"maintenance mode is on, nothing is recovered: `hawser maintenance off` ends it"},
		{"a node is in maintenance", func(s *crm.Status) { s.Nodes[1].Maintenance = true }, nil,
			status.Degraded, "lb-2 is in maintenance: `hawser maintenance off lb-2` ends it"},
		{"the address is stopped on purpose", of("FloatIP", "", func(r *crm.ResourceStatus) {
			r.Active, r.Node, r.Nodes, r.Role, r.Target = false, "", nil, "Stopped", "Stopped"
		}), nil, status.Degraded, "203.0.113.10 is stopped on purpose: `hawser start FloatIP` starts it"},
		{"503 for everybody", servers(0, "up=0,down=2,draining=0"), nil, status.Failed,
			"203.0.113.10 is on lb-1, and no server behind its HAProxy is up: every visitor gets an error (503)"},
		{"no server is up as another node sees it", servers(2, "up=0,down=2,draining=0"), nil,
			status.Degraded, "no server is up behind HAProxy on lb-3"},
		{"all servers are draining", servers(0, "up=0,down=0,draining=2"), nil, status.OK, "203.0.113.10 on lb-1"},
		{"the holder's HAProxy failed", of("haproxy", "lb-1", func(r *crm.ResourceStatus) { r.Failed = true }),
			nil, status.Failed, "203.0.113.10 is on lb-1, and HAProxy is failed there: every visitor is refused"},
		{"the holder's HAProxy is stopped", func(s *crm.Status) {
			s.Resources = removed(s.Resources, "haproxy", "lb-1")
		}, nil, status.Failed, "203.0.113.10 is on lb-1, and HAProxy is stopped there: every visitor is refused"},
		{"it is about to start", of("haproxy", "lb-1", func(r *crm.ResourceStatus) { r.Role = "Starting" }),
			nil, status.Degraded, "HAProxy is starting on lb-1"},
		{"no quorum here", func(s *crm.Status) {
			s.Quorum = false
			s.Nodes[1], s.Nodes[2] = crm.NodeStatus{Name: "lb-2"}, crm.NodeStatus{Name: "lb-3"}
			for i := range s.Resources {
				s.Resources[i].Active, s.Resources[i].Node, s.Resources[i].Nodes = false, "", nil
			}
		}, nil, status.Failed, "no quorum HERE: this node sees 1 of 3 nodes; lb-2, lb-3 may be serving, ask there"},
		{"a move was forgotten", nil, []crm.Object{prefer}, status.Degraded,
			"FloatIP is bound to lb-1 by the constraint cli-prefer-FloatIP, which a command left behind: " +
				"`crm_resource --clear --resource FloatIP`"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := collector(t, tc.change, tc.more...)
			r := s.Collect(t.Context())
			require.Equal(t, tc.state, r.State, r.Verdict())
			require.Contains(t, r.Verdict(), tc.says)
			text := r.Text(func(_ status.Style, text string) string { return text })
			for line := range strings.Lines(text) {
				require.LessOrEqual(t, len(line), 81, line)
			}
			first, _, _ := strings.Cut(text, "\n")
			word := map[status.State]string{
				status.OK: "OK (", status.Degraded: "ATTENTION (", status.Failed: "FAILED (",
			}[tc.state]
			require.True(t, strings.HasPrefix(first, word+"admin, "), first)
		})
	}
}

func removed(all []crm.ResourceStatus, id, node string) (left []crm.ResourceStatus) {
	for _, r := range all {
		if r.ID != id || r.Node != node {
			left = append(left, r)
		}
	}
	return left
}

// One of two nodes that has booted alone waits for the other, and the command that ends it is named.
func TestWaitsForAll(t *testing.T) {
	s, _ := collector(t, func(s *crm.Status) {
		s.Quorum = false
		s.Nodes[2] = crm.NodeStatus{Name: "lb-3"}
	})
	s.WaitsForAll = func(context.Context) (bool, error) { return true, nil }
	require.Contains(t, s.Collect(t.Context()).Verdict(), "it waits for lb-3 since it booted "+
		"(wait_for_all). Only if that is switched off: `corosync-cmapctl -s quorum.cancel_wait_for_all u8 1`")
	s.WaitsForAll = func(context.Context) (bool, error) { return false, errors.New("no answer") }
	require.NotContains(t, s.Collect(t.Context()).Verdict(), "wait_for_all")
}

// A machine whose host name is not its node's is asked for by Pacemaker's name.
func TestNodeOfAnotherName(t *testing.T) {
	s, _ := collector(t, nil)
	deadSocket(t, s.RunDir)
	s.Node = "ip-10-132-0-12.example"
	s.Locate = func(context.Context) (string, error) { return "lb-2", nil }
	r := s.Collect(t.Context())
	require.Equal(t, "lb-2", r.Node)
	require.Equal(t, status.NotAnswering, haproxyOn(t, r, "lb-2").Is)
	require.Equal(t, status.Degraded, r.State)
	s.Locate = func(context.Context) (string, error) { return "", crm.ErrNotRunning }
	require.Equal(t, s.Node, s.Collect(t.Context()).Node)
	s.Node = "lb-1"
	s.Locate = func(context.Context) (string, error) { t.Error("nobody need ask"); return "", nil }
	require.Equal(t, "lb-1", s.Collect(t.Context()).Node)
}

// later is a cluster whose configuration is newer than what is saved.
type later struct {
	crm.Cluster
	version crm.Version
	err     error
}

func (l later) Version(context.Context) (crm.Version, error) { return l.version, l.err }

// What Pacemaker has saved is shown only if it is what is in force.
func TestSavedConfigurationThatIsOld(t *testing.T) {
	s, c := collector(t, nil)
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	s.SavedCIB = filepath.Join(t.TempDir(), "cib.xml")
	old := strings.ReplaceAll(string(cib.XML()), "203.0.113.10", "198.51.100.9")
	require.NoError(t, os.WriteFile(s.SavedCIB, []byte(old), 0o600))
	shown := func(l later) string {
		l.Cluster = c
		s.Cluster = l
		return s.Collect(t.Context()).FloatingIPs[0].IP
	}
	same, newer := cib.Version, cib.Version
	newer.Epoch++
	same.NumUpdates += 5
	require.Equal(t, "198.51.100.9", shown(later{version: same}), "the status is not in the file")
	require.Equal(t, "203.0.113.10", shown(later{version: newer}))
	require.Equal(t, "198.51.100.9", shown(later{err: crm.ErrNotRunning}), "it is the best there is")
}

// A monitoring system gets one line, and its own exit codes.
func TestNagios(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*crm.Status)
		code   int
		line   string
	}{
		"well": {nil, 0, "HAWSER OK - 203.0.113.10 on lb-1 for 8h55m, 3 of 3 nodes ready | " +
			"nodes_online=3;;;0;3 haproxy_ready=3;;;0;3 addresses_served=1;;;0;1 failed_actions=0;;;0"},
		"attention": {func(s *crm.Status) { s.Maintenance = true }, 1, "HAWSER WARNING - 203.0.113.10 is served by lb-1, but maintenance"},
		"failed": {func(s *crm.Status) {
			s.Nodes[0].Attributes = map[string]string{"hawser-haproxy": "up=0,down=2,draining=0"}
		}, 2, "servers_up=0;;;0 servers_down=2;;;0"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := collector(t, tc.change)
			line, code := s.Collect(t.Context()).Nagios()
			require.Equal(t, tc.code, code, line)
			require.Contains(t, line, tc.line)
			require.Equal(t, 1, strings.Count(line, "|"))
			require.NotContains(t, line, "\n")
		})
	}
	s, c := collector(t, nil)
	c.Fail("Status", crm.ErrNotRunning)
	line, code := s.Collect(t.Context()).Nagios()
	require.Equal(t, 3, code)
	require.Contains(t, line, "HAWSER UNKNOWN - Pacemaker does not answer")
}
