package status_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/jsonout"
	"github.com/hawser-ha/hawser/share/schemas/schemastest"
)

// noon is when the status is asked for.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// collector asks a cluster of three nodes that run HAProxy, with FloatIP on lb-1, from a machine
// that is none of them. change does to the status what the fake cannot.
func collector(t *testing.T, change func(*crm.Status),
	more ...crm.Object) (*status.Collector, *crmtest.Fake) {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2", "lb-3")
	require.NoError(t, c.Edit(append(crmtest.Tutorial(), more...)...))
	if change != nil {
		c.OnStatus(func(_ *crm.CIB, s *crm.Status) { change(s) })
	}
	return &status.Collector{
		Cluster: c, Live: true, Node: "admin", RunDir: t.TempDir(),
		Now: func() time.Time { return noon },
	}, c
}

// haproxyOn finds the line of a node.
func haproxyOn(t *testing.T, r *status.Report, node string) status.HAProxy {
	t.Helper()
	i := slices.IndexFunc(r.HAProxy, func(h status.HAProxy) bool { return h.Node == node })
	require.GreaterOrEqual(t, i, 0, "%+v", r.HAProxy)
	return r.HAProxy[i]
}

// of changes the instances of a resource on a node, or on every node.
func of(id, node string, change func(r *crm.ResourceStatus)) func(*crm.Status) {
	return func(s *crm.Status) {
		for i := range s.Resources {
			if r := &s.Resources[i]; r.ID == id && (node == "" || r.Node == node) {
				change(r)
			}
		}
	}
}

func loaded(l contract.Loaded) map[string]string {
	return map[string]string{contract.LoadedAttribute(contract.ResourceOf("haproxy")): l.String()}
}

func TestAllIsWell(t *testing.T) {
	s, _ := collector(t, nil)
	r := s.Collect(t.Context())
	require.Equal(t, status.OK, haproxyOn(t, r, "lb-3").State)
	require.Len(t, r.HAProxy, 3)
	require.Len(t, r.FloatingIPs, 1)
	require.Equal(t, "203.0.113.10", r.FloatingIPs[0].IP)
	require.Equal(t, "lb-1", r.FloatingIPs[0].Node)
	require.True(t, r.Pacemaker.Available)
	require.True(t, r.Configuration.Available)
	require.Equal(t, noon, r.Now)
	require.Equal(t, status.OK, r.State)
}

// TestSourcesThatFail: what the others know is still reported.
func TestSourcesThatFail(t *testing.T) {
	t.Run("the configuration", func(t *testing.T) {
		s, c := collector(t, nil)
		c.Fail("Query", crm.ErrPermission)
		r := s.Collect(t.Context())
		require.Equal(t, status.Degraded, r.State)
		require.Equal(t, status.Source{Error: crm.ErrPermission.Error()}, r.Configuration)
		require.Len(t, r.HAProxy, 3)
		require.Equal(t, "lb-1", r.FloatingIPs[0].Node)
		require.Empty(t, r.FloatingIPs[0].IP, "only the configuration has it")
	})
	t.Run("the configuration, which Pacemaker has saved", func(t *testing.T) {
		s, c := collector(t, nil)
		cib, err := c.Query(t.Context())
		require.NoError(t, err)
		s.SavedCIB = filepath.Join(t.TempDir(), "cib.xml")
		require.NoError(t, os.WriteFile(s.SavedCIB, cib.XML(), 0o600))
		c.Fail("Query", errors.New("nobody should ask"))
		r := s.Collect(t.Context())
		require.Equal(t, status.OK, r.State)
		require.Equal(t, "203.0.113.10", r.FloatingIPs[0].IP)
	})
	t.Run("the status", func(t *testing.T) {
		s, c := collector(t, nil)
		c.Fail("Status", crm.ErrNotRunning)
		r := s.Collect(t.Context())
		require.Equal(t, status.Unavailable, r.State)
		require.False(t, r.Denied)
		require.Equal(t, crm.ErrNotRunning.Error(), r.Pacemaker.Error)
		require.True(t, r.Configuration.Available)
		require.Empty(t, r.HAProxy)
	})
	t.Run("the right to ask for the status", func(t *testing.T) {
		s, c := collector(t, nil)
		c.Fail("Status", crm.ErrPermission)
		r := s.Collect(t.Context())
		require.Equal(t, status.Unavailable, r.State)
		require.True(t, r.Denied)
	})
	t.Run("all of Pacemaker, on a node with a HAProxy", func(t *testing.T) {
		s, c := collector(t, nil)
		deadSocket(t, s.RunDir)
		s.Node = "lb-1"
		c.Fail("Status", crm.ErrNotRunning)
		c.Fail("Query", crm.ErrNotRunning)
		r := s.Collect(t.Context())
		require.Equal(t, status.Unavailable, r.State)
		require.Equal(t, status.NotAnswering, haproxyOn(t, r, "lb-1").Is)
	})
	t.Run("the socket of this node's HAProxy", func(t *testing.T) {
		s, _ := collector(t, nil)
		deadSocket(t, s.RunDir)
		s.Node = "lb-1"
		r := s.Collect(t.Context())
		require.Equal(t, status.Failed, r.State, "it has the address")
		require.Contains(t, r.FloatingIPs[0].Unserved, "every visitor is refused")
		h := haproxyOn(t, r, "lb-1")
		require.Equal(t, status.NotAnswering, h.Is)
		require.Contains(t, h.Socket.Error, "connection refused")
		require.Nil(t, haproxyOn(t, r, "lb-2").Socket, "nobody can ask it from here")
	})
	t.Run("a socket that is not there", func(t *testing.T) {
		s, _ := collector(t, nil)
		s.Node = "LB-1.example.com"
		h := haproxyOn(t, s.Collect(t.Context()), "lb-1")
		require.Equal(t, status.Degraded, h.State)
		require.Contains(t, h.Socket.Error, "there is no "+s.RunDir)
	})
}

// deadSocket is a stats socket that nobody answers on.
func deadSocket(t *testing.T, runDir string) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(runDir, "haproxy"), 0o700))
	path := contract.FilesOf(runDir, "haproxy").StatsSocket()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
}

// Until a node is fenced Pacemaker says that its resources run there. Nobody knows.
func TestUnknownPlace(t *testing.T) {
	s, _ := collector(t, func(s *crm.Status) { s.Nodes[0].Online = false })
	r := s.Collect(t.Context())
	const why = "lb-1 is offline, and until it has been fenced Pacemaker does not know what " +
		"runs there"
	require.Equal(t, status.Failed, r.State)
	ip := r.FloatingIPs[0]
	require.Equal(t, []any{status.UnknownPlace, status.Failed, why}, []any{ip.Is, ip.State, ip.Reason})
	h := haproxyOn(t, r, "lb-1")
	require.Equal(t, []any{status.UnknownPlace, status.Degraded, why}, []any{h.Is, h.State, h.Reason},
		"others serve")
	require.Equal(t, status.Running, haproxyOn(t, r, "lb-2").Is)
}

// A constraint that keeps HAProxy off a node is there on purpose, unless a command has left it
// behind.
func TestKeptOff(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ban    crm.Location
		is     status.Is
		state  status.State
		reason string
	}{
		{"by a constraint", crm.Location{Name: "not-here", Resource: "haproxy-clone",
			Score: "-INFINITY"},
			"kept off", status.OK, "the constraint not-here keeps it off this node"},
		{"of the resource in the clone", crm.Location{Name: "not-here", Resource: "haproxy",
			Score: "-INFINITY"},
			"kept off", status.OK, "the constraint not-here keeps it off this node"},
		{"by a command", crm.Location{Name: "cli-ban-x", Resource: "haproxy-clone",
			Score: "-INFINITY"}, "kept off",
			status.Degraded, "the constraint cli-ban-x keeps it off this node: `crm resource " +
				"clear haproxy-clone` ends that"},
		{"it is only not preferred", crm.Location{Name: "a", Resource: "haproxy-clone",
			Score: "-5"}, "stopped", status.Degraded, ""},
		{"another resource is kept off", crm.Location{Name: "a", Resource: "FloatIP",
			Score: "-INFINITY"}, "stopped", status.Degraded, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.ban.Node = "lb-3"
			s, _ := collector(t, of("haproxy", "lb-3", func(r *crm.ResourceStatus) {
				r.Active, r.Node, r.Nodes, r.Role = false, "", nil, "Stopped"
			}), &tc.ban)
			r := s.Collect(t.Context())
			described(t, r)
			h := haproxyOn(t, r, "lb-3")
			require.Equal(t, []any{tc.is, tc.state, tc.reason}, []any{h.Is, h.State, h.Reason})
		})
	}
}

// TestDrift: nodes that serve different configurations, and files that are gone, need attention; an
// edit that is not loaded yet does not.
func TestDrift(t *testing.T) {
	const one, other = "0123456789ab", "ba9876543210"
	for _, tc := range []struct {
		name   string
		lb3    contract.Loaded
		state  status.State
		drift  []status.Drift
		says   string
		reason string
	}{
		{"all serve the same", contract.Loaded{Serves: one}, status.OK, []status.Drift{},
			"serves " + one, ""},
		{"an edit is not loaded yet", contract.Loaded{Serves: one, Disk: other}, status.Degraded,
			[]status.Drift{},
			"serves " + one + ", files are " + other, ""},
		{"one serves another", contract.Loaded{Serves: other}, status.Degraded, []status.Drift{{
			Resource: "haproxy", Served: []status.Served{
				{Configuration: one, Nodes: []string{"lb-1", "lb-2"}},
				{Configuration: other, Nodes: []string{"lb-3"}},
			},
		}}, "serves " + other, ""},
		{"it is not known what one serves", contract.Loaded{}, status.OK, []status.Drift{},
			"serves unknown", ""},
		{"its files are missing", contract.Loaded{Serves: one, Disk: contract.Missing},
			status.Degraded, []status.Drift{},
			"serves " + one,
			"its configuration files are missing there: HAProxy could not be started again"},
		{"its files cannot be read", contract.Loaded{Serves: one, Disk: contract.Unreadable},
			status.Degraded,
			[]status.Drift{}, "serves " + one,
			"its configuration files are unreadable there: HAProxy could not be started again"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, _ := collector(t, func(s *crm.Status) {
				for i, l := range []contract.Loaded{{Serves: one}, {Serves: one}, tc.lb3} {
					s.Nodes[i].Attributes = loaded(l)
				}
			})
			r := s.Collect(t.Context())
			require.Equal(t, tc.state, r.State)
			require.Equal(t, tc.drift, r.Drift)
			h := haproxyOn(t, r, "lb-3")
			require.Equal(t, tc.says, h.Configuration.String())
			require.Equal(t, tc.reason, h.Reason)
		})
	}
}

// described fails unless the report is what its schema says.
func described(t *testing.T, r *status.Report) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jsonout.Document{Report: r}.Write(&b))
	require.NoError(t, schemastest.Conforms([]string{"hawser", "status"}, b.Bytes()))
}

// TestInAWord has what one instance can be.
func TestInAWord(t *testing.T) {
	stopped := func(r *crm.ResourceStatus) {
		r.Active, r.Node, r.Nodes, r.Role = false, "", nil, "Stopped"
	}
	for _, tc := range []struct {
		is    status.Is
		state status.State
		how   func(r *crm.ResourceStatus)
	}{
		{"running", status.OK, func(*crm.ResourceStatus) {}},
		{"running on several nodes: lb-1, lb-2", status.Failed,
			func(r *crm.ResourceStatus) { r.Nodes = []string{"lb-1", "lb-2"} }},
		{"failed", status.Failed, func(r *crm.ResourceStatus) { r.Failed = true }},
		{"starting", status.Degraded,
			func(r *crm.ResourceStatus) { stopped(r); r.Pending = "Starting" }},
		{"stopping", status.Degraded, func(r *crm.ResourceStatus) { r.Role = "Stopping" }},
		{"stopped on purpose", status.Degraded,
			func(r *crm.ResourceStatus) { stopped(r); r.Target = "Stopped" }},
		{"stopped", status.Failed, stopped},
		{"stopped", status.Degraded, func(r *crm.ResourceStatus) { stopped(r); r.Managed = false }},
		{"degraded", status.Degraded, func(r *crm.ResourceStatus) { r.Degraded = true }},
		{"blocked", status.Failed, func(r *crm.ResourceStatus) { r.Blocked = true }},
		{"running, not managed", status.Degraded,
			func(r *crm.ResourceStatus) { r.Managed = false }},
		{"running, not configured any more", status.Degraded,
			func(r *crm.ResourceStatus) { r.Orphaned = true }},
	} {
		t.Run(string(tc.is), func(t *testing.T) {
			s, _ := collector(t, of("FloatIP", "", tc.how))
			r := s.Collect(t.Context())
			require.Equal(t, []any{tc.is, tc.state}, []any{r.FloatingIPs[0].Is,
				r.FloatingIPs[0].State})
			described(t, r)
			require.Equal(t, tc.state, r.State, "the whole is as bad as its worst part")
		})
	}
}

// The reason of a failure that is over is listed with the failures, and does not read as if it
// still were so.
func TestReasonOfWhatIsOver(t *testing.T) {
	s, _ := collector(t, func(s *crm.Status) {
		of("FloatIP", "", func(r *crm.ResourceStatus) { r.Reason = "the token was refused" })(s)
		s.Failures = []crm.Failure{{Resource: "FloatIP", Node: "lb-2", Task: "start",
			Reason: "the token was refused"}}
	})
	r := s.Collect(t.Context())
	require.Empty(t, r.FloatingIPs[0].Reason)
	require.Len(t, r.Failures, 1)
	require.Equal(t, status.Degraded, r.State)
}

// Pacemaker calls what HAProxy's keeper leaves to it a simulated failure; the keeper's own reason is
// shown. One that somebody else told Pacemaker of has no other reason.
func TestReasonOfWhatTheKeeperLeftToPacemaker(t *testing.T) {
	failure := crm.Failure{Resource: "haproxy:1", Node: "lb-2", Task: "asyncmon", Meaning: "error",
		Reason: "Simulated failure", Time: noon}
	for _, tc := range []struct {
		at     time.Time
		reason string
	}{
		{noon.Add(-2 * time.Second), "left to Pacemaker by the keeper: it keeps crashing, 3 times"},
		{noon.Add(-time.Hour), "Simulated failure"},
	} {
		s, _ := collector(t, func(s *crm.Status) {
			of("haproxy", "lb-2", func(r *crm.ResourceStatus) {
				r.Active, r.Node, r.Nodes, r.Role = false, "", nil, "Stopped"
			})(s)
			s.Failures = []crm.Failure{failure}
			s.Nodes[1].Attributes = map[string]string{
				contract.HandedOverAttribute(contract.ResourceOf("haproxy")): contract.HandedOver{
					At: tc.at, Why: "it keeps crashing, 3 times"}.String(),
			}
		})
		r := s.Collect(t.Context())
		require.Equal(t, tc.reason, r.Failures[0].Reason)
		require.Contains(t, haproxyOn(t, r, "lb-2").Reason, tc.reason)
	}
}

// TestNodesWithoutHAProxy: each node on which a cloned HAProxy does not run has a line that says
// why.
func TestNodesWithoutHAProxy(t *testing.T) {
	stopped := of("haproxy", "lb-3",
		func(r *crm.ResourceStatus) {
			r.Active, r.Node, r.Nodes, r.Role = false, "", nil, "Stopped"
		})
	for _, tc := range []struct {
		is     status.Is
		reason string
		state  status.State
		change func(*crm.Status)
	}{
		{"node offline", "", status.Degraded, func(s *crm.Status) { s.Nodes[2].Online = false }},
		{"node standby", "", status.Degraded, func(s *crm.Status) { s.Nodes[2].Standby = true }},
		{"stopped", "start of haproxy on lb-3 failed: not installed: no HAProxy", status.Degraded,
			func(s *crm.Status) {
				s.Failures = []crm.Failure{{Resource: "haproxy", Node: "lb-3", Task: "start",
					Meaning: "not installed", Reason: "no HAProxy"}}
			}},
		{"stopped", "its target role is Stopped", status.Degraded,
			of("haproxy", "", func(r *crm.ResourceStatus) { r.Target = "Stopped" })},
	} {
		t.Run(string(tc.is)+" "+tc.reason, func(t *testing.T) {
			s, _ := collector(t, func(s *crm.Status) { stopped(s); tc.change(s) })
			r := s.Collect(t.Context())
			described(t, r)
			h := haproxyOn(t, r, "lb-3")
			require.Equal(t, []any{tc.is, tc.reason, tc.state}, []any{h.Is, h.Reason, h.State})
		})
	}
	s, _ := collector(t, func(s *crm.Status) {
		s.Nodes = append(s.Nodes, crm.NodeStatus{Name: "far", Type: "remote", Online: true})
	})
	require.Len(t, s.Collect(t.Context()).HAProxy, 3,
		"a remote node without HAProxy is none of its nodes")
}

// What the nodes' agents told the cluster is read from their attributes.
func TestWhatAgentsReported(t *testing.T) {
	haproxy := contract.ResourceOf("haproxy")
	crash := contract.Crash{At: noon.Add(-time.Hour), Took: 100 * time.Millisecond, Count: 2}
	s, _ := collector(t, func(s *crm.Status) {
		s.Nodes[0].Attributes = map[string]string{
			contract.ServersAttribute(haproxy): contract.Servers{Up: 2, Draining: 1}.String(),
			contract.CrashAttribute(haproxy):   crash.String(),
		}
		s.Nodes[1].Attributes = map[string]string{
			contract.ServersAttribute(haproxy): contract.Servers{Down: 3}.String(),
			contract.CrashAttribute(haproxy):   "nonsense",
		}
	})
	r := s.Collect(t.Context())
	one, two, three := haproxyOn(t, r, "lb-1"), haproxyOn(t, r, "lb-2"), haproxyOn(t, r, "lb-3")
	require.Equal(t, &status.Servers{Up: 2, Draining: 1}, one.Servers)
	require.Equal(t, 2, one.Crash.Count)
	require.InDelta(t, 0.1, one.Crash.TookSeconds, 0.01)
	require.Equal(t, status.Degraded, two.State, "it answers every client with an error")
	require.Nil(t, two.Crash)
	require.Nil(t, three.Servers)
}

// Fencing that is on without a device leaves Pacemaker idle, and a cluster without quorum, DC or
// out of maintenance decides nothing.
func TestTheClusterItself(t *testing.T) {
	for name, change := range map[string]func(*crm.Status){
		"no quorum":           func(s *crm.Status) { s.Quorum = false },
		"no DC":               func(s *crm.Status) { s.DC = "" },
		"maintenance":         func(s *crm.Status) { s.Maintenance = true },
		"a node is unclean":   func(s *crm.Status) { s.Nodes[2].Unclean = true },
		"a node is joining":   func(s *crm.Status) { s.Nodes[2].Pending = true },
		"a node shuts down":   func(s *crm.Status) { s.Nodes[2].Shutdown = true },
		"a node is in repair": func(s *crm.Status) { s.Nodes[2].Maintenance = true },
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := collector(t, change)
			require.Equal(t, status.Degraded, s.Collect(t.Context()).State)
		})
	}
	s, c := collector(t, nil)
	require.NoError(t, c.Edit(&crm.Property{Name: "stonith-enabled", Value: "true"}))
	r := s.Collect(t.Context())
	require.True(t, r.Pacemaker.Unfenced)
	require.Empty(t, r.Pacemaker.NotFenced, "without a device that goes without saying")

	require.NoError(t, c.Edit(&crm.Primitive{
		Name: "fence", Class: "stonith", Type: "external/ssh",
		Params: crm.Attrs{{Name: "pcmk_host_list", Value: "lb-1 lb-2"}},
	}))
	r = s.Collect(t.Context())
	require.False(t, r.Pacemaker.Unfenced)
	require.Equal(t, []string{"lb-3"}, r.Pacemaker.NotFenced)
	require.Len(t, r.Pacemaker.Fencers, 1)
}
