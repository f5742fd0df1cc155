package haproxy

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
)

// backends are the backends that the running HAProxy knows.
func (w *world) backends() string {
	stats, err := w.runtime().Stats(w.t.Context())
	require.NoError(w.t, err)
	var names []string
	for _, s := range stats {
		if s.Type == client.Backend {
			names = append(names, s.Proxy)
		}
	}
	return strings.Join(names, " ")
}

func (w *world) reload() {
	w.t.Helper()
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
}

const another = "backend another\n\tserver s 127.0.0.1:9\n"

func TestReloadTakesTheConfigurationOver(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	w.write("haproxy.cfg", w.config(another))
	w.reload()
	require.Contains(t, w.backends(), "another")
	require.Equal(t, master, w.master().PID)
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestReloadWithABrokenConfiguration: the old one serves, the monitor says why it is degraded, and all is well as soon as the
// configuration is.
func TestReloadWithABrokenConfiguration(t *testing.T) {
	w := newWorld(t)
	w.start()
	worker := w.worker().PID
	w.write("haproxy.cfg", w.config("bogus"))
	w.want(ocf.Success, w.r.Monitor(0)) // nobody asked for it yet
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration", "unknown keyword 'bogus'", w.path("haproxy.cfg:"))
	w.want(ocf.Success, w.r.Probe())
	require.NoError(t, w.get())
	require.Equal(t, worker, w.worker().PID)

	w.write("haproxy.cfg", w.config("bogus again"))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")

	t.Run("another error is the reason as soon as it is there", func(t *testing.T) {
		w.write("haproxy.cfg", w.config("nonsense"))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "unknown keyword 'nonsense'")
		require.NoError(t, os.Remove(w.path("haproxy.cfg")))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "no such file")
	})
	t.Run("the monitor does the reload that was asked for", func(t *testing.T) {
		w.write("haproxy.cfg", w.config(another))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Contains(t, w.backends(), "another")
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("and so does a reload", func(_ *testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.reload()
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		w.write("haproxy.cfg", w.config(another))
		w.reload()
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("a restart forgets it", func(_ *testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.reload()
		w.want(ocf.Success, w.r.Stop())
		w.write("haproxy.cfg", w.config(""))
		w.start()
		w.want(ocf.Success, w.r.Monitor(0))
	})
}

// TestReloadThatOnlyHAProxyItselfRefuses has a configuration that is valid and whose address is somebody else's.
func TestReloadThatOnlyHAProxyItselfRefuses(t *testing.T) {
	w := newWorld(t)
	w.start()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend taken\n\tbind %s\n\tdefault_backend app\n", l.Addr())))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "another process")
	require.NoError(t, w.get())
	require.NoError(t, l.Close())
	w.want(ocf.DegradedCode, w.r.Monitor(0), "another process") // not tried again at once
	s, ok := w.files().load()
	require.True(t, ok)
	s.Pending.Tried = s.Pending.Tried.Add(-tryAgain)
	require.NoError(t, w.files().save(s))
	w.want(ocf.Success, w.r.Monitor(0))
}

func TestReloadThatWouldNeedAnotherEnvironment(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1", `bind "${HAWSER_ANCHOR_IP}"`, 1))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "HAWSER_ANCHOR_IP", "restart")
	require.NoError(t, w.get())
}

func TestReloadOfWhatDoesNotRunWell(t *testing.T) {
	w := newWorld(t)
	w.want(ocf.ErrGeneric, w.r.Run("reload-agent", nil), "does not run")
	w.start()
	w.kill(w.worker().PID, syscall.SIGSTOP)
	result := w.r.Run("reload-agent", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "4000"})
	require.Less(t, result.Took, 4*time.Second)
	if result.Code == ocf.Success { // the master gave it a new worker, which answers
		w.want(ocf.Success, w.r.Monitor(0))
	}
	w.want(ocf.Success, w.r.Stop())
	require.True(t, w.family().empty(), "the stopped old worker as well")
}

func TestReloadWithoutSockets(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	require.NoError(t, os.RemoveAll(w.files().dir))
	w.write("haproxy.cfg", w.config(another))
	w.reload()
	require.Contains(t, w.backends(), "another")
	require.Equal(t, master, w.master().PID)
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestReloadKilledHalfway leaves a master that finishes the reload without the agent.
func TestReloadKilledHalfway(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.write("haproxy.cfg", w.config(another))
	conn, err := net.Dial("unix", w.files().master())
	require.NoError(t, err)
	_, err = conn.Write([]byte("reload\n"))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Contains(t, w.backends(), "another")
}

// TestReloadUnderLoad loses no request.
func TestReloadUnderLoad(t *testing.T) {
	w := newWorld(t)
	w.start()
	ctx, cancel := context.WithCancel(t.Context())
	var requests atomic.Int64
	var mu sync.Mutex
	var failures []error
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := w.get(); err != nil {
					mu.Lock()
					failures = append(failures, err)
					mu.Unlock()
				}
				requests.Add(1)
			}
		})
	}
	for i := range 10 {
		w.write("haproxy.cfg", w.config(fmt.Sprintf("backend b%d\n", i)))
		w.reload()
		w.want(ocf.Success, w.r.Monitor(0))
	}
	cancel()
	clients.Wait()
	require.Empty(t, failures, "of %d requests", requests.Load())
	t.Logf("%d requests during 10 reloads", requests.Load())
}

// TestReloadThatCannotBeNoted: a full /run is no reason to have a HAProxy that serves stopped, which is what Pacemaker makes of a
// failed reload.
func TestReloadThatCannotBeNoted(t *testing.T) {
	w := newWorld(t)
	w.start()
	require.NoError(t, os.Mkdir(w.files().state()+".new", 0o700))
	w.reload()
	require.NoError(t, w.get())
}
