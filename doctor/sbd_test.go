package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
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
		n, err := ReadSBD(root, true)
		require.NoError(t, err)
		require.Equal(t, fact, n.Fact(), file)
		heard := ReportedSBD(map[string]string{FactSBD: fact})
		require.Equal(t, fact, heard.Fact())
	}
	require.Equal(t, "not running", ReportedSBD(map[string]string{FactSBD: SBD{}.Fact()}).Fact())
	require.Nil(t, ReportedSBD(map[string]string{"hawser": "1.0"}))
}
