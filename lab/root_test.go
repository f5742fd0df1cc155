package lab_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// TestRoot gives the nodes another root file system, which is the machine's with a file more.
func TestRoot(t *testing.T) {
	needs.Root(t)
	const name = "other-root"
	require.NoError(t, lab.Down(t.Context(), name))
	before := machineState(t)
	disk := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", disk, "tmpfs", 0, "")) // overlayfs cannot write on every file system
	t.Cleanup(func() { require.NoError(t, unix.Unmount(disk, unix.MNT_DETACH)) })
	at := func(dir string) string { return filepath.Join(disk, dir) }
	for _, dir := range []string{"upper/etc", "work", "root"} {
		require.NoError(t, os.MkdirAll(at(dir), 0o755))
	}
	require.NoError(t, os.WriteFile(at("upper/etc/another"), []byte("root"), 0o644))
	require.NoError(t, unix.Mount("overlay", at("root"), "overlay", 0,
		"lowerdir=/,upperdir="+at("upper")+",workdir="+at("work")))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(at("root"), unix.MNT_DETACH)) })

	l, err := lab.Up(t.Context(), lab.Options{Name: name, Root: at("root"), Nodes: 1, Apps: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lab.Down(context.Background(), name)) }) // before its root is unmounted
	for _, node := range []string{"lb-1", "app-1", "client"} {
		out, _, err := l.Exec(t.Context(), node, "cat", "/etc/another")
		require.NoError(t, err, node)
		require.Equal(t, "root", out, node)
	}
	_, _, err = l.Exec(t.Context(), "lb-1", "touch", "/etc/from-the-node")
	require.NoError(t, err)
	require.NoFileExists(t, at("root/etc/from-the-node"))
	require.NoError(t, l.Down(context.Background()))
	require.Equal(t, before, machineState(t))
}

func TestRootRefused(t *testing.T) {
	needs.Root(t)
	empty := t.TempDir()
	_, err := lab.Up(t.Context(), lab.Options{Name: "refused", Root: empty, Systemd: true})
	require.Error(t, err)
	for _, what := range []string{"corosync: not found", "haproxy: not found", "systemd: not found", "the nodes' root " + empty, "make root"} {
		require.ErrorContains(t, err, what)
	}
	require.Equal(t, 1, strings.Count(err.Error(), "pacemakerd"))
	_, err = lab.Up(t.Context(), lab.Options{Name: "refused", Root: "/no/such/directory"})
	require.ErrorContains(t, err, "the nodes' root: stat /no/such/directory")
	require.NotContains(t, err.Error(), "corosync")
	require.NoFileExists(t, filepath.Join(lab.Root, "refused.lock"))
}
