package command_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/command"
)

// ended waits until a process that wrote its number into the file is gone, or a zombie that nobody
// has waited for.
func ended(t *testing.T, file string) {
	t.Helper()
	pid, err := os.ReadFile(file)
	require.NoError(t, err)
	stat := filepath.Join("/proc", strings.TrimSpace(string(pid)), "stat")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(stat)
		return err != nil || strings.Contains(string(text), ") Z ")
	}, 10*time.Second, 10*time.Millisecond, "process %s still runs", pid)
}

// running runs the script until it has written the file named $1, ends its context then, and
// returns how long the end took.
func running(t *testing.T, script string) (pidFile string, took time.Duration, err error) {
	t.Helper()
	pidFile = filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out command.Output
	cmd := command.New(ctx, "/bin/sh", "-c", script, "sh", pidFile)
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		st, err := os.Stat(pidFile)
		return err == nil && st.Size() > 0
	}, 10*time.Second, 5*time.Millisecond)
	began := time.Now()
	cancel()
	err = cmd.Wait()
	return pidFile, time.Since(began), err
}

func TestAProgramThatIgnoresSignals(t *testing.T) {
	pid, took, err := running(t, `trap "" TERM INT; echo $$ >"$1.new"; mv "$1.new" "$1"
		while :; do sleep 1; done`)
	require.ErrorContains(t, err, "killed")
	require.Less(t, took, command.OutputTime)
	ended(t, pid)
}

// What the program has started holds its output, and goes with it.
func TestAGrandchildGoesToo(t *testing.T) {
	pid, took, err := running(t, `sleep 60 & echo $! >"$1.new"; mv "$1.new" "$1"; wait`)
	require.ErrorContains(t, err, "killed")
	require.Less(t, took, command.OutputTime, "nothing holds the output")
	ended(t, pid)
}

// A daemon that a program has left behind holds the output of a program that succeeded.
func TestAGrandchildThatHoldsTheOutput(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	var out command.Output
	cmd := command.New(t.Context(), "/bin/sh", "-c", `setsid sleep 60 & echo $! >"$1"; echo done`,
		"sh", pid)
	cmd.Stdout = &out
	began := time.Now()
	require.ErrorIs(t, cmd.Run(), exec.ErrWaitDelay)
	require.Less(t, time.Since(began), 30*time.Second)
	require.Equal(t, "done\n", out.String())
	text, err := os.ReadFile(pid)
	require.NoError(t, err)
	require.NoError(t, exec.Command("kill", strings.TrimSpace(string(text))).Run())
}

// A context that ends when the program is gone already changes nothing of its success.
func TestASuccessStaysOne(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := command.New(ctx, "/bin/true")
	require.NoError(t, cmd.Start())
	_, err := cmd.Process.Wait()
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, cmd.Cancel(), os.ErrProcessDone)
}

func TestOutputIsBounded(t *testing.T) {
	var out command.Output
	cmd := command.New(t.Context(), "/bin/sh", "-c",
		`head -c 3000000 /dev/zero | tr '\0' x; echo the end`)
	cmd.Stdout = &out
	require.NoError(t, cmd.Run(), "it is read to its end")
	require.Len(t, out.Bytes(), 1<<20)
	require.NotContains(t, out.String(), "the end")
}
