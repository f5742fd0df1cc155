package haproxy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// installed returns the program as it is installed, by another name.
func (w *world) installed() string {
	program := w.path("ocf-haproxy")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=1.2.3",
		"-o", program, "../../cmd/ocf-haproxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(w.t, err, string(out))
	return program
}

// TestUpgradeOfTheAgent: the next monitor replaces an old keeper, while HAProxy keeps running.
func TestUpgradeOfTheAgent(t *testing.T) {
	w := newKeptWorld(t)
	program := w.installed()
	act := func(action string) {
		cmd := exec.Command(program, action)
		cmd.Env = os.Environ()
		for name, value := range w.r.Env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		for name, value := range w.r.Params {
			cmd.Env = append(cmd.Env, "OCF_RESKEY_"+name+"="+value)
		}
		cmd.Env = append(cmd.Env, "OCF_RESOURCE_INSTANCE="+w.r.Instance,
			"OCF_RESKEY_CRM_meta_interval=10000", "OCF_RESKEY_CRM_meta_timeout=20000")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	act("start")
	w.guards()
	master := w.master().PID
	keeper, standby := w.keepers()
	act("monitor")
	again, _ := w.keepers()
	require.Equal(t, keeper, again, "nothing has changed")

	text, err := os.ReadFile(program)
	require.NoError(t, err)
	require.NoError(t, os.Remove(program))
	require.NoError(t, os.WriteFile(program, text, 0o755)) //nolint:gosec // a program
	act("monitor")
	w.guards()
	again, againStandby := w.keepers()
	require.NotEqual(t, keeper, again)
	require.NotEqual(t, standby, againStandby)
	require.Equal(t, master, w.master().PID)
}

// TestKeeperIsSmall runs the program that is installed.
func TestKeeperIsSmall(t *testing.T) {
	w := newKeptWorld(t)
	program := w.installed()
	w.tune = func(a *agent) { a.Program = program }
	w.guarded()
	keeper, standby := w.keepers()
	cpu := func() time.Duration {
		return procfs.Default.Schedule(keeper[0]).Ran + procfs.Default.Schedule(standby[0]).Ran
	}
	before := cpu()
	const watched = 5 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), watched)
	defer cancel()
	<-ctx.Done()
	used := cpu() - before
	for _, pid := range append(keeper, standby...) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				var kib int
				_, err := fmt.Sscan(rest, &kib)
				require.NoError(t, err)
				t.Logf("pid %d: at most %d KiB", pid, kib)
				require.Less(t, kib, 16<<10)
			}
		}
	}
	t.Logf("%v of a processor's time in %v", used, watched)
	require.Less(t, used, watched/100)
}
