package corosync_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/corosync"
)

func TestRealTime(t *testing.T) {
	const stat = "7 (coro (s) ync) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 -100 0 9 0 4242 0 0 18446744073709551615 1 1 0 0 0 0 0 4096 16386 0 0 0 17 1 99 "
	for name, c := range map[string]struct {
		comm, stat      string
		uid             string
		realTime, found bool
	}{
		"round robin": {"corosync\n", stat + "2 0 0 0", "0", true, true},
		"ordinary":    {"corosync\n", stat + "0 0 0 0", "0", false, true},
		"another":     {"corosync-notify\n", stat + "0 0 0 0", "0", false, false},
		"no fields":   {"corosync\n", "7 (corosync) S", "0", false, false},
		"somebody's":  {"corosync\n", stat + "2 0 0 0", "33", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			proc := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(proc, "7"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(proc, "7", "comm"), []byte(c.comm), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(proc, "7", "stat"), []byte(c.stat), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(proc, "7", "status"), []byte("\nUid:\t"+strings.Repeat(c.uid+"\t", 4)+"\n"), 0o600))
			realTime, found := corosync.RealTime(proc)
			require.Equal(t, c.realTime, realTime)
			require.Equal(t, c.found, found)
		})
	}
}
