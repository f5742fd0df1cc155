package machines_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
)

// What a machine prints comes back byte by byte, also where the last line of a file has no end.
func TestParts(t *testing.T) {
	for _, text := range []string{"", "a", "a\n", "a\n\n", "a\n\nb"} {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		here := machines.SSH{Here: "lb-1"}
		parts, err := machines.Ask(t.Context(), here, "lb-1",
			machines.Marks+"\necho noise; s one; cat "+file+"; s two; echo 2; s end; :")
		require.NoError(t, err)
		require.Equal(t, text, parts["one"])
		require.Equal(t, "2\n", parts["two"])
	}
	_, err := machines.Ask(t.Context(), machines.SSH{Here: "lb-1"}, "lb-1", "echo half")
	require.ErrorContains(t, err, "incomplete")
}

// The command that takes ssh's place gets a machine's name and a line for its shell, whatever is in it.
func TestTheCommandInSSHsPlace(t *testing.T) {
	dir := t.TempDir()
	command := filepath.Join(dir, "reach")
	require.NoError(t, os.WriteFile(command, []byte(`#!/bin/sh
echo "$#: $1 $2" >>`+dir+`/log
shift 2
exec sh -c "$*"
`), 0o700)) //nolint:gosec // a program
	reach := machines.SSH{Command: []string{command, "-q"}, Here: "lb-1"}
	out, err := reach.Run(t.Context(), "lb-2", `echo 'it'"'"'s "$((1+1))"'; cat`, []byte("in\x00put"))
	require.NoError(t, err)
	require.Equal(t, "it's \"$((1+1))\"\nin\x00put", out)
	log, err := os.ReadFile(dir + "/log")
	require.NoError(t, err)
	require.Equal(t, "3: -q lb-2\n", string(log))

	_, err = reach.Run(t.Context(), "lb-2", "echo one >&2; echo two >&2; exit 3", nil)
	var failed *machines.FailedError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, 3, failed.Code)
	require.EqualError(t, err, "on lb-2: one; two")
	_, err = reach.Run(t.Context(), "lb-2", "exit 255", nil)
	var unreachable *machines.UnreachableError
	require.ErrorAs(t, err, &unreachable, "ssh itself fails so")
	_, err = machines.SSH{Command: []string{"/no/such/ssh"}}.Run(t.Context(), "lb-2", "true", nil)
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, "/no/such/ssh lb-2")
}

// A file is put into its place whole, or stays as it was.
func TestAFileIsWholeOrAsItWas(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "conf")
	require.NoError(t, os.WriteFile(file, []byte("old"), 0o600))
	require.NoError(t, os.Symlink(file, filepath.Join(dir, "link")))
	step := machines.Step{On: "lb-1", Does: "write", Into: filepath.Join(dir, "link"), Mode: "0640",
		Kept: true, Was: "old", Input: &machines.Text{Bytes: []byte("new\n")}, Line: "cat " + file,
		Output: &machines.Text{}}
	plan := machines.Plan{Parts: [][]machines.Step{{step}}}
	do := func(on machines.Shell) error {
		return plan.Do(t.Context(), on, func(int, int, machines.Step) {})
	}
	here := machines.SSH{Here: "lb-1"}
	require.Error(t, do(cutting{here}), "the connection broke")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	require.NoError(t, do(here))
	require.Equal(t, "new\n", string(step.Output.Bytes))
	st, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), st.Mode().Perm())
	text, err = os.ReadFile(file + ".old")
	require.NoError(t, err)
	require.Equal(t, "old", string(text))
	require.ErrorContains(t, do(here), "changed by somebody else meanwhile")
}

// What a command line prints may be a key: no error repeats it.
func TestAKeyIsInNoError(t *testing.T) {
	step := machines.Step{On: "lb-1", Does: "hand out the key", Line: "echo a-secret; exit 3",
		Output: &machines.Text{Name: "key", Secret: true}}
	err := machines.Plan{Parts: [][]machines.Step{{step}}}.Do(t.Context(), machines.SSH{Here: "lb-1"},
		func(int, int, machines.Step) {})
	require.ErrorContains(t, err, "on lb-1: exit code 3")
	require.NotContains(t, err.Error(), "a-secret")
}

// cutting passes on half of what a command line reads.
type cutting struct{ machines.Shell }

func (c cutting) Run(ctx context.Context, machine, line string, input []byte) (string, error) {
	return c.Shell.Run(ctx, machine, line, input[:len(input)/2])
}

// The PATH of a root that `su` has made lacks the directories of Corosync's tools.
func TestToolsAreFound(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	for _, machine := range []string{"lb-1", "lb-2"} {
		reach := machines.SSH{Command: []string{"/bin/sh", "-c", `eval "$1"`}, Here: "lb-1"}
		out, err := reach.Run(t.Context(), machine, `echo "$PATH"`, nil)
		require.NoError(t, err)
		require.Contains(t, out, "/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", machine)
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"": "''", "a-b_1.c": "a-b_1.c", "a b": "'a b'",
		"it's": `'it'\''s'`, "$x": "'$x'"} {
		require.Equal(t, want, machines.Quote(in))
	}
	require.False(t, strings.Contains(machines.DefaultCommand, "StrictHostKeyChecking"))
}
