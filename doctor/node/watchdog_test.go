package node_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
)

// TestMain lets this binary be a program of another name, which sleeps with a file open: "sbd",
// "haproxy".
func TestMain(m *testing.M) {
	if path := os.Getenv("DOCTOR_TEST_HOLD"); path != "" {
		f, err := os.Open(path)
		if err != nil {
			os.Exit(1)
		}
		fmt.Println("holding")
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the test is over
		_ = f.Close()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// holds has a program of that name keep a file open.
func (w *world) holds(name, path string) {
	w.t.Helper()
	program := filepath.Join(w.root, name)
	self, err := os.ReadFile("/proc/self/exe")
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(program, self, 0o755))
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "DOCTOR_TEST_HOLD="+path)
	stdin, err := cmd.StdinPipe()
	require.NoError(w.t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start())
	w.t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
	_, err = stdout.Read(make([]byte, 8)) // it has the file open
	require.NoError(w.t, err)
}

func (w *world) dog(state, nowayout string) {
	w.write("sys/class/watchdog/watchdog0/state", state+"\n", 0o644)
	w.write("sys/class/watchdog/watchdog0/nowayout", nowayout+"\n", 0o644)
	w.write("sys/class/watchdog/watchdog0/identity", "Software Watchdog\n", 0o644)
	w.write("dev/watchdog", "", 0o600)
}

// noRestartOfSBD: systemd refuses to start or stop its unit by itself (RefuseManualStart,
// RefuseManualStop).
func (w *world) noRestartOfSBD() {
	for _, f := range w.finds("watchdog") {
		require.NotContains(w.t, strings.Join(f.Fix, "\n"), "restart sbd")
	}
}

// The watchdog itself is files: this kernel has none, and a real one would reset the machine.
func TestWatchdog(t *testing.T) {
	relies := nv("stonith-watchdog-timeout", "10s")
	t.Run("none, and none wanted",
		func(t *testing.T) { require.Empty(t, newWorld(t).finds("watchdog")) })
	t.Run("idle", func(t *testing.T) {
		w := newWorld(t)
		w.dog("inactive", "0")
		require.Empty(t, w.finds("watchdog"))
	})
	t.Run("pending, fed by nobody", func(t *testing.T) {
		w := newWorld(t)
		w.dog("active", "1")
		w.findsOne("watchdog", doctor.Error,
			"runs and cannot be stopped (nowayout), and no program feeds it",
			"systemctl restart corosync.service pacemaker.service")
		w.noRestartOfSBD()
	})
	t.Run("a kernel that does not say", func(t *testing.T) {
		w := newWorld(t)
		w.dog("", "")
		w.findsOne("watchdog", doctor.Unknown, "this kernel does not say", "wdctl /dev/watchdog0")
	})
	t.Run("wanted, and there is none", func(t *testing.T) {
		w := newWorld(t)
		w.properties = relies
		w.findsOne("watchdog", doctor.Error, "this node has none", "modprobe softdog")
	})
	t.Run("wanted, and sbd does not run", func(t *testing.T) {
		w := newWorld(t)
		w.properties = relies
		w.dog("inactive", "0")
		w.findsOne("watchdog", doctor.Error, "sbd does not run here",
			"systemctl enable sbd.service")
	})
	t.Run("wanted, and another program has it", func(t *testing.T) {
		w := newWorld(t)
		w.properties = relies
		w.dog("active", "0")
		w.holds("systemd", filepath.Join(w.root, "dev/watchdog"))
		found := w.finds("watchdog")
		require.Contains(t, found[0].What, "belongs to systemd")
		require.Contains(t, strings.Join(found[0].Fix, "\n"), "RuntimeWatchdogSec")
		w.noRestartOfSBD()
	})
	t.Run("wanted, and sbd has another file open", func(t *testing.T) {
		w := newWorld(t)
		w.properties = relies
		w.dog("inactive", "0")
		w.holds("sbd", "/dev/null")
		w.findsOne("watchdog", doctor.Error, "sbd runs here and has no watchdog open",
			"SBD_WATCHDOG_DEV")
	})
	t.Run("not wanted: 0s", func(t *testing.T) {
		w := newWorld(t)
		w.properties = nv("stonith-watchdog-timeout", "0s")
		require.Empty(t, w.finds("watchdog"))
	})
	t.Run("two owners", func(t *testing.T) {
		w := newWorld(t)
		w.dog("active", "0")
		w.holds("watchdogd", filepath.Join(w.root, "dev/watchdog"))
		w.holds("systemd", filepath.Join(w.root, "dev/watchdog"))
		w.findsOne("watchdog", doctor.Error, "is open in several programs", "fuser")
	})
	t.Run("wanted, and sbd feeds it", func(t *testing.T) {
		w := newWorld(t)
		w.properties = relies
		w.dog("active", "0")
		w.holds("sbd", filepath.Join(w.root, "dev/watchdog"))
		require.Empty(t, w.finds("watchdog"))
	})
}
