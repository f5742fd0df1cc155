package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	require.NoError(t, atomicfile.Write(path, []byte("1"), 0o600))
	held, err := os.Open(path)
	require.NoError(t, err)
	defer func() { _ = held.Close() }()
	require.NoError(t, os.WriteFile(path+atomicfile.Suffix, []byte("left by one that was killed"), 0o600))
	require.NoError(t, atomicfile.Write(path, []byte("2"), 0o600))
	require.Equal(t, "2", content(t, path))
	old := make([]byte, 1)
	_, err = held.Read(old)
	require.NoError(t, err)
	require.Equal(t, "1", string(old), "who has the previous file open goes on reading that")
	require.NoFileExists(t, path+atomicfile.Suffix)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	require.ErrorContains(t, atomicfile.Write(filepath.Join(path, "x"), nil, 0o600), path+"/x")
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	like, path := filepath.Join(dir, "like"), filepath.Join(dir, "path")
	require.NoError(t, os.WriteFile(like, nil, 0o640))
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(like, 12, 34))
	}
	// A link that somebody put in place of the file being written is not followed.
	require.NoError(t, os.Symlink(like, path+atomicfile.Suffix))
	require.NoError(t, atomicfile.Replace(path, []byte("new"), like, 0o644))
	require.Equal(t, "new", content(t, path))
	require.Empty(t, content(t, like))
	want, err := os.Stat(like)
	require.NoError(t, err)
	got, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, want.Mode(), got.Mode())
	require.Equal(t, owner(want), owner(got))

	other := filepath.Join(dir, "other")
	require.NoError(t, atomicfile.Replace(other, []byte("x"), filepath.Join(dir, "missing"), 0o644))
	got, err = os.Stat(other)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), got.Mode())
	require.Error(t, atomicfile.Replace(filepath.Join(dir, "no", "where"), nil, like, 0o644))
}
