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
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// backends returns the backends that the running HAProxy knows.
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

// TestReloadWithABrokenConfiguration: the old one serves, the monitor says why it is degraded, and
// all is well as soon as the configuration is.
func TestReloadWithABrokenConfiguration(t *testing.T) {
	w := newWorld(t)
	w.start()
	worker := w.worker().PID
	w.write("haproxy.cfg", w.config("bogus"))
	w.want(ocf.Success, w.r.Monitor(0)) // nobody asked for it yet
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration", "unknown keyword 'bogus'",
		w.path("haproxy.cfg:"))
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

// TestReloadWithAnAddressThatIsTaken has a configuration that is valid and whose address is
// somebody else's. HAProxy would refuse new connections for as long as it tries to bind it, so it
// is not even asked.
func TestReloadWithAnAddressThatIsTaken(t *testing.T) {
	w := newWorld(t)
	w.start()
	worker := w.worker().PID
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	taken := fmt.Sprintf("frontend taken\n\tbind %s\n\tdefault_backend app\n", l.Addr())
	w.write("haproxy.cfg", w.config(taken))
	end := w.load()
	w.reload()
	toll := end()
	require.Zero(t, toll.refused+toll.lost, "of %d", toll.served)
	require.NotZero(t, toll.served)
	reason := fmt.Sprintf("%s is held by %s (pid %d", l.Addr(),
		procfs.Default.Executable(os.Getpid()), os.Getpid())
	w.want(ocf.DegradedCode, w.r.Monitor(0), reason)
	require.Equal(t, worker, w.worker().PID)

	w.write("haproxy.cfg", w.config("frontend elsewhere\n\tbind 192.0.2.1:80\n\tdefault_backend "+
		"app\n"))
	w.want(ocf.DegradedCode, w.r.Monitor(0), "cannot bind 192.0.2.1:80", w.path("haproxy.cfg:"))

	w.write("haproxy.cfg", w.config(taken))
	w.want(ocf.DegradedCode, w.r.Monitor(0), reason)
	require.NoError(t, l.Close())
	w.want(ocf.DegradedCode, w.r.Monitor(0), reason) // not tried again at once
	w.agePending()
	w.want(ocf.Success, w.r.Monitor(0))
}

// agePending makes it a while since the pending reload was tried.
func (w *world) agePending() {
	w.t.Helper()
	s, ok := w.instance().Load()
	require.True(w.t, ok)
	require.NotNil(w.t, s.Pending)
	s.Pending.Tried = s.Pending.Tried.Add(-tryAgain)
	require.NoError(w.t, w.instance().Save(s))
}

// TestReloadThatOnlyHAProxyItselfRefuses has an address that somebody else holds and that only
// HAProxy can read out of the configuration. HAProxy keeps the old one, or ends (2.8.0) and is
// brought back with it.
func TestReloadThatOnlyHAProxyItselfRefuses(t *testing.T) {
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
	require.NoError(t, w.get())
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration")
	require.NoError(t, l.Close())
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration") // not tried again at once
	w.reload()
	w.eventually("the monitor has told of everything", func() bool {
		return w.r.Monitor(0).Code == ocf.Success
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func TestReloadThatWouldNeedAnotherEnvironment(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1",
		`bind "${HAWSER_ANCHOR_IP}"`, 1))
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
	require.True(t, w.family().Empty(), "the stopped old worker as well")
}

func TestReloadWithoutSockets(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	require.NoError(t, os.RemoveAll(w.instance().Dir))
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
	conn, err := net.Dial("unix", w.instance().MasterSocket())
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

// TestReloadThatCannotBeNoted: a full /run is no reason to have a HAProxy that serves stopped,
// which is what Pacemaker makes of a failed reload.
func TestReloadThatCannotBeNoted(t *testing.T) {
	w := newWorld(t)
	w.start()
	require.NoError(t, os.Mkdir(w.instance().State()+".new", 0o700))
	w.reload()
	require.NoError(t, w.get())
}
