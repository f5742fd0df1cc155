package node_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/needs"
)

// What has become read-only, as it does when the kernel finds errors; HAProxy's configuration may
// be so on purpose.
func TestReadOnlyDisk(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	for dir, found := range map[string]int{"var/log": 1, "etc/haproxy": 0} {
		at := filepath.Join(w.root, dir)
		require.NoError(t, os.MkdirAll(at, 0o755))
		require.NoError(t, unix.Mount("tmpfs", at, "tmpfs", unix.MS_RDONLY, "size=64m"))
		t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
		n := 0
		for _, f := range w.finds("disk") {
			if f.Subject == at {
				require.Equal(t, doctor.Error, f.Severity)
				require.Contains(t, f.What, "read-only")
				n++
			}
		}
		require.Equal(t, found, n, dir)
	}
}

func TestFullDisk(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	at := filepath.Join(w.root, "etc/haproxy")
	require.NoError(t, unix.Mount("tmpfs", at, "tmpfs", 0, "size=64m"))
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	on := func() []doctor.Finding {
		var here []doctor.Finding
		for _, f := range w.finds("disk") {
			if f.Subject == at {
				here = append(here, f)
			}
		}
		return here
	}
	require.Empty(t, on())
	require.NoError(t, os.WriteFile(filepath.Join(at, "core"), make([]byte, 62<<20), 0o600))
	require.Equal(t, doctor.Warning, on()[0].Severity)
	require.NoError(t, os.WriteFile(filepath.Join(at, "core2"), make([]byte, 2<<20-64<<10), 0o600))
	require.Equal(t, doctor.Error, on()[0].Severity)
	require.Equal(t, []string{"df -h " + at}, on()[0].Fix)

	require.NoError(t, unix.Unmount(at, unix.MNT_DETACH))
	require.NoError(t, unix.Mount("tmpfs", at, "tmpfs", 0, "size=64m,nr_inodes=50"))
	require.Equal(t, doctor.Error, on()[0].Severity, "no room for files")
	require.Equal(t, []string{"df -i " + at}, on()[0].Fix)
}
