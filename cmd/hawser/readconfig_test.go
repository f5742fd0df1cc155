package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm/crmtest"
)

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "other.yaml")
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	_, err := sys.readConfig(missing)
	require.EqualError(t, err,
		missing+" cannot be read: no such file or directory: name the file with -f")
	require.Equal(t, exitUsage, exitCode(err))
	require.Empty(t, hint(err))

	t.Chdir(dir)
	if _, statErr := os.Stat(config.DefaultFiles()[1]); statErr != nil {
		_, err = sys.readConfig("")
		require.EqualError(t, err, "there is no hawser.yaml and no /etc/hawser/hawser.yaml: "+
			"write one (`hawser --help` shows an example), or name it with -f")
	}

	require.NoError(t, os.WriteFile("hawser.yaml", []byte("haproxy: {monitor: 0}"), 0o600))
	_, err = sys.readConfig("")
	require.EqualError(t, err,
		`hawser.yaml:1:20: haproxy.monitor: "0" is not a time from 1ms to 24h`)
	require.Equal(t, exitUsage, exitCode(err))
	require.Equal(t, "nothing was changed", hint(err))
}
