package fence_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/fence"
)

const crashes = "FENCE_TEST_CRASHES"

// TestACrashIsNotOff has a process crash as a Go program does without memory, without threads, and
// on SIGQUIT.
func TestACrashIsNotOff(t *testing.T) {
	if os.Getenv(crashes) != "" {
		fence.DieBySignal()
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGQUIT))
		time.Sleep(time.Minute) // the signal comes before
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestACrashIsNotOff$")
	cmd.Env, cmd.Dir = append(os.Environ(), crashes+"=1"), dir
	said, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	signalled := status.Signaled() //nolint:misspell // package syscall's word
	require.True(t, signalled, "it ended with exit code %d: %s", exit.ExitCode(), said)
	require.False(t, status.CoreDump())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
