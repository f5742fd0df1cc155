package haproxy

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A configuration is touched by whatever puts another text in its place, and by nothing else.
func TestUntouched(t *testing.T) {
	for name, c := range map[string]struct {
		does    func(dir string) error
		touched bool
	}{
		"an edit": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/haproxy/haproxy.cfg"), []byte("x"), 0o600)
		}, true},
		"another file in its place": {func(dir string) error {
			return os.Rename(filepath.Join(dir, "other/haproxy/haproxy.cfg"),
				filepath.Join(dir, "etc/haproxy/haproxy.cfg"))
		}, true},
		"another directory in its place": {func(dir string) error {
			return swap(filepath.Join(dir, "etc/haproxy"), filepath.Join(dir, "other/haproxy"))
		}, true},
		"another directory above it": {func(dir string) error {
			return swap(filepath.Join(dir, "etc"), filepath.Join(dir, "other"))
		}, true},
		"a file beside it that comes": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "etc/haproxy/.haproxy.cfg.swp"), nil, 0o600)
		}, false},
		"a file beside it that goes": {func(dir string) error {
			return os.Remove(filepath.Join(dir, "etc/haproxy/hosts.map"))
		}, false},
		"nothing": {func(string) error { return nil }, false},
	} {
		for _, through := range []string{"etc", "link"} {
			t.Run(name+" through "+through, func(t *testing.T) {
				dir := t.TempDir()
				for _, below := range []string{"etc", "other"} {
					require.NoError(t, os.MkdirAll(filepath.Join(dir, below, "haproxy"), 0o700))
					for _, file := range []string{"haproxy.cfg", "hosts.map"} {
						require.NoError(t, os.WriteFile(filepath.Join(dir, below, "haproxy", file), nil, 0o600))
					}
				}
				require.NoError(t, os.Symlink("etc", filepath.Join(dir, "link")))
				conf := filepath.Join(dir, through, "haproxy/haproxy.cfg")
				at := after(t, dir)
				require.True(t, Untouched(at, []string{conf}, []Source{{File: conf}}))
				require.NoError(t, c.does(dir))
				require.Equal(t, c.touched, !Untouched(at, []string{conf}, []Source{{File: conf}}))
			})
		}
	}
}

// swap puts one directory in the place of another.
func swap(old, fresh string) error {
	if err := os.Rename(old, old+".old"); err != nil {
		return err
	}
	return os.Rename(fresh, old)
}

// after waits until the clock of the file system has gone on, and returns a time that is later than
// what was changed before and earlier than what will be.
func after(t *testing.T, dir string) time.Time {
	t.Helper()
	probe := filepath.Join(dir, "probe")
	stamp := func() time.Time {
		require.NoError(t, os.WriteFile(probe, []byte("x"), 0o600))
		info, err := os.Stat(probe)
		require.NoError(t, err)
		return info.ModTime()
	}
	first := stamp()
	var now time.Time
	require.Eventually(t, func() bool { now = stamp(); return now.After(first) }, 10*time.Second,
		time.Millisecond)
	at := now
	require.Eventually(t, func() bool { return stamp().After(at) }, 10*time.Second, time.Millisecond)
	return at
}
