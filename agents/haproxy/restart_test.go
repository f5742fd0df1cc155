package haproxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// TestNoBlackHole: a socket on which HAProxy does not accept any more is not held.
func TestNoBlackHole(t *testing.T) {
	w := newKeptWorld(t)
	more := freePort(t)
	dial := func() error {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", more), time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	config := w.config(fmt.Sprintf("frontend more\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n",
		more))
	w.write("haproxy.cfg", config)
	w.guarded()

	t.Run("after our reload", func(t *testing.T) {
		w.write("haproxy.cfg", w.config(""))
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		require.ErrorIs(t, dial(), syscall.ECONNREFUSED)
	})
	t.Run("after somebody else's", func(t *testing.T) {
		w.write("haproxy.cfg", config)
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		require.NoError(t, dial())
		w.write("haproxy.cfg", w.config(""))
		w.kill(w.master().PID, syscall.SIGUSR2)
		w.eventually("it is closed", func() bool { return errors.Is(dial(), syscall.ECONNREFUSED) })
	})
	t.Run("after a stop", func(t *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		require.ErrorIs(t, w.get(), syscall.ECONNREFUSED)
		entries, err := os.ReadDir(w.instance().Dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is left")
	})
}

// TestRestartOnTheSameNode: if the cluster is going to start the resource here again, nobody is
// refused in between.
func TestRestartOnTheSameNode(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.simulate(true)
	first := w.master().PID
	end := w.load()
	w.want(ocf.Success, w.r.Stop())
	require.True(t, w.family().Empty())
	w.want(ocf.Success, w.r.With("private_ip", "192.0.2.9").Start())
	toll := end()
	t.Logf("%+v", toll)
	require.Zero(t, toll.refused)
	require.Zero(t, toll.lost, "%v", toll.errors)
	require.NotEqual(t, first, w.master().PID)
	w.guards()

	t.Run("unless the start fails", func(t *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		keeper, _ := w.keepers()
		require.Len(t, keeper, 1)
		w.write("haproxy.cfg", w.config("bogus"))
		w.want(ocf.ErrInstalled, w.r.Start())
		w.eventually("connections are refused", func() bool {
			return errors.Is(w.get(), syscall.ECONNREFUSED)
		})
		w.write("haproxy.cfg", w.config(""))
	})
	t.Run("or it is not to be started here", func(t *testing.T) {
		w.guarded()
		w.simulate(false)
		w.want(ocf.Success, w.r.Stop())
		require.ErrorIs(t, w.get(), syscall.ECONNREFUSED)
	})
}

// TestStopThatIsKilled: nothing comes back of what somebody has begun to stop.
func TestStopThatIsKilled(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	keeper, _ := w.keepers()
	w.kill(keeper[0], syscall.SIGSTOP) // it wakes up only after the stop has been killed
	s := w.state()
	s.Stopping = true
	require.NoError(t, w.instance().Save(s))
	w.family().Signal(syscall.SIGKILL)
	w.kill(keeper[0], syscall.SIGCONT)
	w.eventually("the keeper ends", func() bool {
		fam, err := w.instance().Keepers()
		return err == nil && fam.Empty()
	})
	w.eventually("HAProxy is gone", func() bool { return w.family().Empty() })
	w.want(ocf.NotRunning, w.r.Monitor(0))
	w.want(ocf.Success, w.r.Stop())
	w.start()
	w.guards()
}
