package family

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// A process is known by a socket that root bound in the directory.
func TestSockets(t *testing.T) {
	needs.Root(t)
	dir, err := os.MkdirTemp("", "fam") //nolint:usetesting // its path can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "stats.sock"))
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	require.True(t, has(os.Getpid(), Finder{Dir: dir}.sockets()))
	require.False(t, has(os.Getppid(), Finder{Dir: dir}.sockets()))
	require.Empty(t, Finder{Dir: dir + "/other"}.sockets())
	require.False(t, has(os.Getpid(), nil))
}

// The session of a master that has ended is known by its number; that of another process that has
// the number by now is not.
func TestSession(t *testing.T) {
	needs.Root(t) // to start a process of another user's
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	pid := ended.Process.Pid
	require.True(t, Finder{Master: pid}.inSession(procfs.Stat{Session: pid}))
	require.False(t, Finder{Master: pid}.inSession(procfs.Stat{Session: pid + 1}))
	require.False(t, Finder{}.inSession(procfs.Stat{}))
	other := exec.Command("sleep", "1000")
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true,
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	require.False(t, Finder{Master: other.Process.Pid}.inSession(
		procfs.Stat{Session: other.Process.Pid}))
}

// What hangs is not waited for.
func TestSoon(t *testing.T) {
	began := time.Now()
	_, ok := Soon(func() int { select {} })
	require.False(t, ok)
	require.Less(t, time.Since(began), 10*time.Second)
	n, ok := Soon(func() int { return 7 })
	require.True(t, ok)
	require.Equal(t, 7, n)
}

func TestIsHAProxy(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "balancer"), filepath.Join(dir, "lb")
	require.NoError(t, os.WriteFile(real, nil, 0o600))
	require.NoError(t, os.Symlink(real, link))
	f := Finder{Program: link}
	for exe, is := range map[string]bool{"/usr/sbin/haproxy": true, "/opt/haproxy-2.8": true,
		"/usr/bin/haproxy_exporter": false, real: true, link: true, "": false, "/bin/sh": false} {
		require.Equal(t, is, f.IsHAProxy(exe), exe)
	}
	require.False(t, Finder{}.IsHAProxy(""))
}
