package haproxy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
)

// freePort is a port of 127.0.0.1 on which nobody listens, outside of the range from which the
// kernel gives ports to clients.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(20000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func write(t *testing.T, path, text string) {
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// TestRealHAProxy goes through everything that can be asked of this machine's HAProxy.
func TestRealHAProxy(t *testing.T) {
	binary := needs.Command(t, "haproxy")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	port := freePort(t)
	good := fmt.Sprintf(`global
  stats socket %s mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend web
  bind 127.0.0.1:%d
  default_backend app
backend app
  server a 127.0.0.1:9 check
  server b 127.0.0.1:9
`, path("stats.sock"), port)
	write(t, path("cfg"), good)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()

	config := Config{Binary: binary, Files: []string{path("cfg")}}
	require.NoError(t, config.Check(ctx))
	out, err := exec.Command(binary, "-W", "-D", "-f", path("cfg"), "-p", path("pid"), "-S",
		path("master.sock")).CombinedOutput()
	require.NoError(t, err, string(out))
	pid, err := os.ReadFile(path("pid"))
	require.NoError(t, err)
	masterPID, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Kill(masterPID, syscall.SIGTERM) })

	master, runtime := Master{Path: path("master.sock")}, Runtime{Path: path("stats.sock")}
	first, err := master.Settled(ctx)
	require.NoError(t, err)
	require.Equal(t, masterPID, first.Master.PID)
	require.Len(t, first.Workers, 1)

	info, err := runtime.Info(ctx)
	require.NoError(t, err)
	require.Equal(t, first.Workers[0].PID, info.Pid)
	require.Equal(t, first.Master.Version, info.Version)
	require.False(t, info.Stopping)
	stats, err := runtime.Stats(ctx)
	require.NoError(t, err)
	require.Len(t, stats, 4)
	info, servers, err := runtime.Servers(ctx)
	require.NoError(t, err)
	require.Equal(t, first.Workers[0].PID, info.Pid)
	require.Len(t, servers, 2)
	require.Equal(t, "no check", servers[1].Status)

	t.Run("its listeners are found", func(t *testing.T) {
		listeners, err := Listeners()
		require.NoError(t, err)
		inodes, err := procfs.Default.SocketInodes(info.Pid)
		require.NoError(t, err)
		var mine []string
		for _, l := range listeners {
			if inodes[l.Inode] {
				mine = append(mine, l.Addr.String())
			}
		}
		require.Equal(t, []string{fmt.Sprintf("127.0.0.1:%d", port)}, mine)
	})
	t.Run("a reload", func(t *testing.T) {
		require.NoError(t, master.Reload(ctx))
		procs, err := master.Procs(ctx)
		require.NoError(t, err)
		require.NotEqual(t, first.Workers[0].PID, procs.Workers[0].PID)
	})
	t.Run("a configuration that is refused", func(t *testing.T) {
		write(t, path("cfg"), good+"bogus\n")
		var refused *CheckError
		require.ErrorAs(t, config.Check(ctx), &refused)
		require.Contains(t, refused.Complaint, "unknown keyword 'bogus'")
		require.Contains(t, refused.Complaint, fmt.Sprintf("%s:%d: ", path("cfg"),
			strings.Count(good, "\n")+1))
		var kept *ReloadError
		require.ErrorAs(t, master.Reload(ctx), &kept)
		require.ErrorAs(t, master.Reload(ctx), &kept, "a second time")
		_, err := runtime.Info(ctx)
		require.NoError(t, err, "the old one serves")
	})
	t.Run("and a good one again", func(t *testing.T) {
		write(t, path("cfg"), good)
		require.NoError(t, master.Reload(ctx))
	})
	t.Run("an address that somebody else has", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		write(t, path("cfg"), strings.Replace(good, "bind 127.0.0.1",
			fmt.Sprintf("bind %s\n  bind 127.0.0.1", l.Addr()), 1))
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		var kept *ReloadError
		if err = master.Reload(ctx); strings.HasPrefix(info.Version, "2.8.0") {
			require.ErrorIs(t, err, context.DeadlineExceeded, "HAProxy ends of it")
			require.NotErrorAs(t, err, &kept)
			return
		}
		require.ErrorAs(t, err, &kept)
		_, err = runtime.Info(ctx)
		require.NoError(t, err, "the old one serves")
	})
}

func TestCheckThatCannotRun(t *testing.T) {
	require.ErrorIs(t, Config{Binary: "/nonexistent/haproxy"}.Check(t.Context()), os.ErrNotExist)

	script := filepath.Join(t.TempDir(), "haproxy")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nsleep 100\n"), 0o700))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.ErrorIs(t, Config{Binary: script}.Check(ctx), context.DeadlineExceeded)
	require.Less(t, time.Since(began), 10*time.Second)
}
