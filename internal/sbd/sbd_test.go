package sbd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/sbd"
)

func TestRead(t *testing.T) {
	root := t.TempDir()
	s, path, err := sbd.Read(root)
	require.NoError(t, err)
	require.Empty(t, path)
	require.Empty(t, s)

	write := func(path, text string) {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write("/etc/sysconfig/sbd", "SBD_WATCHDOG_TIMEOUT=9\n")
	s, path, err = sbd.Read(root)
	require.NoError(t, err)
	require.Equal(t, "/etc/sysconfig/sbd", path)
	require.Equal(t, sbd.Settings{sbd.Timeout: "9"}, s)

	write("/etc/default/sbd",
		"# SBD_WATCHDOG_TIMEOUT=7\nSBD_WATCHDOG_TIMEOUT=\"5\"\nSBD_DEVICE=\n SBD_WATCHDOG_DEV = "+
			"'/dev/watchdog1' \nPATH=/bin\nSBD_OPTS\n")
	s, path, err = sbd.Read(root)
	require.NoError(t, err)
	require.Equal(t, "/etc/default/sbd", path)
	require.Equal(t, sbd.Settings{sbd.Timeout: "5", sbd.Watchdog: "/dev/watchdog1"}, s)
}
