package node_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
)

// runs starts a real HAProxy with the sockets of the agent's, under another program if one is
// given.
func (w *world) runs(under ...string) {
	w.t.Helper()
	needs.Command(w.t, "haproxy")
	dir := filepath.Join(w.RunDir, "haproxy")
	require.NoError(w.t, os.MkdirAll(dir, 0o700))
	text, err := os.ReadFile(w.config)
	require.NoError(w.t, err)
	own := filepath.Join(dir, "own.cfg")
	require.NoError(w.t,
		os.WriteFile(own,
			append([]byte(
				"global\n\tstats socket "+filepath.Join(dir, "stats.sock")+
					" mode 600 level admin expose-fd listeners\n"), text...),
			0o600))
	args := append(slices.Clone(under), "/usr/sbin/haproxy", "-W", "-S",
		filepath.Join(dir, "master.sock"), "-f", own)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(w.t, cmd.Start())
	w.t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	require.Eventually(w.t, func() bool {
		_, err := haproxy.Runtime{Path: filepath.Join(dir, "stats.sock")}.Info(w.t.Context())
		_, err2 := haproxy.Master{Path: filepath.Join(dir, "master.sock")}.Procs(w.t.Context())
		return err == nil && err2 == nil
	}, 20*time.Second, 10*time.Millisecond)
}

// A real HAProxy that sets its limit by itself, and is then left with less, as `prlimit` or a unit
// may do.
func TestFileLimit(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	require.Empty(t, w.finds("file-limit"), "it does not run")
	w.runs()
	require.Empty(t, w.finds("file-limit"))
	info, err := haproxy.Runtime{
		Path: filepath.Join(w.RunDir, "haproxy/stats.sock"),
	}.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t,
		exec.Command("prlimit", "--pid", strconv.Itoa(info.Pid), "--nofile=1024:").Run())
	w.findsOne("file-limit", doctor.Warning, "is set to take 3000 connections, each needs two "+
		"files, and it may open 1024",
		"systemctl edit haproxy.service   # [Service] LimitNOFILE=")
	require.NoError(t, exec.Command("sh", "-c", w.finds("file-limit")[0].Fix[0]).Run())
	require.Empty(t, w.finds("file-limit"), "the command fixes it while it runs")
}

// HAProxy without a maxconn makes do with what it is allowed.
func TestFewConnectionsForWantOfFiles(t *testing.T) {
	needs.Root(t)
	w := newWorld(t)
	require.NoError(t,
		os.WriteFile(w.config,
			[]byte(strings.Replace(fmt.Sprintf(goodConfig, w.port), "maxconn 3000", "", 1)), 0o600))
	w.runs("prlimit", "--nofile=600:600")
	w.findsOne("file-limit", doctor.Warning,
		"haproxy.cfg sets no maxconn, so it made do with the 600 open files",
		"hawser reload haproxy")
	// What the commands do fixes it, without a restart, for whoever may raise limits: root has
	// CAP_SYS_RESOURCE, in a container perhaps not.
	raise := []string{"--nofile=600:600", "prlimit", "--nofile=7000:7000", "true"}
	if exec.Command("prlimit", raise...).Run() != nil {
		return
	}
	own := filepath.Join(w.RunDir, "haproxy/own.cfg")
	text, err := os.ReadFile(own)
	require.NoError(t, err)
	require.NoError(t,
		os.WriteFile(own, append([]byte("global\n\tmaxconn 3000\n"), text...), 0o600))
	require.NoError(t,
		os.WriteFile(w.config, append([]byte("global\n\tmaxconn 3000\n"), text...), 0o600))
	require.NoError(t, haproxy.Master{
		Path: filepath.Join(w.RunDir, "haproxy/master.sock"),
	}.Reload(t.Context()))
	require.Eventually(t, func() bool {
		info, err := haproxy.Runtime{
			Path: filepath.Join(w.RunDir, "haproxy/stats.sock"),
		}.Info(t.Context())
		return err == nil && info.MaxConn == 3000
	}, 20*time.Second, 10*time.Millisecond)
	require.Empty(t, w.finds("file-limit"))
}

func TestFullHAProxy(t *testing.T) {
	w := newWorld(t)
	require.NoError(t,
		os.WriteFile(w.config,
			[]byte(strings.Replace(fmt.Sprintf(goodConfig, w.port), "maxconn 3000", "maxconn 1",
				1)),
			0o600))
	w.runs()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.Eventually(t, func() bool { return len(w.finds("file-limit")) == 1 }, 10*time.Second,
		10*time.Millisecond)
	w.findsOne("file-limit", doctor.Error, "HAProxy has 1 connections and takes no more than 1",
		"hawser reload haproxy")
}
