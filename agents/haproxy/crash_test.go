package haproxy

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/ocf"
)

// TestCrash: whatever of HAProxy is killed under load, nobody is refused and it is back at once.
func TestCrash(t *testing.T) {
	for name, victims := range map[string]func(instance.Family) []int{
		"master and worker": func(f instance.Family) []int {
			return []int{f.Masters[0].PID, f.Others[0].PID}
		},
		"the worker alone": func(f instance.Family) []int { return []int{f.Others[0].PID} },
		"the master alone": func(f instance.Family) []int { return []int{f.Masters[0].PID} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			first := w.master().PID
			end := w.load()
			for _, pid := range victims(w.family()) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // the second one may be gone with the first
			}
			w.eventually("HAProxy is back", func() bool {
				s := w.state()
				return len(s.Crashes) == 1 && s.Master.PID != first
			})
			toll := end()
			t.Logf("%+v", toll)
			require.Zero(t, toll.refused)
			require.LessOrEqual(t, toll.lost, 4, "no more than were in flight: %v", toll.errors)
			require.Positive(t, toll.served)
			w.guards()

			w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy crashed at")
			w.want(ocf.Success, w.r.Monitor(0))
			text, err := os.ReadFile(w.path("attributes"))
			require.NoError(t, err)
			require.Contains(t, string(text), "-n hawser-test-crash -U at=")
			require.Empty(t, w.told(), "the cluster has nothing to do")
		})
	}
}

// TestHang: a HAProxy that is there and does not answer is replaced.
func TestHang(t *testing.T) {
	for name, hang := range map[string]func(w *world){
		"a stopped worker": func(w *world) { w.kill(w.worker().PID, syscall.SIGSTOP) },
		"a stopped master": func(w *world) { w.kill(w.master().PID, syscall.SIGSTOP) },
		"both stopped": func(w *world) {
			worker := w.worker().PID
			w.kill(w.master().PID, syscall.SIGSTOP)
			w.kill(worker, syscall.SIGSTOP)
		},
		"a worker that spins": (*world).spin,
		"somebody's soft stop": func(w *world) {
			w.request("/slow")
			w.kill(w.worker().PID, syscall.SIGUSR1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			// One thread: of several, the others would go on serving and answering until HAProxy's
			// own watchdog ends it.
			w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tnbthread 1",
				1))
			w.r = w.r.With("hang_time", "1s")
			w.guarded()
			first := w.master().PID
			began := time.Now()
			hang(w)
			w.eventually("HAProxy is another one", func() bool {
				s := w.state()
				return len(s.Crashes) == 1 && s.Master.PID != first
			})
			// hang_time, and what it takes to ask and to poke it; on a busy machine, where it may only
			// have been kept waiting, ten times as long
			require.Less(t, time.Since(began), 12*time.Second)
			require.NoError(t, w.get())
		})
	}
}

// TestKeeperAndHAProxyKilledTogether: without held sockets there is a gap, and it is short.
func TestKeeperAndHAProxyKilledTogether(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	keeper, _ := w.keepers()
	fam := w.family()
	w.kill(keeper[0], syscall.SIGKILL)
	fam.Signal(syscall.SIGKILL)
	w.eventually("the standby brings it back", func() bool { return len(w.state().Crashes) == 1 })
	require.NoError(t, w.get())
	w.guards()

	t.Run("and everything at once is the monitor's", func(t *testing.T) {
		fam, err := w.instance().Keepers()
		require.NoError(t, err)
		all := w.family()
		fam.Signal(syscall.SIGKILL)
		all.Signal(syscall.SIGKILL)
		w.eventually("they are gone", func() bool {
			fam, err := w.instance().Keepers()
			// a standby that was made, and what a keeper brought back, between the look and the
			// signal
			fam.Signal(syscall.SIGKILL)
			w.family().Signal(syscall.SIGKILL)
			return err == nil && fam.Empty() && w.family().Empty()
		})
		w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy crashed")
		require.NoError(t, w.get())
		w.guards()
	})
}

// TestTheLastConfigurationThatWorked: what is edited and not reloaded does not take effect by a
// crash, be it broken or not.
func TestTheLastConfigurationThatWorked(t *testing.T) {
	for name, edit := range map[string]func(w *world){
		"broken": func(w *world) { w.write("haproxy.cfg", w.config("bogus")) },
		"gone":   func(w *world) { require.NoError(w.t, os.Remove(w.path("haproxy.cfg"))) },
		"another one": func(w *world) {
			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend more\n\tbind 127.0.0.1:%d\n",
				freePort(w.t))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			edit(w)
			w.family().Signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
			require.NoError(t, w.get())
			require.True(t, w.instance().OnCopies(w.master().PID))
			w.want(ocf.DegradedCode, w.r.Monitor(0), "last good configuration")
			w.want(ocf.Success, w.r.Monitor(0))
			w.want(ocf.Success, w.r.Start())

			port := freePort(t)
			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend other\n\tbind "+
				"127.0.0.1:%d\n\tdefault_backend app\n", port)))
			w.want(ocf.Success, w.r.Run("reload-agent", nil))
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			require.NoError(t, err, "a reload reaches a HAProxy that runs from the copies")
			require.NoError(t, conn.Close())
			w.want(ocf.Success, w.r.Monitor(0))

			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend other\n\tbind "+
				"192.0.2.77:%d\n\tdefault_backend app\n", port)))
			w.want(ocf.Success, w.r.Run("reload-agent", nil))
			w.want(ocf.DegradedCode, w.r.Monitor(0))
			w.guards()
			w.family().Signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 2 })
			conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			require.NoError(t, err, "what could not be loaded is not what comes back")
			require.NoError(t, conn.Close())
		})
	}
}

// TestCrashDuringReload: a reload that HAProxy does not live through leaves one that serves what it
// served.
func TestCrashDuringReload(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	// the check takes its time
	w.write("slow", "#!/bin/sh\nsleep 0.3\nexec /usr/sbin/haproxy \"$@\"\n")
	w.r = w.r.With("binpath", w.path("slow"))
	master := w.master().PID
	result := make(chan ocf.Code, 1)
	w.write("haproxy.cfg", w.config("#edited"))
	go func() { result <- w.r.Run("reload-agent", nil).Code }()
	w.eventually("the check is under way", func() bool {
		return instance.Locked(filepath.Join(w.r.RunDir(), "."+w.r.Instance+".lock"))
	})
	w.kill(master, syscall.SIGKILL)
	require.Equal(t, ocf.Success, <-result)
	require.NoError(t, w.get())
	w.eventually("it counts", func() bool { return len(w.state().Crashes) == 1 })
}

// A keeper that is killed between the launch of a HAProxy and the note of it leaves a state that names a dead one. The next keeper notes
// what runs, and neither searches for it all the time nor starts another.
func TestKeeperAdopts(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	master, state := w.master(), w.state()
	gone := exec.Command("true")
	require.NoError(t, gone.Run())
	state.Master.PID = gone.Process.Pid
	require.NoError(t, w.instance().Save(state))
	keeper, _ := w.keepers()
	w.kill(keeper[0], syscall.SIGKILL)
	w.gone(keeper[0])
	w.eventually("the master that runs is noted", func() bool { return w.state().Master.PID == master.PID })
	w.guards()
	require.Equal(t, master.PID, w.master().PID)
	require.Equal(t, state.Served, w.state().Served)
	w.want(ocf.Success, w.r.Monitor(0))
}
