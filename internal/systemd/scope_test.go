package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// A control group of that name that another user made is not the scope, and what is in it is left
// alone.
func TestScopeOfAnotherUser(t *testing.T) {
	needs.Root(t)
	s := Scope{Name: fmt.Sprintf("hawser-test-%d.scope", os.Getpid())}
	place := ""
	for _, dir := range []string{cgroups, cgroups + "/systemd", cgroups + "/unified"} {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			place = filepath.Join(dir, s.Name)
			break
		}
	}
	require.NotEmpty(t, place, "this test needs systemd's control groups, or those of v2, below %s", cgroups)
	require.NoError(t, os.Mkdir(place, 0o755))
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		require.NoError(t, os.Remove(place))
	})
	require.False(t, s.Has(cmd.Process.Pid))
	require.NoError(t, os.WriteFile(filepath.Join(place, "cgroup.procs"),
		fmt.Append(nil, cmd.Process.Pid), 0))
	require.True(t, s.Has(cmd.Process.Pid))
	require.NoError(t, os.Chown(place, 65534, 65534))
	require.False(t, s.Has(cmd.Process.Pid))
	require.False(t, s.Kill(cmd.Process.Pid))
}
