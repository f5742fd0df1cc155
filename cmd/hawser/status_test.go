package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/host"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/share/schemas/schemastest"
)

// told is a cluster that says what the test wants it to.
type told struct {
	*crmtest.Fake
	status    *crm.Status
	statusErr error
	queryErr  error
}

func (c *told) Status(context.Context) (*crm.Status, error) { return c.status, c.statusErr }

func (c *told) Query(ctx context.Context) (*crm.CIB, error) {
	if c.queryErr != nil {
		return nil, c.queryErr
	}
	return c.Fake.Query(ctx)
}

var noon = time.Date(2030, 5, 6, 12, 0, 0, 0, time.UTC)

// testSystem is a machine lb-1 without terminal, whose output is kept.
func testSystem(t *testing.T, c crm.Cluster) (sys *system, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &system{
		host.Host{Cluster: c, Running: true, RunDir: t.TempDir(), Node: "lb-1", Now: func() time.Time { return noon },
			CheckHAProxy: func(context.Context, preflight.HAProxy) error { return nil },
			Votes:        func(context.Context) (corosync.Quorum, error) { return corosync.Quorum{}, corosync.ErrNotRunning }},
		terminal{stdin: strings.NewReader(""), stdout: stdout, stderr: stderr},
	}, stdout, stderr
}

// unwrapped is what was printed, with each row of a table in one line.
func unwrapped(text string) string {
	return regexp.MustCompile(`\n {6,}`).ReplaceAllString(text, " ")
}

func healthy() *crm.Status {
	ran := func(node string) crm.ResourceStatus {
		return crm.ResourceStatus{ID: "haproxy", Parent: "haproxy-clone", Agent: "ocf:hawser:haproxy", Role: "Started", Node: node, Nodes: []string{node},
			Active: true, Managed: true, Since: noon.Add(-2*time.Hour - 5*time.Minute)}
	}
	return &crm.Status{Pacemaker: "2.1.5", DC: "lb-2", Quorum: true,
		Nodes: []crm.NodeStatus{
			{Name: "lb-1", Online: true, Attributes: map[string]string{"hawser-haproxy": "up=2,down=0,draining=0"}},
			{Name: "lb-2", Online: true, DC: true, Attributes: map[string]string{"hawser-haproxy": "up=1,down=1,draining=3"}},
		},
		Resources: []crm.ResourceStatus{
			{ID: "FloatIP", Agent: "ocf:hawser:floatip", Role: "Started", Node: "lb-1", Nodes: []string{"lb-1"}, Active: true, Managed: true, Since: noon.Add(-3 * time.Minute)},
			ran("lb-1"), ran("lb-2"),
		}}
}

func tutorialCluster(t *testing.T, status *crm.Status, err error) *told {
	t.Helper()
	fake := crmtest.New("lb-1", "lb-2")
	require.NoError(t, fake.Edit(&crm.Primitive{Name: "FloatIP", Class: "ocf", Provider: "hawser", Type: "floatip",
		Params: crm.Attrs{{Name: "floating_ip", Value: "203.0.113.10"}}}))
	return &told{Fake: fake, status: status, statusErr: err}
}

// runStatus returns the exit code and what was printed, with the times in the zone of noon.
func runStatus(t *testing.T, sys *system, args ...string) int {
	t.Helper()
	local := time.Local
	time.Local = time.UTC
	defer func() { time.Local = local }()
	return run(append([]string{"hawser", "status"}, args...), sys)
}

func TestStatus(t *testing.T) {
	down := &crm.ToolError{Tool: "crm_mon", Code: 102, Message: "cannot ask for the cluster's status: Pacemaker does not answer", Err: crm.ErrNotRunning}
	for _, tc := range []struct {
		name   string
		change func(*crm.Status)
		err    error
		code   int
		want   string
	}{
		{"all well", func(*crm.Status) {}, nil, exitOK, `
OK (lb-9, 12:00:00): 203.0.113.10 on lb-1 for 3m0s, 2 of 2 nodes ready

Cluster
  Pacemaker  2.1.5  DC lb-2
  Quorum     yes
  Fencing    off    nothing guarantees that an unreachable node is down

Nodes
  lb-1  online
  lb-2  online  DC

HAProxy
  lb-1  haproxy  running  since 09:55:00 (2h5m)  2 servers up
  lb-2  haproxy  running  since 09:55:00 (2h5m)  1 server up, 1 down, 3 draining

Floating IPs
  FloatIP  203.0.113.10  on lb-1  since 11:57:00 (3m0s)
`},
		{"a node is lost, one HAProxy degraded", func(s *crm.Status) {
			s.Fencing = true
			s.Resources = append(s.Resources[:2], crm.ResourceStatus{ID: "fence", Agent: "stonith:external/ssh", Role: "Started", Node: "lb-1", Nodes: []string{"lb-1"}, Active: true, Managed: true})
			s.Nodes[1] = crm.NodeStatus{Name: "lb-2", Unclean: true}
			s.DC = "lb-1"
			s.Nodes[0].DC = true
			s.Resources[1].Degraded, s.Resources[1].Reason = true, "HAProxy refuses the configuration"
		}, nil, exitDegraded, `
ATTENTION (lb-9, 12:00:00): 203.0.113.10 is served by lb-1, but HAProxy is
degraded on lb-1; lb-2 is offline, unclean

Cluster
  Pacemaker  2.1.5          DC lb-1
  Quorum     yes
  Fencing    fence on lb-1

Nodes
  lb-1  online            DC
  lb-2  offline, unclean

HAProxy
  lb-1  haproxy  degraded      since 09:55:00 (2h5m)  2 servers up
      HAProxy refuses the configuration
  lb-2  haproxy  node offline

Floating IPs
  FloatIP  203.0.113.10  on lb-1  since 11:57:00 (3m0s)
`},
		{"nothing runs", func(s *crm.Status) {
			s.Quorum, s.DC, s.Maintenance = false, "", true
			s.Nodes[1].Standby = true
			s.Nodes[1].DC = false
			s.Resources = []crm.ResourceStatus{
				{ID: "FloatIP", Agent: "ocf:hawser:floatip", Role: "Stopped", Managed: true},
				{ID: "haproxy", Parent: "haproxy-clone", Agent: "ocf:hawser:haproxy", Role: "Stopped", Managed: true},
				{ID: "web", Agent: "ocf:heartbeat:nginx", Role: "Started", Active: true, Managed: true, Node: "lb-1", Nodes: []string{"lb-1"}},
			}
			s.Failures = []crm.Failure{{Resource: "haproxy", Node: "lb-1", Task: "start", Code: 5, Meaning: "not installed", Status: "complete",
				Reason: "there is no HAProxy here", Time: noon.Add(-time.Minute)}}
		}, nil, exitResource, `
FAILED (lb-9, 12:00:00): no quorum HERE: this node sees 2 of 2 nodes;
203.0.113.10 is not served from here; HAProxy is stopped on lb-1; maintenance
mode is on, nothing is recovered: ` + "`hawser maintenance off`" + ` ends it; and 2 more

Cluster
  Pacemaker    2.1.5  DC (none)
  Quorum       no     this partition has no quorum: nothing is started or moved
  Fencing      off    nothing guarantees that an unreachable node is down
  Maintenance  on     nothing is started or stopped: ` + "`hawser maintenance off`" + `

Nodes
  lb-1  online
  lb-2  online, standby  ` + "`hawser online lb-2`" + ` ends it

HAProxy
  lb-1  haproxy  stopped       start of haproxy on lb-1 failed: not installed:
                               there is no HAProxy here
  lb-2  haproxy  node standby

Floating IPs
  FloatIP  203.0.113.10  stopped

Other resources
  web  ocf:heartbeat:nginx  running  on lb-1

Failed actions
  start of haproxy on lb-1: not installed: there is no HAProxy here, at
      11:59:00 (1m0s)
  (` + "`hawser cleanup`" + ` clears them)
`},
		{"the address is stopped on purpose", func(s *crm.Status) {
			s.Resources[0] = crm.ResourceStatus{ID: "FloatIP", Agent: "ocf:hawser:floatip", Role: "Stopped", Target: "Stopped", Managed: true}
		}, nil, exitDegraded, ""},
		{"on two nodes at once", func(s *crm.Status) { s.Resources[0].Nodes = []string{"lb-1", "lb-2"} }, nil, exitResource, ""},
		{"the address is on its way", func(s *crm.Status) { s.Resources[0].Role = "Stopping" }, nil, exitDegraded, ""},
		{"every server is down", func(s *crm.Status) {
			s.Nodes[0].Attributes = map[string]string{"hawser-haproxy": "up=0,down=2,draining=0"}
		}, nil, exitResource, ""},
		{"not managed", func(s *crm.Status) { s.Resources[0].Managed = false }, nil, exitDegraded, ""},
		{"a stop failed", func(s *crm.Status) { s.Resources[0].Failed, s.Resources[0].Blocked = true, true }, nil, exitResource, ""},
		{"not root", func(*crm.Status) {}, crm.ErrPermission, exitPermission, ""},
		{"Pacemaker is down", func(*crm.Status) {}, down, exitUnavailable, `
UNKNOWN (lb-9, 12:00:00): Pacemaker does not answer on this node, and the other
nodes may be serving: ask there

Cluster
  Pacemaker  unavailable  cannot ask for the cluster's status: Pacemaker does
                          not answer

HAProxy
  unknown: Pacemaker is unavailable, and no agent's HAProxy runs on this node

Floating IPs
  unknown: Pacemaker is unavailable
`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := healthy()
			tc.change(now)
			cluster := tutorialCluster(t, now, tc.err)
			if now.Fencing {
				require.NoError(t, cluster.Edit(&crm.Primitive{Name: "fence", Class: "stonith", Type: "external/ssh"}))
			}
			if tc.err != nil {
				cluster.queryErr = tc.err
			}
			sys, stdout, stderr := testSystem(t, cluster)
			sys.Node = "lb-9" // a node without a HAProxy of its own
			require.Equal(t, tc.code, runStatus(t, sys))
			require.Empty(t, stderr.String())
			if tc.want != "" {
				require.Equal(t, strings.TrimPrefix(tc.want, "\n"), stdout.String())
			}

			sys, stdout, _ = testSystem(t, cluster)
			sys.Node = "lb-9"
			require.Equal(t, tc.code, runStatus(t, sys, "--json"))
			require.NoError(t, schemastest.Conforms([]string{"hawser", "status"}, stdout.Bytes()))
			var report status.Report
			require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
			if tc.code != exitPermission {
				require.Equal(t, tc.code, statusCode(&report))
			}
			require.Equal(t, tc.err == nil, report.Pacemaker.Available)
		})
	}
}

func TestStatusWithoutConfiguration(t *testing.T) {
	cluster := tutorialCluster(t, healthy(), nil)
	cluster.queryErr = crm.ErrPermission
	sys, stdout, _ := testSystem(t, cluster)
	require.Equal(t, exitDegraded, runStatus(t, sys))
	require.Contains(t, stdout.String(), "  CIB        unavailable  permission denied\n")
	require.Contains(t, stdout.String(), "  FloatIP  on lb-1  since 11:57:00 (3m0s)\n")
}

func TestStatusReadsWhatPacemakerSaves(t *testing.T) {
	cluster := tutorialCluster(t, healthy(), nil)
	cib, err := cluster.Query(t.Context())
	require.NoError(t, err)
	cluster.queryErr = errors.New("asked")
	sys, stdout, _ := testSystem(t, cluster)
	sys.Node = "lb-9"
	sys.SavedCIB = filepath.Join(t.TempDir(), "cib.xml")
	require.Equal(t, exitDegraded, runStatus(t, sys), "what is not there is asked for")
	require.Contains(t, stdout.String(), "asked")

	require.NoError(t, os.WriteFile(sys.SavedCIB, cib.XML(), 0o600))
	stdout.Reset()
	require.Equal(t, exitOK, runStatus(t, sys))
	require.Contains(t, stdout.String(), "  FloatIP  203.0.113.10  on lb-1  ")
}

func TestStatusColours(t *testing.T) {
	sys, stdout, _ := testSystem(t, tutorialCluster(t, healthy(), nil))
	sys.Node = "lb-9"
	sys.colour = true
	require.Equal(t, exitOK, runStatus(t, sys))
	require.Contains(t, stdout.String(), "\x1b[1mNodes\x1b[0m\n  lb-1  \x1b[32monline\x1b[0m\n  lb-2  \x1b[32monline\x1b[0m  DC\n")
}

// TestStatusOfALocalHAProxy asks a real one.
func TestStatusOfALocalHAProxy(t *testing.T) {
	sys, stdout, _ := testSystem(t, tutorialCluster(t, healthy(), nil))
	startHAProxy(t, filepath.Join(sys.RunDir, "haproxy"))
	require.NoError(t, os.Mkdir(filepath.Join(sys.RunDir, "FloatIP"), 0o700)) // an instance without sockets
	require.Equal(t, exitOK, runStatus(t, sys))
	require.Contains(t, stdout.String(), "  lb-1  haproxy  running  since 09:55:00 (2h5m)  1 server up, 1 draining\n      0 sessions\n")

	stdout.Reset()
	require.Equal(t, exitOK, runStatus(t, sys, "--json"))
	var report status.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	h := report.HAProxy[0]
	require.Equal(t, "lb-1", h.Node)
	require.True(t, h.Socket.Available)
	require.Equal(t, &status.Servers{Up: 1, Draining: 1}, h.Servers)
	require.NotEmpty(t, h.Process.Version)
	require.Positive(t, h.Process.PID)
	require.Nil(t, report.HAProxy[1].Process)

	// Pacemaker's failure does not hide it.
	sys.Cluster = tutorialCluster(t, nil, crm.ErrNotRunning)
	stdout.Reset()
	require.Equal(t, exitUnavailable, runStatus(t, sys))
	require.Contains(t, stdout.String(), "  lb-1  haproxy  running  1 server up, 1 draining  0 sessions\n")
}

// TestStatusOfADeadHAProxy has a socket that nobody answers on.
func TestStatusOfADeadHAProxy(t *testing.T) {
	sys, stdout, _ := testSystem(t, tutorialCluster(t, healthy(), nil))
	dir := filepath.Join(sys.RunDir, "haproxy")
	require.NoError(t, os.Mkdir(dir, 0o700))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "stats.sock")})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	require.Equal(t, exitResource, runStatus(t, sys), "it has the address")
	require.Contains(t, stdout.String(), "HAProxy is not answering there: every visitor is refused")
	require.Contains(t, stdout.String(), "not answering")
	require.Contains(t, stdout.String(), "stats socket unavailable: ")
	require.Contains(t, unwrapped(stdout.String()), "connection refused")
	require.Contains(t, stdout.String(), "2 servers up", "what the agent told the cluster is still said")
}

// startHAProxy runs HAProxy with the sockets that the agent gives it.
func startHAProxy(t *testing.T, dir string) {
	t.Helper()
	program := needs.Command(t, "haproxy")
	require.NoError(t, os.Mkdir(dir, 0o700))
	cfg := filepath.Join(t.TempDir(), "haproxy.cfg")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	require.NoError(t, os.WriteFile(cfg, fmt.Appendf(nil, `global
	stats socket %s/stats.sock mode 600 level admin
defaults
	mode http
	timeout connect 1s
	timeout client 5s
	timeout server 5s
frontend web
	bind %s
	default_backend app
backend app
	server app-1 127.0.0.1:9
	server app-2 127.0.0.1:9 disabled
`, dir, address), 0o600))
	cmd := exec.Command(program, "-W", "-db", "-f", cfg, "-S", filepath.Join(dir, "master.sock"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("unix", filepath.Join(dir, "stats.sock"))
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	}, 10*time.Second, 10*time.Millisecond)
}
