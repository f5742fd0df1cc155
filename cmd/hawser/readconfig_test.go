package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm/crmtest"
	"github.com/hawser-ha/hawser/internal/needs"
)

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "other.yaml")
	sys, _, _ := testSystem(t, crmtest.New("lb-1"))
	_, err := sys.readConfig(t.Context(), missing)
	require.EqualError(t, err,
		missing+" cannot be read: no such file or directory: name the file with -f")
	require.Equal(t, exitUsage, exitCode(err))
	require.Empty(t, hint(err))

	t.Chdir(dir)
	if _, statErr := os.Stat(config.DefaultFiles()[0]); statErr != nil {
		_, err = sys.readConfig(t.Context(), "")
		require.EqualError(t, err, "there is no /etc/hawser/hawser.yaml and no hawser.yaml: "+
			"write one (`hawser init` drafts it), or name it with -f")
	}

	require.NoError(t, os.WriteFile("hawser.yaml", []byte("haproxy: {monitor: 0}"), 0o600))
	_, err = sys.readConfig(t.Context(), "")
	require.EqualError(t, err,
		`hawser.yaml:1:20: haproxy.monitor: "0" is not a time from 1ms to 24h`)
	require.Equal(t, exitUsage, exitCode(err))
	require.Equal(t, "nothing was changed", hint(err))
}

// TestReadConfigSaysWhich: the file is the caller's to know where he named it.
func TestReadConfigSaysWhich(t *testing.T) {
	needs.NoFile(t, config.DefaultFiles()[0])
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("hawser.yaml", []byte("haproxy: {}"), 0o600))
	sys, out, errs := testSystem(t, crmtest.New("lb-1"))
	_, err := sys.readConfig(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "hawser: reading hawser.yaml\n", errs.String())
	_, err = sys.readConfig(t.Context(), "hawser.yaml")
	require.NoError(t, err)
	require.Equal(t, "hawser: reading hawser.yaml\n", errs.String())
	require.Empty(t, out.String())

	require.NoError(t, os.Chmod("hawser.yaml", 0o666))
	_, err = sys.readConfig(t.Context(), "")
	require.EqualError(t, err, "hawser.yaml is not used: others may write to it (mode 0666): name "+
		"it with -f if it is meant")
	require.Equal(t, exitUsage, exitCode(err))
}

// A FIFO that nobody writes to, or a terminal on which nobody types, cannot keep Ctrl-C from ending
// the program.
func TestReadingEndsWithCtrlC(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	silence, keep := io.Pipe()
	t.Cleanup(func() { _ = keep.Close() })
	t.Cleanup(func() { // let the reader end
		if w, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			_ = w.Close()
		}
	})
	for _, args := range [][]string{
		{"plan", "-f", fifo},
		{"check", fifo},
		{"check", "-"},
		{"configure", "load", "-"},
		{"reload", "--push", "-", "--yes"},
	} {
		sys, _, _ := testSystem(t, crmtest.New("lb-1"))
		sys.stdin = silence
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := newApp(sys).RunContext(ctx, append([]string{"hawser"}, args...))
		require.Equal(t, exitInterrupted, exitCode(err), "%v: %v", args, err)
	}
}
