package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// TestCrash: whatever of HAProxy is killed under load, nobody is refused and it is back at once.
func TestCrash(t *testing.T) {
	for name, victims := range map[string]func(family) []int{
		"master and worker": func(f family) []int { return []int{f.masters[0].PID, f.others[0].PID} },
		"the worker alone":  func(f family) []int { return []int{f.others[0].PID} },
		"the master alone":  func(f family) []int { return []int{f.masters[0].PID} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			first := w.master().PID
			end := w.load()
			for _, pid := range victims(w.family()) {
				_ = syscall.Kill(pid, syscall.SIGKILL) // the second one may be gone with the first
			}
			w.eventually("HAProxy is back", func() bool { s := w.state(); return len(s.Crashes) == 1 && s.Master.PID != first })
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
		"a worker that spins": func(w *world) {
			conn, err := net.Dial("unix", w.files().stats())
			require.NoError(w.t, err)
			w.t.Cleanup(func() { _ = conn.Close() })
			_, err = fmt.Fprintln(conn, "expert-mode on; debug dev loop 20000")
			require.NoError(w.t, err)
		},
		"somebody's soft stop": func(w *world) {
			w.request("/slow")
			w.kill(w.worker().PID, syscall.SIGUSR1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			// One thread: of several, the others would go on serving and answering until HAProxy's own watchdog ends it.
			w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tnbthread 1", 1))
			w.guarded()
			first := w.master().PID
			began := time.Now()
			hang(w)
			w.eventually("HAProxy is another one", func() bool { s := w.state(); return len(s.Crashes) == 1 && s.Master.PID != first })
			require.Less(t, time.Since(began), 4*time.Second)
			require.NoError(t, w.get())
		})
	}
}

// TestTheKeeperIsOne: it is one whatever is started and killed, and is not mistaken for HAProxy.
func TestTheKeeperIsOne(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	keeper, standby := w.keepers()

	t.Run("a second one ends", func(t *testing.T) {
		cmd := exec.Command(w.files().keeperLink())
		cmd.Args, cmd.Env = []string{keeperName}, newAgent("").keeperEnv(w.files())
		require.Error(t, cmd.Run())
		again, _ := w.keepers()
		require.Equal(t, keeper, again)
	})
	t.Run("and is not called haproxy", func(t *testing.T) {
		for _, pid := range append(keeper, standby...) {
			comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(comm), "hawser-"), string(comm))
			out, _ := exec.Command("pidof", "haproxy").Output()
			require.NotContains(t, strings.Fields(string(out)), fmt.Sprint(pid))
			out, _ = exec.Command("pgrep", "-f", "haproxy").Output()
			require.NotContains(t, strings.Fields(string(out)), fmt.Sprint(pid))
			out, _ = exec.Command("pgrep", "-x", "hawser-keeper").Output()
			require.Equal(t, pid == keeper[0], strings.Contains(string(out), fmt.Sprint(pid)))
		}
	})
	t.Run("it inherits nothing", func(t *testing.T) {
		for _, pid := range append(keeper, standby...) {
			for fd := range 3 {
				target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
				require.NoError(t, err)
				require.Equal(t, "/dev/null", target)
			}
			v, err := look(pid)
			require.NoError(t, err)
			require.Equal(t, pid, v.session)
		}
	})
	t.Run("killed, the standby takes its place", func(t *testing.T) {
		w.kill(keeper[0], syscall.SIGKILL)
		w.gone(keeper[0])
		w.guards()
		again, _ := w.keepers()
		require.Equal(t, standby, again)
	})
	t.Run("the standby killed, there is another", func(*testing.T) {
		_, standby := w.keepers()
		w.kill(standby[0], syscall.SIGKILL)
		w.gone(standby[0])
		w.guards()
	})
	t.Run("both killed, the next monitor puts them back", func(t *testing.T) {
		fam, err := w.files().keepers()
		require.NoError(t, err)
		fam.signal(syscall.SIGKILL)
		w.eventually("they are gone", func() bool {
			fam, err := w.files().keepers()
			fam.signal(syscall.SIGKILL) // one that was made between the look and the signal
			return err == nil && fam.empty()
		})
		w.want(ocf.Success, w.r.Monitor(0))
		w.guards()
	})
	t.Run("one that hangs is replaced by the next monitor", func(t *testing.T) {
		keeper, _ := w.keepers()
		w.kill(keeper[0], syscall.SIGSTOP)
		w.want(ocf.Success, w.r.Monitor(0))
		w.guards()
		again, _ := w.keepers()
		require.NotEqual(t, keeper, again)
	})
	t.Run("keeper=false ends it at a reload, and true brings it back", func(t *testing.T) {
		w.want(ocf.Success, w.r.With("keeper", "false").Run("reload-agent", nil))
		fam, err := w.files().keepers()
		require.NoError(t, err)
		require.True(t, fam.empty())
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		w.guards()
	})
	t.Run("a start of what runs leaves it alone", func(t *testing.T) {
		keeper, _ := w.keepers()
		w.want(ocf.Success, w.r.Start())
		again, _ := w.keepers()
		require.Equal(t, keeper, again)
	})
}

// TestKeeperAndHAProxyKilledTogether: without held sockets there is a gap, and it is short.
func TestKeeperAndHAProxyKilledTogether(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	keeper, _ := w.keepers()
	fam := w.family()
	w.kill(keeper[0], syscall.SIGKILL)
	fam.signal(syscall.SIGKILL)
	w.eventually("the standby brings it back", func() bool { return len(w.state().Crashes) == 1 })
	require.NoError(t, w.get())
	w.guards()

	t.Run("and everything at once is the monitor's", func(t *testing.T) {
		fam, err := w.files().keepers()
		require.NoError(t, err)
		all := w.family()
		fam.signal(syscall.SIGKILL)
		all.signal(syscall.SIGKILL)
		w.eventually("they are gone", func() bool {
			fam, err := w.files().keepers()
			fam.signal(syscall.SIGKILL) // a standby that was made, and what a keeper brought back, between the look and the signal
			w.family().signal(syscall.SIGKILL)
			return err == nil && fam.empty() && w.family().empty()
		})
		w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy crashed")
		require.NoError(t, w.get())
		w.guards()
	})
}

// TestWhatTheKeeperLeavesAlone: what the cluster does not want to run here stays down, and nobody waits on a socket in vain.
func TestWhatTheKeeperLeavesAlone(t *testing.T) {
	for name, does := range map[string]string{"unmanaged": "unmanaged", "no Pacemaker": "down"} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			w.cluster(does)
			w.family().signal(syscall.SIGKILL)
			w.eventually("the keeper ends", func() bool { fam, err := w.files().keepers(); return err == nil && fam.empty() })
			w.eventually("HAProxy is gone", func() bool { return w.family().empty() })
			w.eventually("nobody listens", func() bool { return errors.Is(w.get(), syscall.ECONNREFUSED) })
			require.Empty(t, w.told())
			w.eventually("the monitor says so", func() bool { return w.r.Monitor(0).Code == ocf.NotRunning })
		})
	}
	t.Run("a cluster that does not answer does not stop it", func(t *testing.T) {
		w := newKeptWorld(t)
		w.guarded()
		w.cluster("hang")
		w.family().signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
		require.NoError(t, w.get())
	})
}

// TestHandOver: what the keeper cannot mend is the cluster's, at once, and nobody waits on a held socket.
func TestHandOver(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"binary gone": func(w *world) {
			w.r = w.r.With("binpath", w.path("haproxy-x"))
			program, err := os.ReadFile("/usr/sbin/haproxy")
			require.NoError(w.t, err)
			w.write("haproxy-x", string(program))
			w.guarded()
			require.NoError(w.t, os.Remove(w.path("haproxy-x")))
		},
		"it keeps crashing": func(w *world) {
			w.r = w.r.With("max_crashes", "2")
			w.guarded()
			w.family().signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
			w.guards()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			spoil(w)
			for _, m := range w.state().family(w) {
				_ = syscall.Kill(m, syscall.SIGKILL) // the keeper may have been faster
			}
			w.eventually("the cluster is told", func() bool { return strings.Contains(w.told(), "--fail -r test -N here") })
			w.eventually("the keeper ends", func() bool { fam, err := w.files().keepers(); return err == nil && fam.empty() })
			w.eventually("the sockets are closed", func() bool { return errors.Is(w.get(), syscall.ECONNREFUSED) })
			w.eventually("the monitor says so", func() bool { return w.r.Monitor(0).Code == ocf.NotRunning }) // once zombies are collected
			w.want(ocf.Success, w.r.Stop())
		})
	}
}

// family are the processes of the HAProxy that the state is about, found by its master.
func (s state) family(w *world) []int {
	a := newAgent("")
	a.binpath = w.r.Params["binpath"]
	if a.binpath == "" {
		a.binpath = "/usr/sbin/haproxy"
	}
	fam, err := a.find(w.files())
	require.NoError(w.t, err)
	var pids []int
	for _, m := range fam.all() {
		pids = append(pids, m.PID)
	}
	return pids
}

// TestTheLastConfigurationThatWorked: what is edited and not reloaded does not take effect by a crash, be it broken or not.
func TestTheLastConfigurationThatWorked(t *testing.T) {
	for name, edit := range map[string]func(w *world){
		"broken": func(w *world) { w.write("haproxy.cfg", w.config("bogus")) },
		"gone":   func(w *world) { require.NoError(w.t, os.Remove(w.path("haproxy.cfg"))) },
		"another one": func(w *world) {
			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend more\n\tbind 127.0.0.1:%d\n", freePort(w.t))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			edit(w)
			w.family().signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
			require.NoError(t, w.get())
			require.True(t, w.files().onCopies(w.master().PID))
			w.want(ocf.DegradedCode, w.r.Monitor(0), "last good configuration")
			w.want(ocf.Success, w.r.Monitor(0))
			w.want(ocf.Success, w.r.Start())

			port := freePort(t)
			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend other\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n", port)))
			w.want(ocf.Success, w.r.Run("reload-agent", nil))
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			require.NoError(t, err, "a reload reaches a HAProxy that runs from the copies")
			require.NoError(t, conn.Close())
			w.want(ocf.Success, w.r.Monitor(0))

			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend other\n\tbind 192.0.2.77:%d\n\tdefault_backend app\n", port)))
			w.want(ocf.Success, w.r.Run("reload-agent", nil))
			w.want(ocf.DegradedCode, w.r.Monitor(0))
			w.guards()
			w.family().signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 2 })
			conn, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			require.NoError(t, err, "what could not be loaded is not what comes back")
			require.NoError(t, conn.Close())
		})
	}
}

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
	config := w.config(fmt.Sprintf("frontend more\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n", more))
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
		entries, err := os.ReadDir(w.files().dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is left")
	})
}

// TestRestartOnTheSameNode: where the cluster is going to start the resource here again, nobody is refused in between.
func TestRestartOnTheSameNode(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.simulate(true)
	first := w.master().PID
	end := w.load()
	w.want(ocf.Success, w.r.Stop())
	require.True(t, w.family().empty())
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
		w.eventually("connections are refused", func() bool { return errors.Is(w.get(), syscall.ECONNREFUSED) })
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
	require.NoError(t, w.files().save(s))
	w.family().signal(syscall.SIGKILL)
	w.kill(keeper[0], syscall.SIGCONT)
	w.eventually("the keeper ends", func() bool { fam, err := w.files().keepers(); return err == nil && fam.empty() })
	w.eventually("HAProxy is gone", func() bool { return w.family().empty() })
	w.want(ocf.NotRunning, w.r.Monitor(0))
	w.want(ocf.Success, w.r.Stop())
	w.start()
	w.guards()
}

// TestCrashDuringReload: a reload that HAProxy does not live through leaves one that serves what it served.
func TestCrashDuringReload(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.write("slow", "#!/bin/sh\nsleep 0.3\nexec /usr/sbin/haproxy \"$@\"\n") // the check takes its time
	w.r = w.r.With("binpath", w.path("slow"))
	master := w.master().PID
	result := make(chan ocf.Code, 1)
	w.write("haproxy.cfg", w.config("#edited"))
	go func() { result <- w.r.Run("reload-agent", nil).Code }()
	w.eventually("the check is under way", func() bool { return held(filepath.Join(w.r.RunDir(), "."+w.r.Instance+".lock")) })
	w.kill(master, syscall.SIGKILL)
	require.Equal(t, ocf.Success, <-result)
	require.NoError(t, w.get())
	w.eventually("it counts", func() bool { return len(w.state().Crashes) == 1 })
}

// TestAnotherInstanceIsNobodysBusiness: two instances, one crash.
func TestAnotherInstanceIsNobodysBusiness(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	other := *w
	r := *w.r
	r.Instance = "other"
	other.r, other.port = &r, freePort(t)
	other.write("other.cfg", strings.ReplaceAll(strings.ReplaceAll(w.config(""), fmt.Sprint(w.port), fmt.Sprint(other.port)), "admin.sock", "other.sock"))
	other.r = other.r.With("conffile", w.path("other.cfg"))
	t.Cleanup(func() { other.want(ocf.Success, other.r.Stop()) })
	other.guarded()
	before, master := w.state(), w.master().PID
	keeper, standby := w.keepers()
	w.write("crm_mon", strings.ReplaceAll(func() string { text, _ := os.ReadFile(w.path("crm_mon")); return string(text) }(), "id='test'", "id='other'"))
	other.family().signal(syscall.SIGKILL)
	other.eventually("the other is back", func() bool { return len(other.state().Crashes) == 1 })
	other.want(ocf.Success, other.r.Stop())
	require.Equal(t, before, w.state())
	require.Equal(t, master, w.master().PID)
	again, againStandby := w.keepers()
	require.Equal(t, keeper, again)
	require.Equal(t, standby, againStandby)
	w.write("crm_mon", "#!/bin/sh\nexit 1\n")
}

// TestIPv6WithoutV6only: HAProxy does not recognise this socket and binds another; what waits on the first is not lost.
func TestIPv6WithoutV6only(t *testing.T) {
	w := newKeptWorld(t)
	port := freePort(t)
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend six\n\tbind ::1:%d\n\tdefault_backend app\n", port)))
	w.guarded()
	before, err := os.ReadFile(migrateSwitch)
	require.NoError(t, err)
	keeper, _ := w.keepers()
	w.kill(keeper[0], syscall.SIGSTOP)
	fam := w.family()
	fam.signal(syscall.SIGKILL)
	for _, m := range fam.all() {
		w.gone(m.PID)
	}
	conn, err := net.Dial("tcp", fmt.Sprintf("[::1]:%d", port))
	require.NoError(t, err, "it is not refused")
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	w.kill(keeper[0], syscall.SIGCONT)
	require.NoError(t, conn.SetDeadline(time.Now().Add(15*time.Second)))
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Contains(t, string(text), fmt.Sprint(http.StatusOK))
	w.eventually("the kernel's setting is what it was", func() bool {
		after, err := os.ReadFile(migrateSwitch)
		return err == nil && string(after) == string(before)
	})
}

// installed is the program as it is installed, by another name.
func (w *world) installed() string {
	program := w.path("ocf-haproxy")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=1.2.3", "-o", program, "../../cmd/ocf-haproxy")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(w.t, err, string(out))
	return program
}

// TestUpgradeOfTheAgent: the next monitor replaces a keeper of before, under a HAProxy that goes on.
func TestUpgradeOfTheAgent(t *testing.T) {
	w := newKeptWorld(t)
	program := w.installed()
	act := func(action string) {
		cmd := exec.Command(program, action)
		cmd.Env = os.Environ()
		for name, value := range w.r.Env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		for name, value := range w.r.Params {
			cmd.Env = append(cmd.Env, "OCF_RESKEY_"+name+"="+value)
		}
		cmd.Env = append(cmd.Env, "OCF_RESOURCE_INSTANCE="+w.r.Instance, "OCF_RESKEY_CRM_meta_interval=10000", "OCF_RESKEY_CRM_meta_timeout=20000")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	act("start")
	w.guards()
	master := w.master().PID
	keeper, standby := w.keepers()
	act("monitor")
	again, _ := w.keepers()
	require.Equal(t, keeper, again, "nothing has changed")

	text, err := os.ReadFile(program)
	require.NoError(t, err)
	require.NoError(t, os.Remove(program))
	require.NoError(t, os.WriteFile(program, text, 0o755)) //nolint:gosec // a program
	act("monitor")
	w.guards()
	again, againStandby := w.keepers()
	require.NotEqual(t, keeper, again)
	require.NotEqual(t, standby, againStandby)
	require.Equal(t, master, w.master().PID)
}

// TestKeeperIsSmall runs the program that is installed.
func TestKeeperIsSmall(t *testing.T) {
	w := newKeptWorld(t)
	program := w.installed()
	w.tune = func(a *agent) { a.program = program }
	w.guarded()
	keeper, standby := w.keepers()
	cpu := func() time.Duration { return burden(keeper[0]).ran + burden(standby[0]).ran }
	before := cpu()
	const watched = 5 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), watched)
	defer cancel()
	<-ctx.Done()
	used := cpu() - before
	for _, pid := range append(keeper, standby...) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				var kib int
				_, err := fmt.Sscan(rest, &kib)
				require.NoError(t, err)
				t.Logf("pid %d: at most %d KiB", pid, kib)
				require.Less(t, kib, 16<<10)
			}
		}
	}
	t.Logf("%v of a processor's time in %v", used, watched)
	require.Less(t, used, watched/100)
}
