package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
)

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "other.yaml")
	_, err := readConfig(missing)
	require.EqualError(t, err,
		missing+" cannot be read: no such file or directory: name the file with -f")
	code, hint := exitCode(err)
	require.Equal(t, exitUsage, code)
	require.Empty(t, hint)

	t.Chdir(dir)
	if _, statErr := os.Stat(config.DefaultFiles()[1]); statErr != nil {
		_, err = readConfig("")
		require.EqualError(t, err, "there is no hawser.yaml and no /etc/hawser/hawser.yaml: "+
			"write one (`hawser --help` shows an example), or name it with -f")
	}

	require.NoError(t, os.WriteFile("hawser.yaml", []byte("haproxy: {monitor: 0}"), 0o600))
	_, err = readConfig("")
	require.EqualError(t, err, `hawser.yaml:1:20: haproxy.monitor is "0": accepted is from 1ms to 24h`)
	code, hint = exitCode(err)
	require.Equal(t, exitUsage, code)
	require.Equal(t, "nothing was changed", hint)
}
