package lab_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// TestSystemd takes nodes whose PID 1 is systemd through their life.
func TestSystemd(t *testing.T) {
	needs.Root(t)
	const name = "booted"
	require.NoError(t, lab.Down(t.Context(), name))
	before := machineState(t)
	kernel := kernelSettings(t)

	l, err := lab.Up(t.Context(), lab.Options{Name: name, Nodes: 2, Apps: 1, Systemd: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	traces := tracesOf(t, name)
	s := &life{l}

	require.Equal(t, "running", s.sh(t, "lb-1", "systemctl is-system-running --wait"), "no unit has failed")
	require.Contains(t, s.sh(t, "lb-2", "crm_mon -1"), "Online: [ lb-1 lb-2 ]")
	require.Equal(t, "active", s.sh(t, "lb-1", "systemctl is-active pacemaker"))
	require.Contains(t, s.sh(t, "lb-1", "cat /proc/$(pidof pacemakerd)/cgroup"), "0::/system.slice/pacemaker.service")
	require.Equal(t, "nginx", s.sh(t, "app-1", "ps -o comm= -C nginx | sort -u"), "application servers need no systemd")

	// control groups work: what a service leaves behind ends with it
	s.sh(t, "lb-1", "systemd-run --unit=left --collect sh -c 'sleep 4711 & wait'")
	s.sh(t, "lb-1", "systemctl stop left")
	require.NotContains(t, s.sh(t, "lb-1", "ps ax"), "sleep 4711")

	// the node switches itself off, and the journal of the boot before is there after the next
	s.sh(t, "lb-2", "logger -t test last words")
	_, _, err = s.Exec(t.Context(), "lb-2", "reboot")
	require.NoError(t, err)
	for deadline := time.Now().Add(20 * time.Second); l.Running("lb-2"); time.Sleep(20 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "it is still running")
	}
	require.NoError(t, l.Boot(t.Context(), "lb-2"))
	require.NoError(t, l.WaitCluster(t.Context()))
	require.Equal(t, "last words", s.sh(t, "lb-2", "journalctl -b -1 -t test -o cat"))
	require.Contains(t, s.sh(t, "lb-2", "journalctl -b -1 -o cat"), "Stopped pacemaker.service", "it was stopped in order")
	require.Empty(t, s.sh(t, "lb-2", "journalctl -b -t test -o cat"))
	require.NoError(t, l.Kill("lb-2"))
	require.NoError(t, l.Boot(t.Context(), "lb-2"))
	require.NoError(t, l.Shutdown(t.Context(), "lb-2"))

	require.NoError(t, l.Down(t.Context()))
	traces.requireNone(t)
	require.Equal(t, before, machineState(t))
	require.Equal(t, kernel, kernelSettings(t), "the kernel is the machine's")
	groups, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for line := range strings.Lines(string(groups)) {
		if at := strings.Fields(line)[4]; strings.Contains(line, " - cgroup2 ") {
			require.NoDirExists(t, at+"/hawser-lab."+name)
		}
	}
}

// kernelSettings are some that systemd sets on a machine that it has to itself.
func kernelSettings(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, path := range []string{"kernel/core_pattern", "kernel/pid_max", "kernel/printk", "fs/nr_open", "fs/file-max", "kernel/random/boot_id"} {
		text, err := os.ReadFile("/proc/sys/" + path)
		require.NoError(t, err)
		values[path] = string(text)
	}
	return values
}
