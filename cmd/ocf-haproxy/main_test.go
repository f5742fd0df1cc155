package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const isAgent = "OCF_TEST_IS_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(isAgent) != "" {
		os.Args = []string{"haproxy", "monitor"}
		main()
	}
	os.Exit(m.Run())
}

// TestACrashEndsTheAgentBySignal crashes a monitor as the runtime does where it finds no thread:
// exit code 2 would say that a parameter is wrong, for which Pacemaker bans the node.
func TestACrashEndsTheAgentBySignal(t *testing.T) {
	dir := t.TempDir()
	lock, err := os.Create(filepath.Join(dir, ".toy.lock"))
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)) // so that the monitor waits
	agent := exec.Command(os.Args[0])
	agent.Dir = dir
	agent.Env = []string{isAgent + "=1", "OCF_RESOURCE_INSTANCE=toy", "HAWSER_RUNDIR=" + dir,
		"OCF_RESKEY_CRM_meta_interval=0"}
	require.NoError(t, agent.Start())
	time.Sleep(500 * time.Millisecond)
	require.NoError(t, agent.Process.Signal(syscall.SIGQUIT))
	var exit *exec.ExitError
	require.True(t, errors.As(agent.Wait(), &exit))
	status, ok := exit.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	signalled := status.Signaled() //nolint:misspell // package syscall's word
	require.True(t, signalled, "it ended with exit code %d", exit.ExitCode())
	require.False(t, status.CoreDump())
}
