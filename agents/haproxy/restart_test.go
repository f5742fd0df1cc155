package haproxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
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

// TestRestartAppliesAModeOfASocket: a socket that is held is taken over as it is.
func TestRestartAppliesAModeOfASocket(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.simulate(true)
	mode := func() os.FileMode {
		info, err := os.Stat(w.path("admin.sock"))
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.Equal(t, os.FileMode(0o660), mode())
	w.write("haproxy.cfg", strings.Replace(w.config(""), "mode 660", "mode 600", 1))
	end := w.load()
	w.want(ocf.Success, w.r.Stop())
	w.want(ocf.Success, w.r.Start())
	require.Zero(t, end().refused)
	require.Equal(t, os.FileMode(0o600), mode())
	w.simulate(false)
}

// TestWhatAProgramWrites: a program of HAProxy's goes on writing to the standard streams that HAProxy
// was started with, and must not fill /run.
func TestWhatAProgramWrites(t *testing.T) {
	w := newWorld(t)
	w.write("chatty", "#!/bin/sh\necho some words\nexec sleep 1000\n")
	w.write("haproxy.cfg", w.config(fmt.Sprintf("program chatty\n\tcommand %s\n", w.path("chatty"))))
	w.start()
	var of string
	w.eventually("the program runs", func() bool {
		procs, err := client.Master{Path: w.instance().MasterSocket()}.Procs(t.Context())
		if err != nil || len(procs.Programs) != 1 {
			return false
		}
		of, err = os.Readlink(fmt.Sprintf("/proc/%d/fd/1", procs.Programs[0].PID))
		return err == nil
	})
	require.Equal(t, "/dev/null", of)
	w.want(ocf.Success, w.r.Stop())
	w.write("haproxy.cfg", w.config(fmt.Sprintf("program chatty\n\tcommand %s\nfrontend x\n\tbind "+
		"192.0.2.1:80\n", w.path("chatty"))))
	w.want(ocf.ErrGeneric, w.r.Start(), "192.0.2.1:80")
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
	// once zombies are collected
	w.eventually("the monitor says so", func() bool { return w.r.Monitor(0).Code == ocf.NotRunning })
	w.want(ocf.Success, w.r.Stop())
	w.start()
	w.guards()
}
