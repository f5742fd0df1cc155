package haproxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// request opens a connection through HAProxy, asks, and does not wait for the answer.
func (w *world) request(path string) net.Conn {
	w.t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool {
		stats, err := w.runtime().Stats(w.t.Context())
		return err == nil && stats[0].Scur > 0
	}, 10*time.Second, time.Millisecond)
	return conn
}

func TestStopLetsConnectionsFinish(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	w.app.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-release
		}
		fmt.Fprint(rw, "hello")
	})
	w.r = w.r.With("stop_grace", "15s")
	w.start()
	conn := w.request("/wait")
	master := w.master().PID
	stopped := make(chan int, 1)
	go func() { stopped <- int(w.r.Stop().Code) }()
	require.Eventually(t, func() bool {
		return w.get() != nil
	}, 10*time.Second, time.Millisecond, "no new connections")
	_, err := procfs.Default.Stat(master)
	require.NoError(t, err, "it waits")
	close(release)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, "hello", string(body))
	require.Equal(t, int(ocf.Success), <-stopped)
}

// TestStopWithWhatDoesNotEnd: whatever holds on is ended, in time.
func TestStopWithWhatDoesNotEnd(t *testing.T) {
	for name, c := range map[string]struct {
		hold    func(w *world)
		grace   string
		timeout string
		least   time.Duration
		most    time.Duration
	}{
		"a connection that goes on": {
			hold: func(w *world) { w.request("/slow") }, grace: "500ms", timeout: "20000",
			least: 500 * time.Millisecond, most: 5 * time.Second,
		},
		"a grace longer than the operation": {
			hold: func(w *world) { w.request("/slow") }, grace: "1h", timeout: "3000",
			least: 500 * time.Millisecond, most: 3 * time.Second,
		},
		"no grace": {
			hold: func(w *world) {
				w.request("/slow")
			}, grace: "0", timeout: "20000", most: 3 * time.Second,
		},
		"a stopped worker": {
			hold: func(w *world) {
				w.kill(w.worker().PID, syscall.SIGSTOP)
			}, grace: "5s", timeout: "20000", most: 5 * time.Second,
		},
		"a stopped master": {
			hold: func(w *world) {
				w.kill(w.master().PID, syscall.SIGSTOP)
			}, grace: "5s", timeout: "20000", most: 5 * time.Second,
		},
		"an orphaned worker": {
			hold: func(w *world) {
				w.kill(w.worker().PID, syscall.SIGSTOP)
				master := w.master().PID
				w.kill(master, syscall.SIGKILL)
				w.gone(master)
			}, grace: "5s", timeout: "20000", most: 5 * time.Second,
		},
		"an old worker with a connection": {
			hold: func(w *world) {
				w.request("/slow")
				w.reload()
				require.Len(w.t, w.family().Others, 2)
			}, grace: "500ms", timeout: "20000", least: 500 * time.Millisecond,
			most: 5 * time.Second,
		},
		"a zombie": {
			hold: func(w *world) {
				keepZombies.Store(true)
				w.kill(w.master().PID, syscall.SIGKILL)
			}, grace: "5s", timeout: "20000", most: 3 * time.Second,
		},
		"neither configuration nor program": {
			hold: func(w *world) {
				require.NoError(w.t, os.Remove(w.path("haproxy.cfg")))
				w.r = w.r.With("binpath", "/nonexistent/haproxy")
			}, grace: "5s", timeout: "20000", most: 3 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			c.hold(w)
			w.r = w.r.With("stop_grace", c.grace)
			result := w.r.Run("stop", map[string]string{"OCF_RESKEY_CRM_meta_timeout": c.timeout})
			w.want(ocf.Success, result)
			require.GreaterOrEqual(t, result.Took, c.least)
			require.Less(t, result.Took, c.most)
			require.True(t, w.family().Empty())
			w.want(ocf.NotRunning, w.r.Monitor(0))
			w.want(ocf.Success, w.r.Stop())
			w.app.CloseClientConnections()
		})
	}
}

// TestStopOfAProgramByAnotherName: the parameter says what HAProxy is called here.
func TestStopOfAProgramByAnotherName(t *testing.T) {
	w := newWorld(t)
	program, err := os.ReadFile("/usr/sbin/haproxy")
	require.NoError(t, err)
	w.write("balancer", string(program))
	w.r = w.r.With("binpath", w.path("balancer"))
	w.start()
	require.NoError(t, os.Remove(w.instance().State()))
	w.want(ocf.Success, w.r.Monitor(0))
	master := func() int { s, _ := w.instance().Load(); return s.Master.PID }()
	w.want(ocf.Success, w.r.Stop())
	v, err := procfs.Default.Stat(master)
	require.True(t, err != nil || v.Dead())
}

// TestStopAfterAReloadThatFailed: HAProxy's master may hear no signal any more (its issue 3229),
// and open requests still finish.
func TestStopAfterAReloadThatFailed(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend taken\n\tbind "+
		"localhost:%s\n\tdefault_backend app\n", port)))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration")
	began := time.Now()
	w.stops()
	require.Less(t, time.Since(began), 8*time.Second, "less than the grace")
}

// TestStopEndsWhatHAProxyStarted: a master that is killed leaves the programs of its `program`
// sections behind, which hold addresses that those of the next HAProxy need.
func TestStopEndsWhatHAProxyStarted(t *testing.T) {
	w := newWorld(t)
	noted := w.path("program.pid")
	w.write("program", fmt.Sprintf("#!/bin/sh\necho $$ > %s\nexec sleep 1000\n", noted))
	require.NoError(t, os.Chmod(w.path("program"), 0o755))
	w.write("haproxy.cfg", strings.Replace(w.config("program side\n\tcommand "+w.path("program")), "global", `global
	.if version_atleast(3.1)
		expose-deprecated-directives
	.endif`, 1))
	w.start()
	program := 0
	require.Eventually(t, func() bool {
		text, _ := os.ReadFile(noted)
		program, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return program > 0
	}, 10*time.Second, time.Millisecond)
	w.kill(w.master().PID, syscall.SIGKILL)
	require.Eventually(t, func() bool {
		return len(w.family().Masters) == 0
	}, 10*time.Second, time.Millisecond)
	w.want(ocf.Success, w.r.Stop())
	v, err := procfs.Default.Stat(program)
	require.True(t, err != nil || v.Dead(), "the program is still there")
}
