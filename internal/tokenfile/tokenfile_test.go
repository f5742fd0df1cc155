package tokenfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/tokenfile"
)

func TestTokenFile(t *testing.T) {
	needs.Root(t) // to give files away
	const nobody = 65534
	for name, test := range map[string]struct {
		make   func(t *testing.T, dir string) (path string)
		kind   fault.Kind
		reason string
	}{
		"good":      {make: func(t *testing.T, dir string) string { return file(t, dir, 0o600) }},
		"read-only": {make: func(t *testing.T, dir string) string { return file(t, dir, 0o400) }},
		"missing": {make: func(_ *testing.T, dir string) string {
			return dir + "/token"
		}, kind: fault.NotInstalled,
			reason: "is missing on this node: write the token into it (mode 0600, owner root)"},
		"readable by its group": {make: func(t *testing.T, dir string) string {
			return file(t, dir, 0o640)
		}, kind: fault.Denied,
			reason: "is open to others (mode 0640): chmod 0600"},
		"readable by all": {make: func(t *testing.T, dir string) string {
			return file(t, dir, 0o604)
		}, kind: fault.Denied,
			reason: "is open to others (mode 0604): chmod 0600"},
		"another's": {make: func(t *testing.T, dir string) string {
			path := file(t, dir, 0o600)
			require.NoError(t, os.Chown(path, nobody, nobody))
			return path
		}, kind: fault.Denied, reason: "belongs to uid 65534: chown root:root "},
		"in a directory that others may write to": {make: func(t *testing.T, dir string) string {
			require.NoError(t, os.Chmod(dir, 0o777))
			return file(t, dir, 0o600)
		}, kind: fault.Denied, reason: "others may write to "},
		"in another's directory": {make: func(t *testing.T, dir string) string {
			require.NoError(t, os.Chown(dir, nobody, nobody))
			return file(t, dir, 0o600)
		}, kind: fault.Denied, reason: "could put another file in its place: chown -h root "},
		"in a sticky directory": {make: func(t *testing.T, dir string) string {
			require.NoError(t, os.Chmod(dir, 0o777|os.ModeSticky))
			return file(t, dir, 0o600)
		}},
		"by a link": {make: func(t *testing.T, dir string) string {
			require.NoError(t, os.Mkdir(dir+"/real", 0o700))
			file(t, dir+"/real", 0o600)
			require.NoError(t, os.Symlink("./real/../real/token", dir+"/link"))
			return dir + "/link"
		}},
		"by a link to a directory that others may write to": {make: func(t *testing.T,
			dir string) string {
			require.NoError(t, os.Mkdir(dir+"/open", 0o700))
			file(t, dir+"/open", 0o600)
			require.NoError(t, os.Chmod(dir+"/open", 0o777))
			require.NoError(t, os.Symlink(dir+"/open/token", dir+"/link"))
			return dir + "/link"
		}, kind: fault.Denied, reason: "others may write to "},
		"by another's link": {make: func(t *testing.T, dir string) string {
			file(t, dir, 0o600)
			require.NoError(t, os.Symlink("token", dir+"/link"))
			require.NoError(t, os.Lchown(dir+"/link", nobody, nobody))
			return dir + "/link"
		}, kind: fault.Denied, reason: "belongs to uid 65534, who could put another file in its " +
			"place"},
		"by a link to itself": {make: func(t *testing.T, dir string) string {
			require.NoError(t, os.Symlink("link", dir+"/link"))
			return dir + "/link"
		}, kind: fault.NotInstalled, reason: "too many symbolic links"},
		"a directory": {make: func(_ *testing.T, dir string) string {
			return dir
		}, kind: fault.NotInstalled, reason: "is not a file but d"},
		"a FIFO": {make: func(t *testing.T, dir string) string {
			require.NoError(t, syscall.Mkfifo(dir+"/token", 0o600))
			return dir + "/token"
		}, kind: fault.NotInstalled, reason: "is not a file but p"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Chmod(dir, 0o700))
			token, err := tokenfile.Read(test.make(t, dir))
			if test.reason == "" {
				require.NoError(t, err)
				require.Equal(t, "secret-token", token)
				return
			}
			require.ErrorContains(t, err, test.reason)
			require.Equal(t, test.kind, fault.Of(err))
			require.NotContains(t, err.Error(), "secret-token")
			require.Empty(t, token)
		})
	}
}

func file(t *testing.T, dir string, mode os.FileMode) string {
	path := filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(path, []byte("  secret-token\n"), mode))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func FuzzToken(f *testing.F) {
	for _, seed := range []string{"dop_v1_abc\n", "", "a b", "a\r\nX-Header: b", "\x00",
		strings.Repeat("x", 5000), "tökén"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		token, err := tokenfile.Parse("text", text)
		if err != nil {
			require.Empty(t, token)
			return
		}
		require.NotEmpty(t, token)
		require.Equal(t, token, strings.TrimSpace(string(text)))
		require.NotContains(t, token, " ")
		for _, c := range []byte(token) {
			require.True(t, c > ' ' && c <= '~', "it can stand in a header")
		}
	})
}
