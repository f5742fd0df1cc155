package sbd_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/sbd"
)

func TestDaemon(t *testing.T) {
	root := t.TempDir()
	path := func(path string) string { return filepath.Join(root, path) }
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Dir(path(name)), 0o700))
		require.NoError(t, os.WriteFile(path(name), []byte(text), 0o600))
	}
	here, err := sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.False(t, here.Running)

	write("run/sbd.pid", "42\n")
	here, err = sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.False(t, here.Running, "a pid file that was left behind")

	write("proc/42/comm", "sleep\n")
	require.NoError(t, os.Symlink("/usr/bin/sleep", path("proc/42/exe")))
	here, err = sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.False(t, here.Running, "the number is another process's now")

	require.NoError(t, os.Remove(path("proc/42/exe")))
	require.NoError(t, os.Symlink("/usr/sbin/sbd (deleted)", path("proc/42/exe")))
	write("etc/default/sbd", "# SBD_WATCHDOG_TIMEOUT=1\nSBD_WATCHDOG_DEV=\"/dev/watchdog1\"\n"+
		"SBD_WATCHDOG_TIMEOUT=7\n")
	byFile := sbd.Daemon{
		Running: true, Timeout: 7 * time.Second, Word: "7", SaidBy: "/etc/default/sbd",
		Watchdog: "/dev/watchdog1",
	}
	here, err = sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.Equal(t, byFile, here)
	require.Equal(t, 7*time.Second, here.Fires())

	write("proc/77/comm", "pacemakerd\n")
	write("proc/77/status", "\nUid:\t0\t0\t0\t0\n")
	write("proc/77/environ", "PATH=/bin\x00SBD_WATCHDOG_TIMEOUT=5\x00SBD_WATCHDOG_DEV=/dev/watchdog\x00")
	here, err = sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.Equal(t, sbd.Daemon{
		Running: true, Timeout: 5 * time.Second, Word: "5",
		SaidBy: "the environment of pacemakerd", Watchdog: "/dev/watchdog",
	}, here)
	here, err = sbd.Here(root)
	require.NoError(t, err)
	require.Equal(t, byFile, here, "sbd itself reads the file")

	write("run/sbd.pid", "many\n")
	_, err = sbd.AsPacemaker(root)
	require.ErrorContains(t, err, "does not hold the number of a process")

	write("proc/78/comm", "sbd\n")
	here, err = sbd.AsPacemaker(root)
	require.NoError(t, err)
	require.True(t, here.Running, "Pacemaker looks for the name where the file says nothing")
}

func TestFires(t *testing.T) {
	for word, want := range map[string]time.Duration{
		"": 5 * time.Second, "15": 15 * time.Second, "2min": 2 * time.Minute, "soon": 0, "0": 0,
		"-1": 0,
	} {
		root := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/sysconfig"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "etc/sysconfig/sbd"),
			[]byte("SBD_WATCHDOG_TIMEOUT="+word+"\n"), 0o600))
		d, err := sbd.Here(root)
		require.NoError(t, err)
		require.False(t, d.Running)
		require.Equal(t, want, d.Fires(), word)
		require.Equal(t, word, d.Word)
	}
}
