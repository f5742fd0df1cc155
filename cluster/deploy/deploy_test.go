package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// noon is when the tests begin, after everything in the fake's status.
var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// simple needs no file of this machine.
const simple = "fencing: off\nhaproxy: {}\nfloating_ips: [{name: FloatIP, ip: 192.0.2.10, " +
	"provider: lan}]\n"

// deployer has a cluster of two nodes whose checks on this machine find nothing.
func deployer() (*Deployer, *crmtest.Fake) {
	c := crmtest.New("lb-1", "lb-2")
	votes := func(context.Context) (corosync.Quorum, error) {
		return corosync.Quorum{}, corosync.ErrNotRunning
	}
	return &Deployer{
		Cluster: c, Running: true,
		Node:  preflight.Node{HAProxy: func(context.Context, preflight.HAProxy) error { return nil }},
		Facts: fencing.Sources{Cluster: c, Live: true, Node: "lb-1", Votes: votes},
	}, c
}

func parse(t *testing.T, text string) *config.File {
	t.Helper()
	file, err := config.Parse("hawser.yaml", []byte(text))
	require.NoError(t, err)
	return file
}

// Diff is what a file changes.
func Diff(file *config.File, cib *crm.CIB, taken ...string) (crm.Plan, error) {
	return new(Deployer).Diff(file, cib, taken...)
}

// deployed is a cluster in which simple was applied, with the plan that did it.
func deployed(t *testing.T) (*Deployer, *crmtest.Fake, Plan) {
	t.Helper()
	d, c := deployer()
	p, err := d.Plan(t.Context(), parse(t, simple), true)
	require.NoError(t, err)
	require.NoError(t, d.Apply(t.Context(), p))
	return d, c, p
}

func shows(t *testing.T, c *crmtest.Fake) string {
	t.Helper()
	cib, err := c.Query(context.Background())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

func ignore(string) {}

func TestPlanAndApply(t *testing.T) {
	d, c := deployer()
	p, err := d.Plan(t.Context(), parse(t, simple), true)
	require.NoError(t, err)
	require.True(t, p.Forecasted)
	require.NotEmpty(t, p.Forecast.Actions)
	require.Zero(t, c.Applied(), "a plan writes nothing")
	require.NoError(t, d.Apply(t.Context(), p))

	again, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	require.True(t, again.Changes.Empty())
	require.False(t, again.Forecasted)
	require.NoError(t, d.Apply(t.Context(), again))
	require.Equal(t, 1, c.Applied())
}

// What is wrong with the file is said first, and both where the cluster's answer is about the file
// too.
func TestPlanSaysWhatIsWrongWithTheFileFirst(t *testing.T) {
	for _, tc := range []struct {
		name   string
		method string
		err    error
		says   []string
		hides  string
	}{
		{"the file alone", "", nil, []string{"port 80 is in use"}, ""},
		{"Pacemaker refuses it as well", "Verify", crm.ErrRefused,
			[]string{"port 80 is in use", "refuses"}, ""},
		{"Pacemaker does not answer", "Query", crm.ErrNotRunning, []string{"port 80 is in use"},
			"does not answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, c := deployer()
			d.Node.HAProxy = func(context.Context, preflight.HAProxy) error {
				return errors.New("port 80 is in use")
			}
			if tc.method != "" {
				c.Fail(tc.method, tc.err)
			}
			_, err := d.Plan(t.Context(), parse(t, simple), false)
			for _, says := range tc.says {
				require.ErrorContains(t, err, says)
			}
			if tc.hides != "" {
				require.NotContains(t, err.Error(), tc.hides)
			}
		})
	}
}

// Fencing is judged again if the cluster has changed meanwhile.
func TestApplyJudgesFencingAgain(t *testing.T) {
	d, c := deployer()
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	asked := 0
	d.Facts.Votes = func(context.Context) (corosync.Quorum, error) {
		asked++
		return corosync.Quorum{}, corosync.ErrNotRunning
	}
	c.OnApply(func() {
		c.OnApply(nil)
		require.NoError(t, c.Edit(&crm.Property{Name: "cluster-name", Value: "x"}))
	})
	require.NoError(t, d.Apply(t.Context(), p))
	require.Equal(t, 1, asked)
}

func TestVerdict(t *testing.T) {
	failure := func(id string, at time.Time) crm.Failure {
		return crm.Failure{Resource: id, Node: "lb-2", Task: "start", Meaning: "error",
			Reason: "port 80 is in use", Time: at}
	}
	stopped := func(id string) func(*crm.Status) {
		return func(s *crm.Status) {
			for i := range s.Resources {
				if s.Resources[i].ID == id {
					s.Resources[i].Active, s.Resources[i].Node, s.Resources[i].Nodes = false, "",
						nil
				}
			}
		}
	}
	for _, tc := range []struct {
		name   string
		status func(*crm.Status)
		says   string // "" if all is well
	}{
		{"all runs", func(*crm.Status) {}, ""},
		{"one failed on a node",
			func(s *crm.Status) { s.Failures = []crm.Failure{failure("haproxy:1", noon)} },
			"start of haproxy:1 on lb-2 failed: error: port 80 is in use"},
		{"one failed long ago",
			func(s *crm.Status) { s.Failures = []crm.Failure{failure("haproxy", noon.Add(-time.Hour))} }, ""},
		{"somebody else's failed",
			func(s *crm.Status) { s.Failures = []crm.Failure{failure("web", noon)} }, ""},
		{"one is not running", stopped("FloatIP"), "FloatIP is not running on any node"},
		{"one runs on one node only", func(s *crm.Status) {
			for i := range s.Resources {
				r := &s.Resources[i]
				if r.ID == "haproxy" && r.Node == "lb-2" {
					r.Active = false
				}
			}
		}, ""},
		{"one failed and is not running: the reason is said once", func(s *crm.Status) {
			stopped("haproxy")(s)
			s.Failures = []crm.Failure{failure("haproxy", noon)}
		}, "start of haproxy on lb-2 failed: error: port 80 is in use\nhaproxy is not running " +
			"on any node"},
		{"one failed long ago and is not running", func(s *crm.Status) {
			stopped("haproxy")(s)
			s.Failures = []crm.Failure{failure("haproxy", noon.Add(-time.Hour))}
		}, "haproxy is not running on any node: port 80 is in use"},
		{"one is stopped on purpose", func(s *crm.Status) {
			stopped("FloatIP")(s)
			for i := range s.Resources {
				s.Resources[i].Target = "Stopped"
			}
		}, ""},
		{"nothing is managed", func(s *crm.Status) {
			stopped("FloatIP")(s)
			for i := range s.Resources {
				s.Resources[i].Managed = false
			}
		}, ""},
		{"somebody else's is not running", func(s *crm.Status) {
			s.Resources = append(s.Resources, crm.ResourceStatus{ID: "web", Managed: true})
		}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, c, p := deployed(t)
			c.OnStatus(func(_ *crm.CIB, s *crm.Status) { tc.status(s) })
			err := d.Verdict(t.Context(), p, noon)
			if tc.says == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, outcome.Resource, outcome.Of(err))
			require.EqualError(t, err, tc.says)
		})
	}
	d, c, p := deployed(t)
	c.Fail("Status", crm.ErrNotRunning)
	require.ErrorIs(t, d.Verdict(t.Context(), p, noon), crm.ErrNotRunning)
}

func TestDestroy(t *testing.T) {
	d, c := deployer()
	before := shows(t, c)
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.True(t, r.Empty())

	d, c, _ = deployed(t)
	r, err = d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.False(t, r.Empty())
	require.NotEmpty(t, r.Forecast.Actions, "what stops")
	for _, a := range r.Forecast.Actions {
		require.Equal(t, "stop", a.Task)
	}
	c.OnWait(func(context.Context) {
		s := shows(t, c)
		require.Contains(t, s, "primitive FloatIP ", "nothing is deleted before it has stopped")
		require.Contains(t, s, "target-role=Stopped")
	})
	require.NoError(t, d.Destroy(t.Context(), r, time.Minute, ignore))
	require.Equal(t, before, shows(t, c))
}

// Behind a file nothing runs that would have to stop first.
func TestDestroyBehindAFile(t *testing.T) {
	d, c, _ := deployed(t)
	d.Running = false
	c.OnWait(func(context.Context) { t.Error("nobody should wait") })
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.Destroy(t.Context(), r, time.Minute, ignore))
	require.Equal(t, 2, c.Applied())
	require.NotContains(t, shows(t, c), "FloatIP")
}

// TestDestroyThatFails: as long as something runs, or somebody has built on what stops, nothing is
// deleted.
func TestDestroyThatFails(t *testing.T) {
	const goesOn = "the resources are stopped, but still configured: `hawser destroy` continues, " +
		"`hawser apply` starts them again"
	runs := func(s *crm.Status, reason string) {
		for i := range s.Resources {
			if r := &s.Resources[i]; r.ID == "FloatIP" {
				r.Active, r.Node, r.Nodes, r.Reason = true, "lb-1", []string{"lb-1"}, reason
			}
		}
	}
	prefer := &crm.Location{Name: "prefer", Resource: "FloatIP", Score: "50", Node: "lb-2"}
	for _, tc := range []struct {
		name    string
		happens func(c *crmtest.Fake, giveUp func())
		timeout time.Duration
		kind    outcome.Kind
		says    string
	}{
		{"a resource does not stop", func(c *crmtest.Fake, _ func()) {
			c.OnStatus(func(_ *crm.CIB, s *crm.Status) { runs(s, "the address is still there") })
		}, time.Minute, outcome.Resource,
			"FloatIP still runs on lb-1: the address is still there\nnothing was deleted"},
		{"it is put into maintenance meanwhile", func(c *crmtest.Fake, _ func()) {
			c.OnStatus(func(_ *crm.CIB, s *crm.Status) {
				runs(s, "")
				for i := range s.Resources {
					s.Resources[i].Managed = false
				}
			})
		}, time.Minute, outcome.Resource, "FloatIP still runs on lb-1: it is not managed"},
		{"it takes too long", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(ctx context.Context) { <-ctx.Done() })
		}, time.Millisecond, outcome.Timeout, "Nothing was deleted, and THEY ARE BEING STOPPED"},
		{"somebody interrupts it", func(c *crmtest.Fake, giveUp func()) {
			c.OnWait(func(context.Context) { giveUp() })
		}, time.Minute, outcome.Interrupted, "interrupted: nothing was deleted, and what had been told " +
			"to stop starts again: "},
		{"Pacemaker cannot be asked whether it has stopped", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) { c.Fail("Status", crm.ErrNotRunning) })
		}, time.Minute, outcome.Unavailable, "does not answer"},
		{"somebody builds on it while it stops", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) { must(c.Edit(prefer)) })
		}, time.Minute, outcome.Conflict, goesOn},
		{"somebody deletes a part of it while it stops", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) { must(c.Delete("FloatIP-haproxy")) })
		}, time.Minute, outcome.Conflict,
			"somebody else changed the configuration while the resources stopped, and nothing " +
				"was deleted\n" + goesOn},
		{"somebody builds on it while it is deleted", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) {
				c.OnApply(func() { c.OnApply(nil); must(c.Edit(prefer)) })
			})
		}, time.Minute, outcome.Conflict, goesOn},
		{"it cannot be read before it is deleted", func(c *crmtest.Fake, _ func()) {
			c.OnWait(func(context.Context) { c.Fail("Query", crm.ErrNotRunning) })
		}, time.Minute, outcome.Unavailable, goesOn},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, c, _ := deployed(t)
			r, err := d.PlanRemoval(t.Context())
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tc.happens(c, cancel)
			err = d.Destroy(ctx, r, tc.timeout, ignore)
			require.Equal(t, tc.kind, outcome.Of(err), "%v", err)
			require.ErrorContains(t, err, tc.says)
			require.Contains(t, shows(t, c), "primitive FloatIP ")
			require.Contains(t, shows(t, c), "primitive haproxy ")
		})
	}
}

// What continues if ordering the stop was all that could be done.
func TestDestroyGoesOn(t *testing.T) {
	d, c, _ := deployed(t)
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	c.OnWait(func(context.Context) { c.OnWait(nil); c.Fail("Query", crm.ErrNotRunning) })
	require.Error(t, d.Destroy(t.Context(), r, time.Minute, ignore))
	r, err = d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.NoError(t, d.Destroy(t.Context(), r, time.Minute, ignore))
	require.NotContains(t, shows(t, c), "FloatIP")
}

// While Pacemaker would not stop it no order is left behind, which would be obeyed when it manages
// it again.
func TestRemovalOfWhatIsNotManaged(t *testing.T) {
	d, c, _ := deployed(t)
	c.OnStatus(func(_ *crm.CIB, s *crm.Status) {
		for i := range s.Resources {
			s.Resources[i].Managed = s.Resources[i].ID != "FloatIP"
		}
	})
	_, err := d.PlanRemoval(t.Context())
	require.Equal(t, outcome.Resource, outcome.Of(err))
	require.ErrorContains(t, err, "FloatIP runs on lb-1 and is not managed")
	require.ErrorContains(t, err, "nothing was changed")
	require.NotContains(t, shows(t, c), "target-role")
}

// Where others' resources stay without fencing that they had before, that is said.
func TestRemovalThatStopsOthers(t *testing.T) {
	d, c, _ := deployed(t)
	require.NoError(t,
		c.Edit(&crm.Primitive{Name: "web", Class: "ocf", Provider: "pacemaker", Type: "Dummy"}))
	r, err := d.PlanRemoval(t.Context())
	require.NoError(t, err)
	require.Len(t, r.Warnings, 1)
	require.Contains(t, r.Warnings[0], "no fencing device is configured")
}

// A conflict has the plan that there would be now, for the caller to show.
func TestApplyConflict(t *testing.T) {
	d, c := deployer()
	p, err := d.Plan(t.Context(), parse(t, simple), false)
	require.NoError(t, err)
	c.OnApply(func() {
		c.OnApply(nil)
		must(c.Edit(&crm.Property{Name: "stonith-enabled", Value: "false"}))
	})
	err = d.Apply(t.Context(), p)
	var changed *change.Changed
	require.ErrorAs(t, err, &changed)
	require.False(t, changed.Next.Empty())
	require.Zero(t, c.Applied())
}

// What a file names is checked as the agents check it: a token file that they would refuse passes
// no plan.
func TestPlanChecksTokenFiles(t *testing.T) {
	d, c := deployer()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(token, []byte("dop_v1_0\n"), 0o600))
	file := parse(t, "fencing: off\nhaproxy: {}\nfloating_ips: [{name: FloatIP, ip: "+
		"203.0.113.10, token_file: "+token+"}]\n")
	_, err := d.Plan(t.Context(), file, false)
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o777)) //nolint:gosec // others may write to it
	_, err = d.Plan(t.Context(), file, false)
	require.Equal(t, outcome.Usage, outcome.Of(err))
	require.ErrorContains(t, err, "others may write to "+dir)
	require.Zero(t, c.Applied())
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
