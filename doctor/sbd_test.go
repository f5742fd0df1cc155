package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/sbd"
)

func TestSBDFact(t *testing.T) {
	for file, fact := range map[string]string{
		"": "5s", "SBD_WATCHDOG_TIMEOUT=15\n": "15s", "SBD_WATCHDOG_TIMEOUT=\"10s\"\n": "10s",
		"# SBD_WATCHDOG_TIMEOUT=15\n": "5s", "SBD_WATCHDOG_TIMEOUT=soon\n": "soon",
		"SBD_DEVICE=/dev/sdb\nSBD_WATCHDOG_TIMEOUT=9\n": "with a disk",
	} {
		root := t.TempDir()
		if file != "" {
			require.NoError(t, os.MkdirAll(filepath.Join(root, "etc/sysconfig"), 0o755))
			require.NoError(t,
				os.WriteFile(filepath.Join(root, "etc/sysconfig/sbd"), []byte(file), 0o600))
		}
		n, err := sbd.Here(root)
		require.NoError(t, err)
		n.Running = true
		require.Equal(t, fact, SBDFact(n), file)
		heard := ReportedSBD(map[string]string{FactSBD: fact})
		require.Equal(t, fact, SBDFact(*heard))
	}
	require.Equal(t, "not "+
		"running", SBDFact(*ReportedSBD(map[string]string{FactSBD: SBDFact(sbd.Daemon{})})))
	require.Nil(t, ReportedSBD(map[string]string{"hawser": "1.0"}))
}
