package node_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
)

// A client that keeps its connection keeps the worker from before a reload.
func TestOldWorkers(t *testing.T) {
	w := newWorld(t)
	w.Lingering = time.Nanosecond
	w.runs()
	require.Empty(t, w.finds("old-workers"))
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nX-Half: "))
	require.NoError(t, err)
	require.NoError(t, haproxy.Master{
		Path: filepath.Join(w.RunDir, "haproxy/master.sock"),
	}.Reload(t.Context()))
	require.Eventually(t, func() bool { return len(w.finds("old-workers")) == 1 }, 10*time.Second,
		20*time.Millisecond)
	w.findsOne("old-workers", doctor.Warning, "1 workers from before a reload still run",
		"hard-stop-after")
	w.Lingering = time.Hour
	require.Empty(t, w.finds("old-workers"), "it may take an hour")
}

// Somebody else's HAProxy, which does not pass its sockets on.
func TestMigrate(t *testing.T) {
	w := newWorld(t)
	cmd := exec.Command(needs.Command(t, "haproxy"), "-db", "-f", w.config)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	mine := func() (n int) {
		for _, f := range w.finds("tcp-migrate") {
			if f.Subject == fmt.Sprintf("pid %d", cmd.Process.Pid) {
				require.Equal(t, doctor.Note, f.Severity)
				require.Contains(t, f.Fix[0], "tcp_migrate_req=1")
				n++
			}
		}
		return n
	}
	inNetwork(t, func() {
		if _, err := os.Stat("/proc/sys/net/ipv4/tcp_migrate_req"); err != nil {
			require.Zero(t, mine(), "this kernel is older than 5.14")
			return
		}
		require.Eventually(t,
			func() bool { sysctl(t, "net.ipv4.tcp_migrate_req", "0"); return mine() == 1 },
			10*time.Second, 10*time.Millisecond)
		sysctl(t, "net.ipv4.tcp_migrate_req", "1")
		require.Zero(t, mine())
	})
}

// Pacemaker's agent of HAProxy is a file called haproxy too, and no HAProxy.
func TestMigrateAndTheAgent(t *testing.T) {
	w := newWorld(t)
	for path, found := range map[string]int{"opt/haproxy": 1, "usr/lib/ocf/resource.d/x/haproxy": 0} {
		text, err := os.ReadFile(needs.Command(t, "sleep"))
		require.NoError(t, err)
		w.write(path, string(text), 0o700)
		cmd := exec.Command(filepath.Join(w.root, path), "60")
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		inNetwork(t, func() {
			if _, err := os.Stat("/proc/sys/net/ipv4/tcp_migrate_req"); err != nil {
				return // this kernel is older than 5.14
			}
			sysctl(t, "net.ipv4.tcp_migrate_req", "0")
			n := 0
			for _, f := range w.finds("tcp-migrate") {
				if f.Subject == fmt.Sprintf("pid %d", cmd.Process.Pid) {
					n++
				}
			}
			require.Equal(t, found, n, path)
		})
	}
}
