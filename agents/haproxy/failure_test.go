package haproxy

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

// quick returns a monitor with little time.
func (w *world) quick() ocftest.Result {
	return w.r.Run("monitor", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "2000",
		"OCF_RESKEY_CRM_meta_interval": "10000"})
}

// recovers does what Pacemaker does with a failed resource: a stop and a start.
func (w *world) recovers() {
	w.t.Helper()
	w.want(ocf.Success, w.r.Stop())
	require.True(w.t, w.family().Empty())
	w.want(ocf.NotRunning, w.r.Monitor(0))
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestFailures goes through every way in which a HAProxy that ran may no longer do, and what a
// monitor calls it.
func TestFailures(t *testing.T) {
	for name, c := range map[string]struct {
		breakIt func(w *world)
		code    ocf.Code
		reason  string
	}{
		"master and worker killed": {
			breakIt: func(w *world) {
				worker := w.worker().PID
				w.kill(w.master().PID, syscall.SIGKILL)
				w.gone(worker) // it follows its master
				require.Eventually(w.t, func() bool {
					return w.family().Empty()
				}, 10*time.Second, 5*time.Millisecond)
				s, _ := w.instance().Load()
				w.gone(s.Master.PID)
			},
			code: ocf.NotRunning,
		},
		"worker killed: the master gives up": {
			breakIt: func(w *world) {
				master := w.master().PID
				w.kill(w.worker().PID, syscall.SIGKILL)
				w.gone(master)
			},
			code: ocf.NotRunning,
		},
		"a zombie": {
			breakIt: func(w *world) {
				keepZombies.Store(true)
				master := w.master().PID
				w.kill(master, syscall.SIGKILL)
				require.Eventually(w.t, func() bool {
					v, err := procfs.Default.Stat(master)
					return err == nil && v.Dead()
				}, 10*time.Second, time.Millisecond)
			},
			code: ocf.ErrGeneric, reason: "zombie",
		},
		"master stopped": {
			breakIt: func(w *world) { w.kill(w.master().PID, syscall.SIGSTOP) },
			code:    ocf.ErrGeneric, reason: "SIGSTOP",
		},
		"worker stopped": {
			breakIt: func(w *world) { w.kill(w.worker().PID, syscall.SIGSTOP) },
			code:    ocf.ErrGeneric, reason: "SIGSTOP",
		},
		"master killed, worker stopped": {
			breakIt: func(w *world) {
				w.kill(w.worker().PID, syscall.SIGSTOP)
				master := w.master().PID
				w.kill(master, syscall.SIGKILL)
				w.gone(master)
			},
			code: ocf.ErrGeneric, reason: "left these behind",
		},
		"soft stop by somebody else": {
			breakIt: func(w *world) {
				conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
				require.NoError(w.t, err)
				w.t.Cleanup(func() { _ = conn.Close() })
				_, err = io.WriteString(conn, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
				require.NoError(w.t, err)
				require.Eventually(w.t, func() bool {
					info, err := w.runtime().Info(w.t.Context())
					return err == nil && info.CurrConns > 0
				}, 10*time.Second, time.Millisecond)
				w.kill(w.worker().PID, syscall.SIGUSR1)
				require.Eventually(w.t, func() bool {
					return w.get() != nil
				}, 10*time.Second, time.Millisecond)
			},
			code: ocf.ErrGeneric,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			c.breakIt(w)
			result := w.quick()
			w.want(c.code, result, c.reason)
			require.Less(t, result.Took, 2*time.Second)
			keepZombies.Store(false)
			w.recovers()
		})
	}
}

// spin has the worker run in an endless loop, until HAProxy's own watchdog ends it. It needs a
// configuration with one thread.
func (w *world) spin() {
	conn, err := net.Dial("unix", w.instance().StatsSocket())
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintln(conn, "expert-mode on; debug dev loop 20000")
	require.NoError(w.t, err)
}

// fiveSeconds is a recurring monitor with that time-out: room for two questions and a poke on a
// machine that is busy.
var fiveSeconds = map[string]string{"OCF_RESKEY_CRM_meta_timeout": "5000",
	"OCF_RESKEY_CRM_meta_interval": "10000"}

// TestHungWorker has a worker that is alive, does not answer and does nothing else either.
func TestHungWorker(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tnbthread 1", 1))
	w.start()
	w.spin()
	result := w.quick() // before HAProxy's own watchdog ends the worker, after 2 s of its CPU time
	w.want(ocf.ErrGeneric, result, "hangs")
	require.Less(t, result.Took, 3*time.Second)
	w.recovers()
}

// TestSilentWorker has somebody who accepts connections on the stats socket and says nothing, while
// HAProxy serves: no reason to have it stopped.
func TestSilentWorker(t *testing.T) {
	w := newWorld(t)
	w.start()
	f := w.instance()
	require.NoError(t, os.Remove(f.StatsSocket()))
	l, err := net.Listen("unix", f.StatsSocket())
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	result := w.r.Run("monitor", fiveSeconds)
	w.want(ocf.DegradedCode, result, "goes on working")
	require.Less(t, result.Took, 5*time.Second)
	w.want(ocf.Success, w.r.Run("monitor", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "5000",
		"OCF_RESKEY_CRM_meta_interval": "0"}), "")
	require.NoError(t, w.get())
	w.recovers()
}

// TestMasterWithoutWorker has a master that outlives its worker. HAProxy 2.6 does not let that
// happen, so an impostor plays the master, in everything that can be seen of one.
func TestMasterWithoutWorker(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.want(ocf.Success, w.r.Stop())
	tail, err := os.ReadFile(needs.Command(t, "tail"))
	require.NoError(t, err)
	w.write("haproxy", string(tail))
	// tail, unlike sleep, takes any word for a file.
	master := exec.Command(w.path("haproxy"), "-f", "/dev/null", w.instance().MasterArg())
	master.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, master.Start())
	go func() { _ = master.Wait() }()
	for _, r := range []ocftest.Result{w.quick(), w.r.Probe()} {
		w.want(ocf.ErrGeneric, r, "has no worker")
	}
	l, err := net.Listen("unix", w.instance().StatsSocket())
	require.NoError(t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	w.want(ocf.ErrGeneric, w.quick(), "has no worker")
	w.recovers()
}

// TestContainerWithTheSamePath has a HAProxy whose command line is the resource's, in a container:
// it is not the resource.
func TestContainerWithTheSamePath(t *testing.T) {
	w := newWorld(t)
	tail, err := os.ReadFile(needs.Command(t, "tail"))
	require.NoError(t, err)
	w.write("haproxy", string(tail))
	cmd := exec.Command(needs.Command(t, "unshare"), "--pid", "--fork", "--kill-child",
		w.path("haproxy"), "-f", "/dev/null", w.instance().MasterArg())
	out, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_, err = out.Read(make([]byte, 1)) // tail complains of the file that is none: it runs
	require.NoError(t, err)
	w.want(ocf.NotRunning, w.r.Monitor(0))
	w.want(ocf.Success, w.r.Stop())
	require.NoError(t, cmd.Process.Signal(syscall.Signal(0)))
}

func TestAnotherProcessHasTheID(t *testing.T) {
	w := newWorld(t)
	w.want(ocf.NotRunning, w.r.Monitor(0))
	other := exec.Command("sleep", "1000")
	require.NoError(t, other.Start())
	t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
	v, err := procfs.Default.Stat(other.Process.Pid)
	require.NoError(t, err)
	for name, p := range map[string]instance.Process{
		"started at another time": {PID: other.Process.Pid, Start: v.Start - 1,
			Exe: "/usr/bin/sleep"},
		"the time is the same even": {PID: other.Process.Pid, Start: v.Start,
			Exe: "/usr/sbin/haproxy"},
		"and there is no such id now": {PID: 1 << 30, Start: v.Start, Exe: "/usr/sbin/haproxy"},
	} {
		require.NoError(t, w.instance().Save(instance.State{Master: p}))
		require.NoError(t, os.WriteFile(w.instance().Pidfile(), fmt.Appendln(nil, p.PID), 0o600))
		w.want(ocf.NotRunning, w.r.Monitor(0))
		w.want(ocf.NotRunning, w.r.Probe())
		require.NotEmpty(t, name)
	}
	w.start()
	w.want(ocf.Success, w.r.Stop())
	_, err = procfs.Default.Stat(other.Process.Pid)
	require.NoError(t, err, "it is none of the agent's business")
}

// TestDeletedFiles deletes what the agent knows HAProxy by while it runs.
func TestDeletedFiles(t *testing.T) {
	f := func(w *world) *instance.Instance { return w.instance() }
	for name, remove := range map[string]func(w *world) error{
		"pidfile": func(w *world) error { return os.Remove(f(w).Pidfile()) },
		"state":   func(w *world) error { return os.Remove(f(w).State()) },
		"broken state": func(w *world) error {
			return os.WriteFile(f(w).State(), []byte("{"), 0o600)
		},
		"fragment":      func(w *world) error { return os.Remove(f(w).Fragment()) },
		"master socket": func(w *world) error { return os.Remove(f(w).MasterSocket()) },
		"stats socket":  func(w *world) error { return os.Remove(f(w).StatsSocket()) },
		"directory":     func(w *world) error { return os.RemoveAll(f(w).Dir) },
		"everything":    func(w *world) error { return os.RemoveAll(w.r.RunDir()) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			master := w.master().PID
			require.NoError(t, remove(w))
			w.want(ocf.Success, w.r.Probe())
			w.want(ocf.Success, w.r.Monitor(0))
			require.NoError(t, w.get())
			require.Equal(t, master, w.master().PID)
			for _, path := range []string{f(w).Pidfile(), f(w).State(), f(w).Fragment(),
				f(w).MasterSocket(), f(w).StatsSocket()} {
				require.FileExists(t, path)
			}
			steady := w.r.Monitor(0)
			w.want(ocf.Success, steady)
			require.Empty(t, steady.Stderr, "all is as it was")
			w.want(ocf.Success, w.r.Run("reload-agent", nil))
			w.want(ocf.Success, w.r.Monitor(0))
		})
	}
}

func TestDeletedDirectoryAndABrokenConfiguration(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	w.write("haproxy.cfg", w.config("bogus"))
	require.NoError(t, os.RemoveAll(w.instance().Dir))
	w.want(ocf.Success, w.r.Probe())
	w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
	w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
	require.NoError(t, w.get())
	w.write("haproxy.cfg", w.config(""))
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, master, w.master().PID)
	_, err := w.runtime().Info(t.Context())
	require.NoError(t, err)
	_, err = client.Master{Path: w.instance().MasterSocket()}.Procs(t.Context())
	require.NoError(t, err)
}

func TestStopOfAHAProxyThatNothingRemembers(t *testing.T) {
	w := newWorld(t)
	w.start()
	require.NoError(t, os.RemoveAll(w.r.RunDir()))
	require.NoError(t, os.Remove(w.path("haproxy.cfg")))
	r := w.r.With("binpath", "/nonexistent/haproxy").With("stop_grace", "nonsense").With("conffile",
		"relative")
	w.want(ocf.Success, r.Stop())
	require.True(t, w.family().Empty())
	w.want(ocf.NotRunning, r.Probe())
}

// TestUpgradedProgram replaces the program under the running HAProxy, as a package's upgrade does.
func TestUpgradedProgram(t *testing.T) {
	w := newWorld(t)
	program, err := os.ReadFile("/usr/sbin/haproxy")
	require.NoError(t, err)
	w.write("haproxy", string(program))
	w.r = w.r.With("binpath", w.path("haproxy"))
	w.start()
	master := w.master().PID
	require.NoError(t, os.Remove(w.path("haproxy")))
	w.want(ocf.Success, w.r.Monitor(0))
	w.write("haproxy", string(program))
	w.want(ocf.Success, w.r.Monitor(0))
	require.NoError(t, os.Remove(w.instance().State()))
	w.want(ocf.Success, w.r.Monitor(0))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, master, w.master().PID)
	require.NoError(t, os.Remove(w.path("haproxy")))
	w.want(ocf.Success, w.r.Stop())
	require.True(t, w.family().Empty())
}

// TestSlowAnswer: a busy HAProxy with thousands of servers takes its time for each answer, and is
// not hung.
func TestSlowAnswer(t *testing.T) {
	w := newWorld(t)
	w.start()
	f := w.instance()
	real := w.path("stats.real")
	require.NoError(t, os.Rename(f.StatsSocket(), real))
	l, err := net.Listen("unix", f.StatsSocket())
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				time.Sleep(instance.Briefly + instance.Briefly/2)
				if worker, err := net.Dial("unix", real); err == nil {
					go func() { _, _ = io.Copy(worker, conn) }()
					_, _ = io.Copy(conn, worker)
				}
			}()
		}
	}()
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestStatsSocketInUse: the clients of the configuration's own stats socket do not keep the monitor
// out.
func TestStatsSocketInUse(t *testing.T) {
	w := newWorld(t)
	w.start()
	for range 20 {
		conn, err := net.Dial("unix", w.path("admin.sock"))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
	}
	w.want(ocf.Success, w.quick())
}
