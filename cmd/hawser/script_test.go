package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines/machinestest"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/golden"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/share/schemas/schemastest"
)

// What the scripts may set in the environment.
const (
	testTools   = "TEST_TOOLS"   // a directory with Pacemaker's tools
	testMeddler = "TEST_MEDDLER" // a command that edits the configuration between a plan and its being written
	testYes     = "TEST_YES"     // there is a terminal
	testNode    = "TEST_NODE"    // this machine's name
	testTime    = "TEST_TIME"    // what time it is
)

func TestMain(m *testing.M) {
	if code, is := machinestest.Tool(os.Stdin, os.Stdout, os.Stderr); is {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){"hawser": func() {
		sys := thisSystem()
		tools := &crm.Tools{Dir: os.Getenv(testTools)}
		sys.Cluster = tools
		if command := os.Getenv(testMeddler); command != "" {
			sys.Cluster = &meddled{Tools: tools, command: command}
		}
		sys.interactive = os.Getenv(testYes) != ""
		if node := os.Getenv(testNode); node != "" {
			sys.Node = node
		}
		if now, err := time.Parse(time.RFC3339, os.Getenv(testTime)); err == nil {
			sys.Now = func() time.Time { return now }
		}
		out := &reader{to: sys.stdout}
		sys.stdout = out
		code := run(os.Args, sys)
		// Whatever a script is about: what is printed with --json is what the schema describes.
		text := slices.Contains(os.Args, "--help") || slices.Contains(os.Args, "--nagios")
		if sys.json && out.read.Len() > 0 && (sys.told || !text) {
			if err := schemastest.Conforms(os.Args, out.read.Bytes()); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = notAsDescribed
			}
		}
		if lines := tooWide(os.Args, out.read.String()); len(lines) > 0 {
			fmt.Fprintf(os.Stderr, "longer than a terminal is wide:\n%s\n", strings.Join(lines, "\n"))
			code = notAsDescribed
		}
		os.Exit(code)
	}})
}

// notAsDescribed is no exit code of the program's.
const notAsDescribed = 99

// meddled is a cluster with another administrator, who edits the configuration just before a plan is written.
type meddled struct {
	*crm.Tools
	command string
}

func (m *meddled) Apply(ctx context.Context, p crm.Plan) error {
	if m.command != "" {
		if out, err := exec.CommandContext(ctx, "sh", "-c", m.command).CombinedOutput(); err != nil {
			return errors.New(m.command + ": " + string(out))
		}
		m.command = ""
	}
	return m.Tools.Apply(ctx, p)
}

func TestScripts(t *testing.T) {
	for _, command := range []string{"cibadmin", "crm_verify", "crm_simulate", "crm_diff", "crm_mon", "haproxy"} {
		needs.Command(t, command)
	}
	needs.Root(t)
	// How long paths are decides where lines are wrapped.
	root := fmt.Sprintf("/tmp/hawser-%08x", rand.Uint32()) //nolint:gosec // only another one each time
	require.NoError(t, os.Mkdir(root, 0o700))
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	testscript.Run(t, testscript.Params{
		Dir: "testdata", WorkdirRoot: root,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CIB_file", filepath.Join(e.WorkDir, "cib.xml"))
			e.Setenv("PATH", e.Getenv("PATH")+":/usr/sbin:/sbin")
			e.Setenv("HAWSER_RUNDIR", filepath.Join(e.WorkDir, "run"))
			e.Setenv("TZ", "UTC")
			return os.WriteFile(filepath.Join(e.WorkDir, "cib.xml"), crmtest.Seed("lb-1", "lb-2", "lb-3"), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exitsWith,
			"sub":   substitute,
		},
		RequireExplicitExec: true,
		UpdateScripts:       golden.Updating(),
	})
}

// exitsWith runs a program and demands an exit code: "exits 2 hawser plan -f x.yaml".
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGUMENT…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	ts.Logf("exit code %d", got)
	if got != want {
		ts.Fatalf("%s exits with %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// substitute replaces a text in a file: "sub FILE OLD NEW".
func substitute(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sub FILE OLD NEW")
	}
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	if !strings.Contains(string(text), args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(file, []byte(strings.ReplaceAll(string(text), args[1], args[2])), 0o600)) //nolint:gosec // the script's own file
}
