package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/share/schemas/schemastest"
)

// reader is a program that reads what a command prints.
type reader struct {
	to   io.Writer
	read bytes.Buffer
}

func (r *reader) Write(p []byte) (int, error) {
	n, err := r.to.Write(p)
	r.read.Write(p[:n])
	return n, err
}

// readJSON runs a command line with --json, and returns its exit code and the object that a program
// reads, which has to be as its schema describes it.
func readJSON(t *testing.T, sys *system, words ...string) (code int, object map[string]any) {
	t.Helper()
	out := &bytes.Buffer{}
	sys.stdout = out
	args := append([]string{"hawser"}, words...)
	args = append(args, "--json")
	code = run(args, sys)
	require.NoError(t, schemastest.Conforms(args, out.Bytes()))
	require.NoError(t, json.Unmarshal(out.Bytes(), &object))
	require.EqualValues(t, 1, object["schema_version"])
	require.NotContains(t, out.String(), "null")
	if failure, ok := object["error"].(map[string]any); ok {
		require.EqualValues(t, code, failure["exit_code"])
		require.Equal(t, exitcode.KindOf(code).String(), failure["kind"])
		require.NotEmpty(t, failure["message"])
	} else {
		require.Contains(t, []int{exitOK, exitUsage, exitDegraded, exitResource, exitUnavailable,
			exitChanges}, code, "an exit code that no verdict has")
	}
	return code, object
}

func message(object map[string]any) string {
	failure, _ := object["error"].(map[string]any)
	text, _ := failure["message"].(string)
	return text
}

// Whatever is wrong with the command line, a program that asked for JSON reads why.
func TestUsageErrorsAsJSON(t *testing.T) {
	sys, _, stderr := testSystem(t, crmtest.New("lb-1", "lb-2"))
	for _, command := range newApp(sys).Commands {
		if command.Name == "protect" || command.Hidden {
			continue // what follows is another command's
		}
		stderr.Reset()
		code, object := readJSON(t, sys, command.Name, "--nosuch")
		require.Equal(t, exitUsage, code, command.Name)
		require.Contains(t, stderr.String(), "hawser: "+message(object))
		require.Len(t, object, 4)
	}
	for _, words := range [][]string{{}, {"nosuch"}, {"--json", "status"}, {"--nosuch"},
		{"status", "lb-1"}, {"schema"}, {"configure"}, {"help", "nosuch"},
		{"apply", "--timeout", "0", "--yes"}, {"move"}, {"standby"}, {"check", "a", "b"},
		{"timing", "--for", "wan"}, {"reload", "a", "b"}, {"doctor", "--list", "x"}} {
		code, object := readJSON(t, sys, words...)
		require.Equal(t, exitUsage, code, words)
		require.NotEmpty(t, message(object), words)
	}
}

// --json is looked for where a command has its options, and nowhere else.
func TestWhoAsksForJSON(t *testing.T) {
	sys, _, _ := testSystem(t, crmtest.New("lb-1", "lb-2"))
	app := newApp(sys)
	for line, want := range map[string]bool{
		"status": false, "status --json": true, "status -json": true, "status --json=true": true,
		"status --json=false": false, "status --json=x": true, "status --json --json=0": false,
		"check - --json": true, "move FloatIP --json lb-2": true, "move FloatIP -- --json": false,
		"plan -f --json": false, "plan -f x --json": true, "plan --file=--json": false,
		"--json": true, "--json status": true, "nosuch --json": true, "nosuch -- --json": false,
		"configure show --json": false, "configure --json show": true,
		"protect -- curl --json x": false, "protect curl --json x": false, "": false,
	} {
		args := flags.First(app, append([]string{"hawser"}, strings.Fields(line)...), "protect")
		require.Equal(t, want, flags.Given(app, args, "json", "protect"), line)
	}
	require.False(t, flags.Given(app, nil, "json"))
}

// A failure before anything was looked at, and while the cluster was asked.
func TestFailuresAsJSON(t *testing.T) {
	file := lanConfig(t)
	for _, cause := range []error{crm.ErrNotRunning, crm.ErrPermission, crm.ErrNotInstalled,
		crm.ErrNoQuorum, errors.New("something\nelse"), context.DeadlineExceeded} {
		for _, words := range [][]string{
			{"plan", "-f", file}, {"apply", "--yes", "-f", file}, {"destroy", "--yes"},
			{"adopt", "--yes", "-f", filepath.Join(t.TempDir(), "hawser.yaml")},
			{"move", "FloatIP", "lb-2", "--yes"}, {"reload", "--yes"},
			{"reload", "--push", file, "--yes"}, {"standby", "lb-1", "--yes"},
			{"online", "lb-1", "--yes"}, {"maintenance", "on", "--yes"}, {"cleanup", "--yes"},
			{"stop", "FloatIP", "--yes"}, {"start", "FloatIP", "--yes"},
		} {
			fake := balancers(t)
			for _, method := range []string{"Query", "Status"} {
				fake.Fail(method, cause)
			}
			sys, _, stderr := testSystem(t, fake)
			code, object := readJSON(t, sys, words...)
			require.Equal(t, exitcode.Of(cause), code, "%v: %v", words, cause)
			require.NotEmpty(t, stderr.String(), "people read it too")
			require.Len(t, object, 4, "%v", words)
		}
	}
	sys, _, _ := testSystem(t, crmtest.New("lb-1", "lb-2"))
	code, object := readJSON(t, sys, "doctor")
	require.Equal(t, exitPermission, code)
	require.Contains(t, message(object), "sudo")
	code, object = readJSON(t, sys, "apply", "-f", file)
	require.Equal(t, exitUsage, code, "there is nobody to ask")
	require.Contains(t, message(object), "use --yes")
	code, object = readJSON(t, sys, "plan", "-f", "nosuch.yaml")
	require.Equal(t, exitUsage, code)
	require.Contains(t, message(object), "nosuch.yaml cannot be read")
	code, object = readJSON(t, sys, "timing", "--config", "nosuch.conf")
	require.Equal(t, exitFailed, code)
	require.Contains(t, message(object), "nosuch.conf")
}

// A wrong hawser.yaml is a list of places.
func TestFaultsAsJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hawser.yaml")
	require.NoError(t, os.WriteFile(file, []byte("haproxy:\n  confg: x\n  monitor: 0\n"), 0o600))
	sys, _, _ := testSystem(t, crmtest.New("lb-1", "lb-2"))
	for _, command := range []string{"plan", "apply"} {
		code, object := readJSON(t, sys, command, "-f", file)
		require.Equal(t, exitUsage, code)
		failure := object["error"].(map[string]any)
		require.Equal(t, "nothing was changed", failure["hint"])
		faults := failure["faults"].([]any)
		require.Len(t, faults, 2)
		require.EqualValues(t, 2, faults[0].(map[string]any)["line"])
		require.EqualValues(t, 3, faults[0].(map[string]any)["column"])
	}
	// check answers the question whether it is right: that is no error, unless it cannot be read.
	code, object := readJSON(t, sys, "check", file)
	require.Equal(t, exitUsage, code)
	require.NotContains(t, object, "error")
	require.Equal(t, false, object["valid"])
	code, object = readJSON(t, sys, "check", file+".nosuch")
	require.Equal(t, exitUsage, code)
	require.Contains(t, message(object), "cannot be read")
	require.Len(t, object["faults"], 1)
}

// apply says how far it came.
func TestApplyAsJSON(t *testing.T) {
	file := lanConfig(t)
	for _, tc := range []struct {
		name             string
		prepare          func(c *crmtest.Fake)
		words            []string
		code             int
		written, settled bool
	}{
		{"written", func(*crmtest.Fake) {}, nil, exitOK, true, true},
		{"not waited for", func(*crmtest.Fake) {}, []string{"--no-wait"}, exitOK, true, false},
		{"not written", func(c *crmtest.Fake) { c.Fail("Apply", crm.ErrNoQuorum) }, nil,
			exitUnavailable, false, false},
		{"not settled", func(c *crmtest.Fake) { c.Fail("Wait", context.DeadlineExceeded) }, nil,
			exitTimeout, true, false},
		{"failed", func(c *crmtest.Fake) { c.FailResource("FloatIP", "no token") }, nil,
			exitResource, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := crmtest.New("lb-1", "lb-2")
			tc.prepare(fake)
			sys, _, _ := testSystem(t, fake)
			code, object := readJSON(t, sys, append([]string{"apply", "--yes", "-f", file},
				tc.words...)...)
			require.Equal(t, tc.code, code, object)
			require.Equal(t, tc.code != exitOK, object["error"] != nil)
			require.Equal(t, tc.written, object["written"])
			require.Equal(t, tc.settled, object["settled"])
			require.NotEmpty(t, object["changes"])
		})
	}
	fake := crmtest.New("lb-1", "lb-2")
	sys, _, _ := testSystem(t, fake)
	fake.Fail("Check", crm.ErrRefused)
	code, object := readJSON(t, sys, "apply", "--yes", "-f", file)
	require.Equal(t, exitUsage, code)
	require.Len(t, object, 4, "there is no plan")
	fake.Fail("Check", nil)
	_, _ = readJSON(t, sys, "apply", "--yes", "-f", file)
	code, object = readJSON(t, sys, "apply", "--yes", "-f", file)
	require.Equal(t, exitOK, code)
	require.Equal(t, false, object["written"], "there was nothing to write")
	require.Equal(t, true, object["settled"])
	code, object = readJSON(t, sys, "plan", "-f", file, "--exit-code")
	require.Equal(t, exitOK, code)
	require.Empty(t, object["changes"])

	// and destroy takes it away again, once.
	code, object = readJSON(t, sys, "destroy", "--yes")
	require.Equal(t, exitOK, code)
	require.Equal(t, true, object["written"])
	require.Equal(t, true, object["settled"])
	require.NotEmpty(t, object["changes"])
	code, object = readJSON(t, sys, "destroy", "--yes")
	require.Equal(t, exitOK, code)
	require.Equal(t, false, object["written"])
	require.Empty(t, object["changes"])
	code, _ = readJSON(t, sys, "plan", "-f", file, "--exit-code")
	require.Equal(t, exitChanges, code)
}

// Who is asked sees what about, beside what a program reads.
func TestQuestionsBesideJSON(t *testing.T) {
	for _, tc := range []struct {
		words []string
		shown string
	}{
		{[]string{"apply", "-f", lanConfig(t)}, "+ primitive"},
		{[]string{"move", "FloatIP", "lb-2"}, "FloatIP moves from lb-1 to lb-2."},
		{[]string{"standby", "lb-1"}, "lb-1 goes into standby"},
	} {
		fake := movable(t)
		if tc.words[0] == "apply" {
			fake = crmtest.New("lb-1", "lb-2")
		}
		sys, _, stderr := testSystem(t, fake)
		sys.interactive, sys.stdin = true, strings.NewReader("no\n")
		code, object := readJSON(t, sys, tc.words...)
		require.Equal(t, exitFailed, code)
		require.Contains(t, message(object), "nothing was changed")
		require.Contains(t, stderr.String(), tc.shown)
		require.Zero(t, fake.Applied())
		require.Greater(t, len(object), 4, "the report is there beside the error")

		stderr.Reset()
		code, _ = readJSON(t, sys, append(tc.words, "--yes")...)
		require.Equal(t, exitOK, code, stderr)
		require.Empty(t, stderr.String())
	}
}

// movable is a cluster whose address stays where it is put.
func movable(t *testing.T) *crmtest.Fake {
	t.Helper()
	c := crmtest.New("lb-1", "lb-2")
	objects := crmtest.Tutorial()
	objects[3].(*crm.Primitive).Meta = crm.Attrs{{Name: "resource-stickiness", Value: "100"}}
	require.NoError(t, c.Edit(objects...))
	return c
}

func TestMoveAsJSON(t *testing.T) {
	fake := movable(t)
	sys, _, _ := testSystem(t, fake)
	fake.Fail("Apply", crm.ErrNoQuorum)
	code, object := readJSON(t, sys, "move", "FloatIP", "lb-2", "--yes")
	require.Equal(t, exitUnavailable, code)
	require.Equal(t, false, object["moved"])
	require.Equal(t, "lb-1", object["from"])
	fake.Fail("Apply", nil)
	code, object = readJSON(t, sys, "move", "FloatIP", "lb-2", "--yes")
	require.Equal(t, exitOK, code, object)
	require.Equal(t, true, object["moved"])
	code, object = readJSON(t, sys, "move", "FloatIP", "lb-2", "--yes")
	require.Equal(t, exitOK, code, object)
	require.Equal(t, false, object["moved"], "it is there")
	require.Equal(t, object["to"], object["from"])
}

// An order that was carried out and did not end well says both.
func TestOrdersAsJSON(t *testing.T) {
	for _, words := range [][]string{{"standby", "lb-1"}, {"maintenance", "on", "lb-2"},
		{"stop", "FloatIP"}, {"cleanup"}, {"online", "lb-1"}, {"start", "FloatIP"}} {
		sys, _, _ := testSystem(t, balancers(t))
		code, object := readJSON(t, sys, append(words, "--yes")...)
		require.Equal(t, exitOK, code, words)
		require.Equal(t, words[0], object["order"])
	}
	fake := balancers(t)
	fake.Fail("Wait", context.DeadlineExceeded)
	sys, _, _ := testSystem(t, fake)
	code, object := readJSON(t, sys, "standby", "lb-1", "--yes")
	require.Equal(t, exitTimeout, code)
	require.Equal(t, true, object["changed"])
	require.Equal(t, false, object["settled"])
}

func TestReloadAsJSON(t *testing.T) {
	c, sys, _, _ := reloadable(t)
	code, object := readJSON(t, sys, "reload", "--yes")
	require.Equal(t, exitOK, code)
	require.Len(t, object["nodes"], 2)
	c.answers = func(s *crm.Status, generation string) {
		says(s, "lb-1", contract.Loaded{Serves: cmp.Or(contract.Demanded(generation), "0123456789ab"), Generation: generation,
			Worker: noon, OldWorkers: 1, Conns: 3, Cut: noon.Add(time.Hour)})
		says(s, "lb-2", contract.Loaded{Serves: oldHash, Asked: generation, Pending: "it is broken"})
	}
	code, object = readJSON(t, sys, "reload", "--yes")
	require.Equal(t, exitDegraded, code)
	require.Contains(t, message(object), "it is broken")
	require.Equal(t, "kept", object["nodes"].([]any)[1].(map[string]any)["state"])
	c.Fail("Apply", crm.ErrNoQuorum)
	code, object = readJSON(t, sys, "reload", "--yes")
	require.Equal(t, exitUnavailable, code)
	require.Len(t, object, 4, "nothing has become of a reload that was not asked for")
}

func TestPushAsJSON(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	require.NoError(t, os.WriteFile(conf, []byte("defaults\n"), 0o600))
	fake := balancers(t)
	refused := ""
	fake.OnStatus(func(cib *crm.CIB, s *crm.Status) {
		p, _ := cib.Primitive("haproxy")
		text, _ := p.Params.Get(contract.ParamPush)
		order, err := contract.ParsePushOrder(text)
		if err != nil || text == "" {
			return
		}
		for _, n := range s.Nodes {
			n.Attributes[contract.PushAttribute(contract.ResourceOf("haproxy"))] =
				contract.PushAnswer{Order: order, Refused: refused}.String()
		}
	})
	sys, _, stderr := testSystem(t, fake)
	code, object := readJSON(t, sys, "reload", "--push", conf, "--yes")
	require.Equal(t, exitOK, code, stderr)
	require.Equal(t, true, object["taken"])
	refused = "no such keyword"
	code, object = readJSON(t, sys, "reload", "--push", conf, "--yes")
	require.NotEqual(t, exitOK, code)
	require.Equal(t, false, object["taken"])
	require.NotEmpty(t, message(object))
	require.Equal(t, "refused", object["nodes"].([]any)[0].(map[string]any)["answer"])
	code, object = readJSON(t, sys, "reload", "--rollback", "--yes")
	require.Equal(t, exitUsage, code)
	require.Len(t, object, 4)
}

// What status has found is no error; that it could not ask is one, which its report tells people.
func TestStatusAsJSON(t *testing.T) {
	sys, _, stderr := testSystem(t, tutorialCluster(t, healthy(), nil))
	sys.Node = "lb-9"
	code, object := readJSON(t, sys, "status")
	require.Equal(t, exitOK, code)
	require.Equal(t, "lb-9", object["node"])
	for cause, want := range map[error]int{crm.ErrNotRunning: exitUnavailable,
		crm.ErrPermission: exitPermission} {
		sys.Cluster = tutorialCluster(t, nil, cause)
		code, object = readJSON(t, sys, "status")
		require.Equal(t, want, code)
		require.Equal(t, "unavailable", object["state"])
		require.Equal(t, object["pacemaker"].(map[string]any)["error"], message(object))
		require.Empty(t, stderr.String())
	}
	sys, _, _ = testSystem(t, balancers(t))
	code, object = readJSON(t, sys, "status")
	require.NotEqual(t, exitOK, code)
	require.NotContains(t, object, "error")
}

func TestDoctorAsJSON(t *testing.T) {
	sys := thisSystem()
	sys.Cluster, sys.Running, sys.SavedCIB, sys.Root = crmtest.New("lb-1"), true, "", true
	sys.stderr = io.Discard
	sys.LocalNode = func(context.Context) (string, error) { return "lb-1", nil }
	_, object := readJSON(t, sys, "doctor", "--node-only")
	require.NotEmpty(t, object["looked"])
	require.Equal(t, "lb-1", object["node"])
	code, object := readJSON(t, sys, "doctor", "--list")
	require.Equal(t, exitOK, code)
	require.Greater(t, len(object["checks"].([]any)), 30)
	require.NotEqual(t, "lb-1", object["checks"], "the cluster was not asked")
}

func TestTimingAsJSON(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "corosync.conf")
	require.NoError(t, os.WriteFile(conf, []byte("totem {\n\tversion: 2\n}\nnodelist {\n\tnode {\n\t\t"+
		"ring0_addr: 10.0.0.1\n\t}\n\tnode {\n\t\tring0_addr: 10.0.0.2\n\t}\n}\n"), 0o600))
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	code, object := readJSON(t, sys, "timing", "--config", conf)
	require.Equal(t, exitOK, code)
	require.Len(t, object["steps"], 5)
	code, object = readJSON(t, sys, "timing", "--config", conf, "--for", "lan")
	require.Equal(t, exitOK, code)
	require.NotEmpty(t, object["totem_section"])
}

// The object says which node it is of, under the cluster's name for it; a cluster that does not say
// is waited for no longer than a moment.
func TestTheNodeInJSON(t *testing.T) {
	file := lanConfig(t)
	for _, tc := range []struct {
		name string
		ask  func(context.Context) (string, error)
		want string
	}{
		{"known", func(context.Context) (string, error) { return "balancer-1", nil }, "balancer-1"},
		{"unknown", func(context.Context) (string, error) { return "", crm.ErrNotRunning }, "lb-1"},
		{"nobody to ask", nil, "lb-1"},
	} {
		sys, _, _ := testSystem(t, crmtest.New("lb-1", "lb-2"))
		sys.LocalNode = tc.ask
		_, object := readJSON(t, sys, "plan", "-f", file)
		require.Equal(t, tc.want, object["node"], tc.name)
		_, object = readJSON(t, sys, "standby", "lb-9", "--yes")
		require.Equal(t, tc.want, object["node"], tc.name)
		_, object = readJSON(t, sys, "check", file)
		require.Equal(t, "lb-1", object["node"], "check asks no cluster")
		at, err := time.Parse(time.RFC3339, object["time"].(string))
		require.NoError(t, err)
		require.True(t, noon.Equal(at))
	}
}

// Ctrl-C is an error as any other, at every moment.
func TestInterruptsAsJSON(t *testing.T) {
	file := lanConfig(t)
	for _, tc := range []struct {
		name    string
		words   []string
		prepare func(sys *system)
	}{
		{"while a file is read", []string{"check", "-"}, func(sys *system) {
			sys.stdin = whoGivesUp{signalled}
		}},
		{"while a plan's file is read", []string{"plan", "-f", "-"}, func(sys *system) {
			sys.stdin = whoGivesUp{signalled}
		}},
		{"while HAProxy checks", []string{"apply", "--yes", "-f", file}, func(sys *system) {
			sys.CheckHAProxy = func(ctx context.Context, _ preflight.HAProxy) error {
				signalled()
				<-ctx.Done()
				return errors.New("haproxy -c did not finish: " + ctx.Err().Error())
			}
		}},
		{"at the question", []string{"apply", "-f", file}, func(sys *system) {
			sys.interactive, sys.stdin = true, whoGivesUp{signalled}
		}},
		{"while the status is asked for", []string{"status"}, func(sys *system) {
			sys.Cluster = askedAndInterrupted{sys.Cluster, signalled}
		}},
		{"while a node is examined", []string{"doctor"}, func(sys *system) {
			sys.Root = true
			sys.Cluster = askedAndInterrupted{sys.Cluster, signalled}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			fake := crmtest.New("lb-1", "lb-2")
			sys := thisSystem()
			other, _, stderr := testSystem(t, fake)
			sys.Host, sys.terminal = other.Host, other.terminal
			tc.prepare(sys)
			code, object := readJSON(t, sys, tc.words...)
			require.Equal(t, exitInterrupted, code, object)
			require.Equal(t, outcome.Interrupted.String(), object["error"].(map[string]any)["kind"])
			require.NotEmpty(t, stderr.String())
			require.Zero(t, fake.Applied())
		})
	}
}

// signalled is Ctrl-C.
func signalled() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) }

// What was done before Ctrl-C is in the object beside the error.
func TestInterruptsAfterTheDeedAsJSON(t *testing.T) {
	for _, tc := range []struct {
		words []string
		fresh bool
		done  string
	}{
		{[]string{"apply", "-f", lanConfig(t)}, true, "written"},
		{[]string{"standby", "lb-1"}, false, "changed"},
	} {
		fake := crmtest.New("lb-1", "lb-2")
		if !tc.fresh {
			fake = balancers(t)
		}
		fake.OnWait(func(ctx context.Context) {
			signalled()
			<-ctx.Done()
		})
		sys, _, stderr := testSystem(t, fake)
		code, object := readJSON(t, sys, append(tc.words, "--yes")...)
		require.Equal(t, exitInterrupted, code, object)
		require.Equal(t, true, object[tc.done])
		require.Equal(t, false, object["settled"])
		require.NotEmpty(t, message(object))
		require.Contains(t, stderr.String(), "hawser: "+strings.SplitN(message(object), "\n", 2)[0])
		require.Equal(t, 1, fake.Applied())
	}
}

// askedAndInterrupted is a cluster that never answers whoever gives up.
type askedAndInterrupted struct {
	crm.Cluster
	giveUp func()
}

func (a askedAndInterrupted) Status(ctx context.Context) (*crm.Status, error) {
	a.giveUp()
	<-ctx.Done()
	return nil, ctx.Err()
}
