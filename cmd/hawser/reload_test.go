package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/cluster/rollout"
	"github.com/hawser-ha/hawser/cluster/status"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/haproxy"
)

// answering is a cluster whose nodes answer a reload as the test says.
type answering struct {
	*crmtest.Fake
	status *crm.Status
	// answers is called with the generation that the configuration has, and changes the status as the nodes would.
	answers  func(s *crm.Status, generation string)
	forecast crm.Forecast
	// probed is set while Pacemaker would restart what it has found running.
	probed bool
	forgot []string
	// forgets is the error of removing that.
	forgets error
}

func (c *answering) generation(t *testing.T) string {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	o, _ := cib.Object("haproxy")
	word, _ := o.(*crm.Primitive).Params.Get(contract.ParamGeneration)
	return word
}

func (c *answering) Status(ctx context.Context) (*crm.Status, error) {
	cib, err := c.Query(ctx)
	if err != nil {
		return nil, err
	}
	o, _ := cib.Object("haproxy")
	if p, ok := o.(*crm.Primitive); ok && c.answers != nil {
		if word, ok := p.Params.Get(contract.ParamGeneration); ok {
			c.answers(c.status, word)
		}
	}
	return c.status, nil
}

func (c *answering) Check(ctx context.Context, p crm.Plan) (crm.Forecast, error) {
	if _, err := c.Fake.Check(ctx, p); err != nil && !errors.Is(err, crm.ErrNoFencing) {
		return crm.Forecast{}, err
	}
	if c.probed {
		return crm.Forecast{Actions: []crm.Action{{Task: "restart", Resource: "haproxy:1", Node: "lb-2"}}}, nil
	}
	return c.forecast, nil
}

func (c *answering) ForgetProbe(_ context.Context, resource, node string) error {
	c.forgot = append(c.forgot, resource+" "+node)
	c.probed = c.forgets != nil
	return c.forgets
}

// says makes a node tell what it has taken.
func says(s *crm.Status, node string, t contract.Loaded) {
	for i := range s.Nodes {
		if s.Nodes[i].Name == node {
			s.Nodes[i].Attributes[contract.LoadedAttribute(contract.ResourceOf("haproxy"))] = t.String()
		}
	}
}

const oldHash = "0123456789ab"

// reloadable is a cluster of two nodes that run HAProxy with a configuration of this machine.
func reloadable(t *testing.T) (c *answering, sys *system, stdout, stderr *bytes.Buffer) {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, []byte("defaults\n"), 0o600))
	fake := crmtest.New("lb-1", "lb-2")
	require.NoError(t, fake.Edit(
		&crm.Primitive{Name: "haproxy", Class: "ocf", Provider: "hawser", Type: "haproxy", Params: crm.Attrs{{Name: "conffile", Value: conf}}},
		&crm.Clone{Name: "haproxy-clone", Resource: "haproxy"}))
	c = &answering{Fake: fake, status: healthy()}
	for _, n := range []string{"lb-1", "lb-2"} {
		says(c.status, n, contract.Loaded{Serves: oldHash})
	}
	c.answers = func(s *crm.Status, generation string) {
		for _, n := range []string{"lb-1", "lb-2"} {
			says(s, n, contract.Loaded{Serves: cmp.Or(contract.Demanded(generation), "0123456789ab"), Generation: generation, Worker: noon})
		}
	}
	sys, stdout, stderr = testSystem(t, c)
	return c, sys, stdout, stderr
}

func hashHere(t *testing.T, c *answering) string {
	t.Helper()
	cib, err := c.Query(t.Context())
	require.NoError(t, err)
	o, _ := cib.Object("haproxy")
	sources, err := haproxy.ReadSources([]string{inventory.ConfigOf(o.(*crm.Primitive))})
	require.NoError(t, err)
	return haproxy.Hash(sources)
}

func TestReload(t *testing.T) {
	c, sys, stdout, stderr := reloadable(t)
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes"}, sys), stderr.String())
	hash := hashHere(t, c)
	require.Contains(t, stdout.String(), "Reloading haproxy (")
	require.Contains(t, stdout.String(), ") on lb-1, lb-2.\nThe configuration to be served is "+hash)
	require.Contains(t, stdout.String(), "  lb-2  taken  "+oldHash+" -> "+hash+"  worker 0s old\n")
	require.Empty(t, stderr.String())
	require.Equal(t, 1, c.Applied())
	first := c.generation(t)
	require.Equal(t, hash, contract.Demanded(first))

	stdout.Reset()
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes", "--json", "--differing", "haproxy-clone"}, sys))
	require.NotEqual(t, first, c.generation(t))
	require.Empty(t, contract.Demanded(c.generation(t)))
	var report rollout.ReloadReport
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), stdout.String())
	require.Equal(t, "haproxy", report.Resource)
	require.Len(t, report.Nodes, 2)
	require.Equal(t, hash, report.Nodes[1].Before)
	require.Equal(t, rollout.Taken, report.Nodes[1].State)
}

func TestReloadOfWhatANodeDoesNotTake(t *testing.T) {
	for _, tc := range []struct {
		name    string
		answers func(s *crm.Status, generation string)
		code    int
		state   rollout.NodeState
		want    string
	}{
		{"it is broken there", func(s *crm.Status, g string) {
			says(s, "lb-2", contract.Loaded{Serves: oldHash, Disk: "1", Asked: g, Pending: "unknown keyword 'bogus'"})
		}, exitDegraded, rollout.Kept, "hawser: lb-2 keeps serving the previous configuration: " +
			"unknown keyword 'bogus'\n"},
		{"HAProxy was started there with other files", func(s *crm.Status, g string) {
			says(s, "lb-2", contract.Loaded{Serves: oldHash, Generation: g})
		}, exitDegraded, rollout.Differs, "lb-2 serves a different configuration"},
		{"its agent does not answer", func(s *crm.Status, _ string) {
			says(s, "lb-2", contract.Loaded{Serves: oldHash})
		}, exitTimeout, rollout.NoAnswer, "lb-2 has not answered within"},
		{"it does not answer, and another refuses", func(s *crm.Status, g string) {
			says(s, "lb-2", contract.Loaded{Serves: oldHash})
			says(s, "lb-1", contract.Loaded{Serves: oldHash, Asked: g, Pending: "bogus"})
		}, exitTimeout, rollout.NoAnswer, "lb-1 keeps serving the previous configuration: bogus"},
		{"it goes into standby", func(s *crm.Status, _ string) { s.Nodes[1].Standby = true }, exitOK, rollout.Left, ""},
		{"it goes offline", func(s *crm.Status, _ string) {
			s.Nodes[1] = crm.NodeStatus{Name: "lb-2"}
			s.Resources = s.Resources[:2]
		}, exitOK, rollout.Left, ""},
		{"it shuts down", func(s *crm.Status, _ string) { s.Nodes[1].Shutdown = true }, exitOK, rollout.Left, ""},
		{"the resource is stopped", func(s *crm.Status, _ string) {
			says(s, "lb-2", contract.Loaded{})
			s.Resources[2].Active, s.Resources[2].Target = false, "Stopped"
		}, exitOK, rollout.Left, ""},
		{"HAProxy fails there", func(s *crm.Status, _ string) {
			says(s, "lb-2", contract.Loaded{})
			s.Resources[2].Active = false
			s.Failures = []crm.Failure{{Resource: "haproxy", Node: "lb-2", Task: "start", Meaning: "not installed", Reason: "no HAProxy", Time: noon}}
		}, exitResource, rollout.NodeFailed, "lb-2: start of haproxy on lb-2 failed: not installed: no HAProxy"},
		{"it is put into maintenance", func(s *crm.Status, _ string) { s.Resources[2].Managed = false }, exitDegraded, rollout.Unmanaged, "lb-2: it is not managed"},
		{"it is removed from the cluster", func(s *crm.Status, _ string) { s.Nodes = s.Nodes[:1] }, exitOK, rollout.Left, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, sys, stdout, stderr := reloadable(t)
			well := c.answers
			c.answers = func(s *crm.Status, g string) {
				well(s, g)
				tc.answers(s, g)
			}
			limit := "1m"
			if tc.code == exitTimeout {
				limit = "1s"
			}
			require.Equal(t, tc.code, run([]string{"hawser", "reload", "--yes", "--json", "--timeout", limit}, sys), stderr.String())
			require.Contains(t, stderr.String(), tc.want)
			var report rollout.ReloadReport
			require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), stdout.String())
			require.Equal(t, tc.state, report.Nodes[1].State)
		})
	}
}

func TestReloadThatIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, c *answering, sys *system)
		args   string
		code   int
		want   string
	}{
		{"no terminal", nil, "", exitUsage, "there is no terminal to ask on: use --yes"},
		{"an unknown resource", nil, "--yes web", exitUsage, "there is no HAProxy web in the cluster's configuration; it has haproxy"},
		{"two arguments", nil, "--yes haproxy web", exitUsage, `not also "web"`},
		{"no time", nil, "--yes --timeout 0s", exitUsage, "want a time longer than nothing"},
		{"several", func(t *testing.T, c *answering, _ *system) {
			require.NoError(t, c.Edit(&crm.Primitive{Name: "other", Class: "ocf", Provider: "hawser", Type: "haproxy"}))
		}, "--yes", exitUsage, "reload which HAProxy? The cluster has haproxy, other"},
		{"something else", func(t *testing.T, c *answering, _ *system) {
			require.NoError(t, c.Edit(&crm.Primitive{Name: "FloatIP", Class: "ocf", Provider: "hawser", Type: "floatip"}))
		}, "--yes FloatIP", exitUsage, "FloatIP is no HAProxy"},
		{"none", func(t *testing.T, c *answering, _ *system) {
			require.NoError(t, c.Delete("haproxy-clone", "haproxy"))
		}, "--yes", exitUsage, "has no HAProxy"},
		{"a file", func(_ *testing.T, _ *answering, sys *system) { sys.Running = false }, "--yes", exitUsage, "there is no cluster behind"},
		{"HAProxy refuses the configuration", func(_ *testing.T, _ *answering, sys *system) {
			sys.CheckHAProxy = func(context.Context, preflight.HAProxy) error {
				return errors.New("HAProxy refuses it: unknown keyword 'bogus'")
			}
		}, "--yes", exitUsage, "unknown keyword 'bogus'; nothing was changed"},
		{"no configuration here", func(t *testing.T, c *answering, _ *system) {
			cib, err := c.Query(t.Context())
			require.NoError(t, err)
			o, _ := cib.Object("haproxy")
			require.NoError(t, os.Remove(inventory.ConfigOf(o.(*crm.Primitive))))
		}, "--yes", exitUsage, "no such file or directory"},
		{"it is edited meanwhile", func(_ *testing.T, _ *answering, sys *system) {
			sys.CheckHAProxy = func(_ context.Context, h preflight.HAProxy) error {
				return os.WriteFile(h.Config, []byte("global\n"), 0o600)
			}
		}, "--yes", exitUsage, "was edited while it was checked"},
		{"it runs nowhere", func(_ *testing.T, c *answering, _ *system) {
			c.status.Resources = c.status.Resources[:1]
		}, "--yes", exitResource, "haproxy is not running on any node where Pacemaker would " +
			"reload it"},
		{"maintenance", func(_ *testing.T, c *answering, _ *system) {
			c.status.Resources[1].Managed, c.status.Resources[2].Managed = false, false
		}, "--yes", exitResource, "lb-2: it is not managed"},
		{"Pacemaker would restart it", func(_ *testing.T, c *answering, _ *system) {
			c.forecast.Actions = []crm.Action{{Task: "reload", Resource: "haproxy:0", Node: "lb-1"}, {Task: "restart", Resource: "haproxy:1", Node: "lb-2"}}
		}, "--yes", exitFailed, "Pacemaker would restart haproxy on lb-2"},
		{"not root", func(_ *testing.T, c *answering, _ *system) { c.Fail("Query", crm.ErrPermission) }, "--yes", exitPermission, ""},
		{"Pacemaker is down", func(_ *testing.T, c *answering, _ *system) { c.Fail("Query", crm.ErrNotRunning) }, "--yes", exitUnavailable, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, sys, _, stderr := reloadable(t)
			c.answers = nil
			if tc.change != nil {
				tc.change(t, c, sys)
			}
			require.Equal(t, tc.code, run(append([]string{"hawser", "reload"}, strings.Fields(tc.args)...), sys), stderr.String())
			require.Contains(t, stderr.String(), tc.want)
			require.Zero(t, c.Applied())
		})
	}
}

func TestReloadAsks(t *testing.T) {
	c, sys, _, stderr := reloadable(t)
	sys.interactive, sys.stdin = true, strings.NewReader("n\n")
	require.Equal(t, exitFailed, run([]string{"hawser", "reload"}, sys))
	require.Contains(t, stderr.String(), "Reload? [y/N]")
	require.Zero(t, c.Applied())
	sys.stdin = strings.NewReader("y\n")
	require.Equal(t, exitOK, run([]string{"hawser", "reload"}, sys))
}

// TestReloadWhereAProbeFoundItRunning: the record of the probe is removed, and the reload is one.
func TestReloadWhereAProbeFoundItRunning(t *testing.T) {
	c, sys, _, stderr := reloadable(t)
	c.probed = true
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes"}, sys), stderr.String())
	require.Equal(t, []string{"haproxy lb-2"}, c.forgot)
	require.Empty(t, stderr.String())

	c.probed, c.forgets = true, crm.ErrPermission
	require.Equal(t, exitPermission, run([]string{"hawser", "reload", "--yes"}, sys))
	require.Equal(t, 1, c.Applied())
	c.probed, c.forgets = false, nil
	stderr.Reset()

	c.forecast.Actions = []crm.Action{{Task: "restart", Resource: "haproxy", Node: "lb-2"}}
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes", "--force"}, sys))
	require.Contains(t, stderr.String(), "warning: Pacemaker would restart haproxy on lb-2")
}

// TestReloadWhileTheConfigurationChanges: a stale plan is made again, whatever else was edited.
func TestReloadWhileTheConfigurationChanges(t *testing.T) {
	c, sys, _, stderr := reloadable(t)
	c.Fail("Apply", crm.ErrStale)
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes"}, sys), stderr.String())
	require.Equal(t, 1, c.Applied())
}

// A reload that was not asked for has no report; what was written in its place is for the error to say.
func TestReloadThatWasNotWritten(t *testing.T) {
	c, sys, stdout, stderr := reloadable(t)
	c.Fail("Apply", crm.ErrNoQuorum)
	require.Equal(t, exitUnavailable, run([]string{"hawser", "reload", "--yes", "--json"}, sys))
	require.NotContains(t, stdout.String(), `"nodes"`)
	require.Contains(t, stdout.String(), `"kind": "unavailable"`)
	require.Contains(t, stderr.String(), "no quorum")
}

func TestStatusShowsDrift(t *testing.T) {
	c, sys, stdout, _ := reloadable(t)
	sys.Node = "lb-9"
	const other = "ba9876543210"
	require.Equal(t, exitOK, runStatus(t, sys))
	require.Contains(t, stdout.String(), "serves "+oldHash+"\n")
	require.NotContains(t, stdout.String(), "different")

	stdout.Reset()
	says(c.status, "lb-2", contract.Loaded{Serves: oldHash, Disk: other, OldWorkers: 2, Conns: 37})
	require.Equal(t, exitDegraded, runStatus(t, sys), "an edit that is not loaded is forgotten otherwise")
	require.Contains(t, stdout.String(), "2 old workers draining (37 connections)\n      serves "+oldHash+", files are "+other+"\n")
	require.Contains(t, stdout.String(), "files were changed and not loaded on lb-2: `hawser reload`")

	stdout.Reset()
	says(c.status, "lb-2", contract.Loaded{Disk: other})
	require.Equal(t, exitDegraded, runStatus(t, sys))
	require.Contains(t, stdout.String(), "it is not known what HAProxy serves on lb-2: `hawser reload` there")
	require.NotContains(t, stdout.String(), "not loaded")

	stdout.Reset()
	says(c.status, "lb-2", contract.Loaded{Serves: other})
	require.Equal(t, exitDegraded, runStatus(t, sys))
	require.Contains(t, stdout.String(), "haproxy serves different configurations: "+oldHash+" on lb-1; "+other+" on\n  lb-2\n")

	stdout.Reset()
	require.Equal(t, exitDegraded, runStatus(t, sys, "--json"))
	var report status.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	require.Equal(t, []status.Drift{{Resource: "haproxy", Served: []status.Served{
		{Configuration: oldHash, Nodes: []string{"lb-1"}}, {Configuration: other, Nodes: []string{"lb-2"}}}}}, report.Drift)

	stdout.Reset()
	says(c.status, "lb-2", contract.Loaded{Serves: oldHash, Disk: contract.Missing})
	require.Equal(t, exitDegraded, runStatus(t, sys))
	require.Contains(t, unwrapped(stdout.String()), "its configuration files are missing there: HAProxy could not be started again")
}

// A rollback where nothing has been kept names the nodes that have kept something.
func TestRollbackOnTheWrongNode(t *testing.T) {
	c, sys, _, stderr := reloadable(t)
	rollback := []string{"hawser", "reload", "--rollback", "--yes"}
	require.Equal(t, exitUsage, run(rollback, sys))
	require.Contains(t, stderr.String(), "No node has reported one")
	stderr.Reset()
	says(c.status, "lb-2", contract.Loaded{Serves: oldHash, Previous: true})
	require.Equal(t, exitUsage, run(rollback, sys))
	require.Contains(t, stderr.String(), "Run this on lb-2, which has one")
	require.Zero(t, c.Applied())
}

// A reload says how long the connections from before it may go on.
func TestReloadShowsWhenConnectionsAreCut(t *testing.T) {
	c, sys, stdout, stderr := reloadable(t)
	c.answers = func(s *crm.Status, generation string) {
		for _, n := range []string{"lb-1", "lb-2"} {
			says(s, n, contract.Loaded{Serves: cmp.Or(contract.Demanded(generation), "0123456789ab"), Generation: generation, Worker: noon,
				OldWorkers: 1, Conns: 3, Cut: sys.Now().Add(23*time.Hour + 59*time.Minute)})
		}
	}
	require.Equal(t, exitOK, run([]string{"hawser", "reload", "--yes"}, sys), stderr.String())
	require.Contains(t, stdout.String(), "1 old worker draining (3 connections, cut in 23h59m)")
}
