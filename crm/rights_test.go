package crm

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// Who may not connect is told so, not that Pacemaker does not run.
func TestNobodyMayNotAsk(t *testing.T) {
	const child = "TEST_NOBODY"
	if os.Getenv(child) != "" {
		require.False(t, mayAsk())
		e := new(Tools).toolError("cibadmin", "read the configuration", output{
			code: exitDisconnected, stderr: []byte("Could not connect to the CIB"),
		})
		require.ErrorIs(t, e, ErrPermission)
		require.ErrorContains(t, e, "run this as root, or as a member of the group haclient")
		return
	}
	needs.Root(t)
	needs.Command(t, "cibadmin")
	require.True(t, mayAsk())
	// The test's own program is in a directory that is not everybody's.
	text, err := os.ReadFile("/proc/self/exe")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		require.NoError(t, os.Chmod(d, 0o755))
	}
	program := filepath.Join(dir, "crm.test")
	require.NoError(t, os.WriteFile(program, text, 0o755))
	cmd := exec.CommandContext(t.Context(), program, "-test.run", "^TestNobodyMayNotAsk$")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), child+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
