package ocf_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/ocf"
)

func TestAPanicIsAPassingFault(t *testing.T) {
	r := toyOf(t, map[string]string{"fault": "panics"})
	result := r.Start()
	require.Equal(t, ocf.ErrGeneric, result.Code)
	require.Contains(t, result.Reason, "this is a fault of the agent, please report it: no such toy")
	require.Equal(t, ocf.Success, r.Stop().Code, "the lock is free")
}

const crashes = "OCF_TEST_CRASHES"

// TestACrashIsNoWrongParameter has a process crash as a Go program does without memory, without
// threads, and on SIGQUIT.
func TestACrashIsNoWrongParameter(t *testing.T) {
	if os.Getenv(crashes) != "" {
		var before, after unix.Rlimit
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &before))
		ocf.DieBySignal()
		require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &after))
		require.Equal(t, before, after, "HAProxy would inherit it")
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGQUIT))
		time.Sleep(time.Minute) // the signal comes before
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestACrashIsNoWrongParameter$")
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
