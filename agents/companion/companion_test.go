package companion_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/companion"
)

func TestEnvironHasWhatPacemakersToolsNeed(t *testing.T) {
	t.Setenv("PCMK_ipc_buffer", "1000000")
	t.Setenv("SECRET", "x")
	env := companion.Environ()
	require.Contains(t, env, "PCMK_ipc_buffer=1000000")
	require.False(t, slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "SECRET=") }))
}

func TestDetach(t *testing.T) {
	pid, ended, err := companion.Detach("/bin/cat", "cat", nil) // of nothing, which ends at once
	require.NoError(t, err)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("its end is not seen")
	}
	require.NotEqual(t, os.Getpid(), pid)

	_, _, err = companion.Detach("/nonexistent", "name", nil)
	require.ErrorContains(t, err, "cannot start name")
}
