package atomicfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/needs"
)

// Where there is no room for another file, the previous one is written over, as far as it has room.
func TestWriteOver(t *testing.T) {
	needs.Root(t)
	dir := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"),
		"a container needs the right to mount (CAP_SYS_ADMIN)")
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	path, fill := filepath.Join(dir, "state"), filepath.Join(dir, "fill")
	require.NoError(t, atomicfile.WriteOver(path, []byte("a longer text than the next one"), 0o600))
	atomicfile.Reserve(path, 8<<10)
	require.ErrorIs(t, os.WriteFile(fill, make([]byte, 128<<10), 0o600), unix.ENOSPC)
	for _, text := range []string{"short", strings.Repeat("x", 8<<10), "x"} {
		require.NoError(t, atomicfile.WriteOver(path, []byte(text), 0o600))
		require.Equal(t, text, strings.TrimRight(content(t, path), "\n"))
		require.NoFileExists(t, path+atomicfile.Suffix)
	}
	require.NoError(t, atomicfile.WriteOver(path, []byte("kept"), 0o600))
	require.ErrorIs(t, atomicfile.WriteOver(path, make([]byte, 32<<10), 0o600), unix.ENOSPC)
	require.Equal(t, "kept", strings.TrimRight(content(t, path), "\n"))
	require.ErrorIs(t, atomicfile.WriteOver(path+"2", []byte("another"), 0o600), unix.ENOSPC)
}

// Only what this user alone can write is believed.
func TestReadOwn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
	text, err := atomicfile.ReadOwn(path)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	for name, spoil := range map[string]func(path string) error{
		"a link":      func(path string) error { return os.Symlink(filepath.Join(dir, "state"), path) },
		"a pipe":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"nothing":     func(string) error { return nil },
		"writable by a group": func(path string) error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Chmod(path, 0o620) //nolint:gosec // that is the fault
		},
	} {
		other := filepath.Join(dir, name)
		require.NoError(t, spoil(other))
		_, err := atomicfile.ReadOwn(other)
		require.Error(t, err, name)
	}
	if os.Geteuid() == 0 {
		require.NoError(t, os.Lchown(path, 65534, 65534))
		_, err = atomicfile.ReadOwn(path)
		require.ErrorContains(t, err, "is not a file that only uid 0 can write")
	}
}
