package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

// lanConfig writes a hawser.yaml that needs no other file.
func lanConfig(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hawser.yaml")
	require.NoError(t, os.WriteFile(file, []byte("fencing: off\nhaproxy: {}\nfloating_ips: [{name: FloatIP, ip: 192.0.2.10, provider: lan}]\n"), 0o600))
	return file
}

func objects(t *testing.T, c crm.Cluster) string {
	t.Helper()
	cib, err := c.Query(context.Background())
	require.NoError(t, err)
	return crm.FormatShell(cib.Objects())
}

func TestApplyWaitsForTheOutcome(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	sys, stdout, stderr := testSystem(t, fake)
	file := lanConfig(t)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr)
	require.Contains(t, stdout.String(), "\nWritten.\nThe cluster has settled.\n")
	require.Equal(t, 1, fake.Applied())

	// The second time there is nothing to write, but still something to say if a resource fails.
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr)
	fake.FailResource("haproxy", "port 80 is in use")
	stderr.Reset()
	require.Equal(t, exitResource, run([]string{"hawser", "apply", "--yes", "-f", file}, sys))
	require.Contains(t, stderr.String(), "hawser: haproxy is not running on any node: port 80 is in use\n")
	require.Equal(t, 1, fake.Applied())
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", file}, sys))
}

// TestApplyLeavesReloadsAlone: what `hawser reload` wrote is nothing to plan for, since taking it away would reload every HAProxy.
func TestApplyLeavesReloadsAlone(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	sys, stdout, stderr := testSystem(t, fake)
	file := lanConfig(t)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr)
	cib, err := fake.Query(t.Context())
	require.NoError(t, err)
	o, ok := cib.Object("haproxy")
	require.True(t, ok)
	reloaded := *o.(*crm.Primitive)
	reloaded.Params = append(crm.Attrs{{Name: "generation", Value: "7"}}, reloaded.Params...)
	require.NoError(t, fake.Edit(&reloaded))
	before := objects(t, fake)
	require.Contains(t, before, "generation=7")
	require.Equal(t, exitOK, run([]string{"hawser", "plan", "--exit-code", "-f", file}, sys), stdout)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr)
	require.Equal(t, before, objects(t, fake))

	// The file's own keys still win, and the reload stays beside them.
	require.NoError(t, os.WriteFile(file, []byte("fencing: off\nhaproxy: {stop_grace: 9s}\nfloating_ips: [{name: FloatIP, ip: 192.0.2.10, provider: lan}]\n"), 0o600))
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", file}, sys), stderr)
	require.Contains(t, objects(t, fake), "stop_grace=9s")
	require.Contains(t, objects(t, fake), "generation=7")
}

func TestApplyReportsAFailedStart(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	fake.FailResource("FloatIP", "the token is refused")
	sys, _, stderr := testSystem(t, fake)
	require.Equal(t, exitResource, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "hawser: FloatIP is not running on any node: the token is refused\n")
}

// TestApplyFailures has each of the things that may keep a plan from being written, and what is left then.
func TestApplyFailures(t *testing.T) {
	for _, tc := range []struct {
		method string
		err    error
		code   int
	}{
		{"Query", crm.ErrNotRunning, exitUnavailable},
		{"Query", crm.ErrPermission, exitPermission},
		{"Query", crm.ErrNotInstalled, exitUnavailable},
		{"Verify", crm.ErrRefused, exitUsage},
		{"Apply", crm.ErrNoQuorum, exitUnavailable},
		{"Apply", crm.ErrPermission, exitPermission},
		{"Apply", errors.New("something else"), exitFailed},
	} {
		fake := crmtest.New("lb-1", "lb-2")
		before := objects(t, fake)
		fake.Fail(tc.method, tc.err)
		sys, _, stderr := testSystem(t, fake)
		require.Equal(t, tc.code, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), "%s: %v", tc.method, tc.err)
		require.Contains(t, stderr.String(), "hawser: "+tc.err.Error())
		require.Zero(t, fake.Applied())
		require.Equal(t, before, objects(t, fake))
	}
}

// meddler edits the configuration before each of the next plans is written.
type meddler struct {
	*crmtest.Fake
	edits []func() error
}

func (m *meddler) Apply(ctx context.Context, p crm.Plan) error {
	if len(m.edits) > 0 {
		edit := m.edits[0]
		m.edits = m.edits[1:]
		if err := edit(); err != nil {
			return err
		}
	}
	return m.Fake.Apply(ctx, p)
}

func dummy(id string) crm.Object {
	return &crm.Primitive{Name: id, Class: "ocf", Provider: "pacemaker", Type: "Dummy"}
}

func TestApplyKeepsEditsOfOthers(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	m := &meddler{Fake: fake}
	for _, id := range []string{"a", "b", "c"} {
		m.edits = append(m.edits, func() error { return fake.Edit(dummy(id)) })
	}
	sys, _, stderr := testSystem(t, m)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	shown := objects(t, fake)
	for _, id := range []string{"a", "b", "c", "haproxy", "FloatIP"} {
		require.Contains(t, shown, "primitive "+id+" ")
	}
}

func TestApplyStopsIfThePlanWouldBeAnother(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	m := &meddler{Fake: fake, edits: []func() error{func() error { return fake.Edit(dummy("FloatIP")) }}}
	sys, _, stderr := testSystem(t, m)
	require.Equal(t, exitConflict, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "somebody else changed the configuration meanwhile, and nothing was written")
	require.Zero(t, fake.Applied())
}

func TestApplyGivesUpOnAClusterThatNeverRests(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	m := &meddler{Fake: fake}
	for range 50 {
		m.edits = append(m.edits, func() error { return fake.Edit(&crm.Property{Name: "cluster-name", Value: time.Now().String()}) })
	}
	sys, _, stderr := testSystem(t, m)
	require.Equal(t, exitConflict, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "nothing was written: wait until it has settled")
	require.Zero(t, fake.Applied())
}

// restless is a cluster that has something to do for ever.
type restless struct{ *crmtest.Fake }

func (r *restless) Wait(ctx context.Context, progress func(crm.Progress)) error {
	progress(crm.Progress{Pending: []crm.Pending{{Resource: "FloatIP", Task: "start", Node: "lb-1"}}})
	<-ctx.Done()
	return ctx.Err()
}

func TestApplyTimesOut(t *testing.T) {
	sys, _, stderr := testSystem(t, &restless{crmtest.New("lb-1")})
	require.Equal(t, exitTimeout, run([]string{"hawser", "apply", "--yes", "--timeout", "1300ms", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "\nwaiting for start FloatIP on lb-1\n", "a progress line after a second")
	require.Contains(t, stderr.String(), "hawser: the cluster has not settled within 1.3s, waiting for start FloatIP on lb-1: the configuration is written, `hawser status` shows what becomes of it\n")
}

func TestProgressRewritesItselfOnATerminal(t *testing.T) {
	sys, _, stderr := testSystem(t, &restless{crmtest.New("lb-1")})
	sys.progress = true
	require.Equal(t, exitTimeout, run([]string{"hawser", "apply", "--yes", "--timeout", "1300ms", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "\rwaiting for start FloatIP on lb-1 (1s)")
	require.Regexp(t, `\r +\rhawser: the cluster has not settled`, stderr.String())
}

// recorder notes what is written and asked of a cluster.
type recorder struct {
	*crmtest.Fake
	calls []string
}

func (r *recorder) Apply(ctx context.Context, p crm.Plan) error {
	deleted := 0
	for _, c := range p.Changes {
		if c.New == nil {
			deleted++
		}
	}
	switch {
	case deleted > 0:
		r.calls = append(r.calls, "delete")
	default:
		r.calls = append(r.calls, "write")
	}
	return r.Fake.Apply(ctx, p)
}

func (r *recorder) Wait(ctx context.Context, progress func(crm.Progress)) error {
	r.calls = append(r.calls, "wait")
	return r.Fake.Wait(ctx, progress)
}

func (r *recorder) Status(ctx context.Context) (*crm.Status, error) {
	r.calls = append(r.calls, "status")
	return r.Fake.Status(ctx)
}

func TestDestroyStopsFirst(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	before := objects(t, fake)
	r := &recorder{Fake: fake}
	sys, _, stderr := testSystem(t, r)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", lanConfig(t)}, sys), stderr)
	r.calls = nil
	require.Equal(t, exitOK, run([]string{"hawser", "destroy", "--yes"}, sys), stderr)
	require.Equal(t, []string{"status", "write", "wait", "status", "delete", "wait"}, r.calls)
	require.Equal(t, before, objects(t, fake))
	require.Equal(t, exitOK, run([]string{"hawser", "destroy", "--yes"}, sys))
	require.Equal(t, 3, fake.Applied())
}

// stubborn is a cluster whose resources cannot be stopped.
type stubborn struct {
	*crmtest.Fake
	status *crm.Status
}

func (s *stubborn) Status(context.Context) (*crm.Status, error) { return s.status, nil }

func TestDestroyDeletesNothingThatRuns(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	status := healthy()
	status.Resources[1].Failed, status.Resources[1].Reason = true, "HAProxy does not end"
	sys, _, stderr := testSystem(t, &stubborn{fake, status})
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "--no-wait", "-f", lanConfig(t)}, sys), stderr)
	stderr.Reset()
	require.Equal(t, exitResource, run([]string{"hawser", "destroy", "--yes"}, sys))
	require.Equal(t, `hawser: FloatIP still runs on lb-1
hawser: haproxy still runs on lb-1: HAProxy does not end
hawser: haproxy still runs on lb-2
hawser: nothing was deleted: correct this, then run the command again
`, stderr.String())
	require.Contains(t, objects(t, fake), "primitive FloatIP ")

	// apply takes the order to stop back.
	sys.Cluster = fake
	takesBack := func() {
		t.Helper()
		require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys))
		require.NotContains(t, objects(t, fake), "target-role")
	}
	takesBack()

	// Where Pacemaker would not stop it, no order is left behind that would be obeyed when somebody ends the maintenance.
	status.Resources[0].Managed = false
	sys.Cluster = &stubborn{fake, status}
	stderr.Reset()
	require.Equal(t, exitResource, run([]string{"hawser", "destroy", "--yes"}, sys))
	require.Equal(t, `hawser: FloatIP runs on lb-1 and is not managed (maintenance mode, or is-managed=false), so Pacemaker does not stop it
hawser: nothing was changed: end that first, then run the command again
`, stderr.String())
	require.NotContains(t, objects(t, fake), "target-role")
	sys.Cluster = fake
	takesBack()
}

func TestDestroyStopsIfSomebodyBuildsOnIt(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	m := &meddler{Fake: fake}
	sys, _, stderr := testSystem(t, m)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	m.edits = []func() error{
		func() error { return nil }, // the order to stop
		func() error {
			return fake.Edit(&crm.Location{Name: "prefer", Resource: "FloatIP", Score: "50", Node: "lb-2"})
		},
	}
	stderr.Reset()
	require.Equal(t, exitConflict, run([]string{"hawser", "destroy", "--yes"}, sys))
	require.Contains(t, stderr.String(), "location prefer")
	require.Contains(t, stderr.String(), "hawser: the resources are stopped, but still "+
		"configured: `hawser destroy` continues, `hawser apply` starts them again\n")
	require.Contains(t, objects(t, fake), "primitive FloatIP ")
}

func TestDeleteOfWhatRuns(t *testing.T) {
	fake := crmtest.New("lb-1")
	require.NoError(t, fake.Edit(dummy("a"), &crm.Property{Name: "stonith-enabled", Value: "false"}))
	sys, _, stderr := testSystem(t, fake)
	require.Equal(t, exitFailed, run([]string{"hawser", "configure", "delete", "a"}, sys))
	require.Contains(t, stderr.String(), "hawser: a runs on lb-1 and is not deleted: stop it first, or use --force, which does\n")
	require.Equal(t, exitOK, run([]string{"hawser", "configure", "delete", "--force", "a"}, sys))
	require.NotContains(t, objects(t, fake), "primitive")
}

// busybody edits the configuration while a caller waits.
type busybody struct {
	*crmtest.Fake
	edit func() error
}

func (b *busybody) Wait(ctx context.Context, progress func(crm.Progress)) error {
	if b.edit != nil {
		if err := b.edit(); err != nil {
			return err
		}
		b.edit = nil
	}
	return b.Fake.Wait(ctx, progress)
}

// When somebody builds on what stops meanwhile, it is not said that nothing was changed.
func TestWhatWasStoppedIsSaid(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	b := &busybody{Fake: fake}
	sys, _, stderr := testSystem(t, b)
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	prefer := func() error {
		return fake.Edit(&crm.Location{Name: "prefer", Resource: "FloatIP", Score: "50", Node: "lb-2"})
	}
	b.edit = prefer
	stderr.Reset()
	require.Equal(t, exitConflict, run([]string{"hawser", "destroy", "--yes"}, sys))
	require.Contains(t, stderr.String(), "location prefer")
	require.Contains(t, stderr.String(), "hawser: the resources are stopped, but still configured")
	require.NotContains(t, stderr.String(), "nothing was changed")

	require.NoError(t, fake.Delete("prefer"))
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "--yes", "-f", lanConfig(t)}, sys), stderr)
	b.edit = prefer
	stderr.Reset()
	require.Equal(t, exitUsage, run([]string{"hawser", "configure", "delete", "--force", "FloatIP", "FloatIP-haproxy", "FloatIP-leaves-first", "FloatIP-where-served"}, sys))
	require.Contains(t, stderr.String(), "what was to be deleted has been stopped")
	require.NotContains(t, stderr.String(), "nothing was changed")
}

// busy has something left to do until somebody gives up waiting.
type busy struct {
	*crmtest.Fake
	giveUp context.CancelFunc
}

func (b busy) Wait(ctx context.Context, _ func(crm.Progress)) error {
	b.giveUp()
	<-ctx.Done()
	return ctx.Err()
}

func TestInterruptedWhileTheClusterSettles(t *testing.T) {
	fake := crmtest.New("lb-1", "lb-2")
	for _, done := range []string{"the configuration is written", "nothing was changed"} {
		ctx, cancel := context.WithCancel(t.Context())
		sys, _, _ := testSystem(t, busy{fake, cancel})
		err := newApp(sys).RunContext(ctx, []string{"hawser", "apply", "--yes", "-f", lanConfig(t)})
		require.Equal(t, exitInterrupted, exitCode(err))
		require.ErrorContains(t, err, "interrupted while the cluster settles: "+done+", `hawser status`")
		require.Equal(t, 1, fake.Applied())
	}
	ctx, cancel := context.WithCancel(t.Context())
	sys, _, _ := testSystem(t, busy{fake, cancel})
	err := newApp(sys).RunContext(ctx, []string{"hawser", "destroy", "--yes"})
	require.Equal(t, exitInterrupted, exitCode(err), err)
	require.ErrorContains(t, err, "interrupted: nothing was deleted, and what had been told to stop starts again: ")
}

func TestQuestionOnATerminal(t *testing.T) {
	fake := crmtest.New("lb-1")
	sys, stdout, stderr := testSystem(t, fake)
	sys.interactive = true
	sys.stdin = strings.NewReader("") // end of input
	require.Equal(t, exitFailed, run([]string{"hawser", "apply", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "Apply this? [y/N] ")
	require.NotContains(t, stdout.String(), "Apply this?")
	sys.stdin = io.NopCloser(strings.NewReader("Yes\n"))
	require.Equal(t, exitOK, run([]string{"hawser", "apply", "-f", lanConfig(t)}, sys))
	require.Equal(t, 1, fake.Applied())
}

func TestARemoteClusterIsNotThisNode(t *testing.T) {
	sys, _, stderr := testSystem(t, crmtest.New("lb-1"))
	sys.Remote = true
	sys.CheckHAProxy = func(context.Context, preflight.HAProxy) error { return errors.New("asked") }
	require.Equal(t, exitOK, run([]string{"hawser", "plan", "-f", lanConfig(t)}, sys))
	require.Contains(t, stderr.String(), "warning: the cluster is another machine's: the files that ")
}

// slow is a cluster that is asked for as long as nobody gives up.
type slow struct {
	*crmtest.Fake
	giveUp context.CancelFunc
}

func (s slow) Query(ctx context.Context) (*crm.CIB, error) {
	s.giveUp()
	<-ctx.Done()
	return nil, fmt.Errorf("cibadmin was interrupted: %w", ctx.Err())
}

func (s slow) Configuration(ctx context.Context) (*crm.CIB, error) { return s.Query(ctx) }

func (s slow) Status(ctx context.Context) (*crm.Status, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Whatever is interrupted before anything is written says so, and that nothing was changed.
func TestInterruptedWhilePlanning(t *testing.T) {
	for _, args := range [][]string{
		{"plan", "-f", lanConfig(t)}, {"apply", "--yes", "-f", lanConfig(t)}, {"destroy", "--yes"},
		{"move", "--yes", "FloatIP"}, {"reload", "--yes"}, {"reload", "--yes", "--push", lanConfig(t)},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		sys, _, _ := testSystem(t, slow{crmtest.New("lb-1"), cancel})
		err := newApp(sys).RunContext(ctx, append([]string{"hawser"}, args...))
		require.Equal(t, exitInterrupted, exitCode(err), "%v: %v", args, err)
		require.ErrorContains(t, err, "interrupted: nothing was changed", args)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	sys.interactive, sys.stdin = true, readerFunc(func([]byte) (int, error) {
		cancel()
		<-t.Context().Done()
		return 0, io.EOF
	})
	err := newApp(sys).RunContext(ctx, []string{"hawser", "apply", "-f", lanConfig(t)})
	require.Equal(t, exitInterrupted, exitCode(err), err)
	require.ErrorContains(t, err, "interrupted: nothing was changed")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
