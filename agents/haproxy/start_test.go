package haproxy

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

func TestStartWithABrokenConfiguration(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", w.config("bogus"))
	w.want(ocf.ErrInstalled, w.r.Start(), "unknown keyword 'bogus'", w.path("haproxy.cfg:"))
	w.want(ocf.NotRunning, w.r.Monitor(0))
	require.NoError(t, os.Remove(w.path("haproxy.cfg")))
	w.want(ocf.ErrInstalled, w.r.Start(), w.path("haproxy.cfg"), "no such file")
	w.write("haproxy.cfg", w.config(""))
	w.start()
}

// TestStartIsIdempotent also where the configuration has been broken since: what runs, runs.
func TestStartIsIdempotent(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	w.write("haproxy.cfg", w.config("bogus"))
	w.want(ocf.Success, w.r.Start())
	require.Equal(t, master, w.master().PID)
}

func TestStartWithOtherArgumentsReplacesWhatRuns(t *testing.T) {
	w := newWorld(t)
	w.start()
	master := w.master().PID
	w.write("other.cfg", w.config(""))
	w.r = w.r.With("conffile", w.path("other.cfg"))
	w.start()
	require.NotEqual(t, master, w.master().PID)
	require.Contains(t, w.master().Args, w.path("other.cfg"))
}

// TestStartRecovers from whatever a start that was killed, or a HAProxy that was, has left.
func TestStartRecovers(t *testing.T) {
	for name, leave := range map[string]func(w *world){
		"files of one that is gone": func(w *world) {
			master := w.master().PID
			w.kill(master, syscall.SIGKILL)
			w.gone(master)
			require.FileExists(w.t, w.instance().Pidfile())
		},
		"a start killed before it could remember": func(w *world) {
			require.NoError(w.t, os.Remove(w.instance().State()))
		},
		"a stopped master": func(w *world) {
			w.kill(w.master().PID, syscall.SIGSTOP)
		},
		"a hung worker": func(w *world) {
			w.kill(w.worker().PID, syscall.SIGSTOP)
		},
		"an orphaned worker": func(w *world) {
			w.kill(w.worker().PID, syscall.SIGSTOP)
			w.kill(w.master().PID, syscall.SIGKILL)
		},
		"one without its sockets": func(w *world) {
			require.NoError(w.t, os.RemoveAll(w.instance().Dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			leave(w)
			w.start()
			w.want(ocf.Success, w.r.Monitor(0))
			require.Len(t, w.family().Masters, 1)
		})
	}
}

// TestStartKilledHalfway kills the agent's process at different moments of a start, as Pacemaker
// would after its timeout.
func TestStartKilledHalfway(t *testing.T) {
	w := newWorld(t)
	program := w.path("ocf-haproxy")
	build := exec.Command("go", "build", "-o", program,
		"github.com/hawser-ha/hawser/cmd/ocf-haproxy")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	for moment := time.Duration(0); moment < 150*time.Millisecond; moment += 10 * time.Millisecond {
		cmd := exec.Command(program, "start")
		cmd.Env = append(os.Environ(), "HAWSER_RUNDIR="+w.r.RunDir(),
			"OCF_RESOURCE_INSTANCE="+w.r.Instance,
			"OCF_RESKEY_conffile="+w.path("haproxy.cfg"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		require.NoError(t, cmd.Start())
		time.Sleep(moment) // the moments are the subject here
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if moment/(10*time.Millisecond)%2 == 0 {
			w.want(ocf.Success, w.r.Stop()) // what Pacemaker does
			require.True(t, w.family().Empty())
		}
		w.start()
		require.Len(t, w.family().Masters, 1)
		w.want(ocf.Success, w.r.Stop())
		require.True(t, w.family().Empty())
	}
}

// TestForeignHAProxy has another HAProxy on the resource's address, which the kernel would let
// share it.
func TestForeignHAProxy(t *testing.T) {
	for name, address := range map[string]string{"the same address": "127.0.0.1",
		"all addresses": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if address == "" {
				w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1:", "bind :", 1))
			}
			w.write("foreign.cfg", fmt.Sprintf("frontend f\n mode http\n timeout client 1s\n "+
				"bind %s:%d\n", address, w.port))
			foreign := exec.Command("/usr/sbin/haproxy", "-db", "-f", w.path("foreign.cfg"))
			require.NoError(t, foreign.Start())
			t.Cleanup(func() { _ = foreign.Process.Kill(); _ = foreign.Wait() })
			w.listens()
			w.want(ocf.ErrGeneric, w.r.Start(), "another HAProxy",
				fmt.Sprintf("pid %d", foreign.Process.Pid), fmt.Sprint(w.port))
			w.want(ocf.NotRunning, w.r.Monitor(0))
			require.True(t, w.family().Empty())

			// An address that only HAProxy can read out of the configuration is noticed when it is
			// bound.
			host := "localhost"
			if address == "" {
				host = `"$NOBODY"`
			}
			w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1", "bind "+host, 1))
			w.want(ocf.ErrGeneric, w.r.Start(), "another HAProxy",
				fmt.Sprintf("pid %d", foreign.Process.Pid))
			require.True(t, w.family().Empty())

			require.NoError(t, foreign.Process.Kill())
			_ = foreign.Wait()
			w.start()
		})
	}
}

// TestForeignHAProxyOnAllAddresses: the kernel gives what is sent to a certain address to the socket
// of that address, so that HAProxy misses nothing.
func TestForeignHAProxyOnAllAddresses(t *testing.T) {
	for _, theirs := range []string{"bind :%d", "bind :::%d v4v6"} {
		t.Run(theirs, func(t *testing.T) {
			w := newWorld(t)
			w.write("foreign.cfg", "frontend f\n mode http\n timeout client 1s\n "+
				fmt.Sprintf(theirs, w.port)+"\n http-request return status 204\n")
			foreign := exec.Command("/usr/sbin/haproxy", "-db", "-f", w.path("foreign.cfg"))
			require.NoError(t, foreign.Start())
			t.Cleanup(func() { _ = foreign.Process.Kill(); _ = foreign.Wait() })
			w.listens()
			result := w.r.Start()
			w.want(ocf.Success, result)
			require.Contains(t, result.Stderr, fmt.Sprintf("(pid %d); it gets what is sent to addresses",
				foreign.Process.Pid))
			for range 50 {
				require.NoError(t, w.get(), "none is the other one's")
			}
		})
	}
}

// TestForeignHAProxyOfTheOtherFamily: a socket of [::] takes connections of IPv4 too, unless it is
// told not to.
func TestForeignHAProxyOfTheOtherFamily(t *testing.T) {
	for _, c := range []struct {
		theirs, ours string
		refused      bool
	}{
		{"*:%d", ":::%d v4v6", true},
		{"*:%d", ":::%d", true},
		{":::%d v4v6", "127.0.0.1:%d", false},
		{":::%d", "*:%d", true},
		{"*:%d", ":::%d v6only", false},
		{":::%d v6only", "*:%d", false},
	} {
		t.Run(c.theirs+" and "+c.ours, func(t *testing.T) {
			w := newWorld(t)
			w.write("foreign.cfg", "frontend f\n mode http\n timeout client 1s\n bind "+
				fmt.Sprintf(c.theirs, w.port)+"\n bind "+w.path("up.sock")+"\n")
			foreign := exec.Command("/usr/sbin/haproxy", "-db", "-f", w.path("foreign.cfg"))
			require.NoError(t, foreign.Start())
			t.Cleanup(func() { _ = foreign.Process.Kill(); _ = foreign.Wait() })
			require.Eventually(t, func() bool {
				conn, err := net.Dial("unix", w.path("up.sock"))
				if err == nil {
					_ = conn.Close()
				}
				return err == nil
			}, 10*time.Second, time.Millisecond)
			w.write("haproxy.cfg", strings.Replace(w.config(""),
				fmt.Sprintf("bind 127.0.0.1:%d", w.port), "bind "+fmt.Sprintf(c.ours, w.port), 1))
			if c.refused {
				w.want(ocf.ErrGeneric, w.r.Start(), "another HAProxy",
					fmt.Sprintf("pid %d", foreign.Process.Pid))
				return
			}
			w.want(ocf.Success, w.r.Start())
		})
	}
}

// listens waits until somebody accepts connections on the resource's address.
func (w *world) listens() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, time.Millisecond)
}

func TestAddressOfAnotherProgram(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	w.want(ocf.ErrGeneric, w.r.Start(), "cannot bind", fmt.Sprintf("pid %d", os.Getpid()))
	w.want(ocf.NotRunning, w.r.Monitor(0))
	require.NoError(t, l.Close())
	w.start()
}

func TestAddressThatThisNodeDoesNotHave(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1", "bind 192.0.2.1", 1))
	w.want(ocf.ErrGeneric, w.r.Start(), "cannot bind", "192.0.2.1")
	w.want(ocf.NotRunning, w.r.Monitor(0))
}

func TestTwoInstances(t *testing.T) {
	w := newWorld(t)
	w.start()
	other := *w
	other.r = w.r.With("conffile", w.path("other.cfg"))
	other.r.Instance = "other"
	w.write("other.cfg", w.config(""))
	w.want(ocf.ErrGeneric, other.r.Start(), "another HAProxy")
	port := freePort(t)
	w.write("other.cfg", strings.ReplaceAll(w.config(""), fmt.Sprint(":", w.port),
		fmt.Sprint(":", port)))
	w.want(ocf.Success, other.r.Start())
	w.want(ocf.Success, other.r.Monitor(0))
	w.want(ocf.Success, w.r.Stop())
	w.want(ocf.Success, other.r.Monitor(0))
	w.want(ocf.Success, other.r.Stop())
	require.True(t, other.family().Empty())
}

// TestUnitBesideTheResource has systemd know of a HAProxy of its own.
func TestUnitBesideTheResource(t *testing.T) {
	for name, c := range map[string]struct {
		unit systemd.Unit
		says string
	}{
		"enabled": {systemd.Unit{File: "enabled", Active: "inactive"},
			"at the next boot, haproxy.service: systemctl disable --now haproxy.service"},
		"runs": {systemd.Unit{File: "disabled", Active: "active", MainPID: 4711},
			"haproxy.service (pid 4711): systemctl disable --now haproxy.service"},
		"disabled": {systemd.Unit{File: "disabled", Active: "inactive"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			asked := 0
			w.tune = func(a *agent) {
				a.Systemd.Find = func(_ context.Context, name string) (systemd.Unit, error) {
					asked++
					unit := c.unit
					if unit.Name = name; asked == 1 {
						unit.Active = "activating" // as at boot: waited for
					}
					return unit, nil
				}
			}
			for _, result := range []ocftest.Result{w.r.Start(), w.r.Run("validate-all", nil)} {
				w.want(ocf.Success, result)
				require.Contains(t, result.Stderr, c.says)
				require.Equal(t, c.says != "", strings.Contains(result.Stderr, "systemctl disable"),
					result.Stderr)
			}
			require.Greater(t, asked, 1)
			asked = 0
			w.want(ocf.Success, w.r.Monitor(0))
			require.Zero(t, asked, "a monitor has no time for it")
		})
	}
}

func TestRuntimeDirectoryThatHAProxyCannotUse(t *testing.T) {
	w := newWorld(t)
	r := *w.r
	r.Instance = strings.Repeat("x", 100)
	w.want(ocf.ErrArgs, r.Start(), "shorten")
	r.Instance = "a,b"
	w.want(ocf.ErrArgs, r.Start(), "rename")
}
