package haproxy

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// TestTheKeeperIsOne: it is one whatever is started and killed, and is not mistaken for HAProxy.
func TestTheKeeperIsOne(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	keeper, standby := w.keepers()

	t.Run("a second one ends", func(t *testing.T) {
		cmd := exec.Command(w.instance().KeeperLink())
		cmd.Args, cmd.Env = []string{contract.KeeperProcess}, w.instance().KeeperEnv()
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
			v, err := procfs.Default.Stat(pid)
			require.NoError(t, err)
			require.Equal(t, pid, v.Session)
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
		fam, err := w.instance().Keepers()
		require.NoError(t, err)
		fam.Signal(syscall.SIGKILL)
		w.eventually("they are gone", func() bool {
			fam, err := w.instance().Keepers()
			fam.Signal(syscall.SIGKILL) // one that was made between the look and the signal
			return err == nil && fam.Empty()
		})
		w.want(ocf.Success, w.r.Monitor(0))
		w.guards()
	})
	t.Run("whose lock is given back a moment after its end", func(t *testing.T) {
		// As by threads of it that end later. The previous standby waits for the lock too, and must
		// not be what is left.
		fam, err := w.instance().Keepers()
		require.NoError(t, err)
		fam.Signal(syscall.SIGKILL)
		lock, err := os.OpenFile(w.instance().KeeperLock(), os.O_RDWR, 0)
		require.NoError(t, err)
		defer func() { _ = lock.Close() }()
		w.eventually("they are gone", func() bool {
			fam, err := w.instance().Keepers()
			fam.Signal(syscall.SIGKILL)
			return err == nil && fam.Empty() &&
				syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
		})
		given := make(chan error, 1)
		time.AfterFunc(250*time.Millisecond, func() {
			given <- syscall.Flock(int(lock.Fd()), syscall.LOCK_UN)
		})
		w.want(ocf.Success, w.r.Monitor(0))
		require.NoError(t, <-given)
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
		fam, err := w.instance().Keepers()
		require.NoError(t, err)
		require.True(t, fam.Empty())
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

// TestWhatTheKeeperLeavesAlone: what the cluster does not want to run here stays down, and nobody
// waits on a socket in vain.
func TestWhatTheKeeperLeavesAlone(t *testing.T) {
	for name, does := range map[string]string{"unmanaged": "unmanaged", "no Pacemaker": "down"} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.guarded()
			w.cluster(does)
			w.family().Signal(syscall.SIGKILL)
			w.eventually("the keeper ends", func() bool {
				fam, err := w.instance().Keepers()
				return err == nil && fam.Empty()
			})
			w.eventually("HAProxy is gone", func() bool { return w.family().Empty() })
			w.eventually("nobody listens", func() bool {
				return errors.Is(w.get(), syscall.ECONNREFUSED)
			})
			require.Empty(t, w.told())
			w.eventually("the monitor says so", func() bool {
				return w.r.Monitor(0).Code == ocf.NotRunning
			})
		})
	}
	t.Run("a cluster that does not answer does not stop it", func(t *testing.T) {
		w := newKeptWorld(t)
		w.guarded()
		w.cluster("hang")
		w.family().Signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
		require.NoError(t, w.get())
	})
}

// TestHandOver: what the keeper cannot fix is left to the cluster at once, and nobody waits on a
// held socket.
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
			w.family().Signal(syscall.SIGKILL)
			w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
			w.guards()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			spoil(w)
			for _, m := range familyPIDs(w) {
				_ = syscall.Kill(m, syscall.SIGKILL) // the keeper may have been faster
			}
			w.eventually("the cluster is told", func() bool {
				return strings.Contains(w.told(), "--fail -r test -N here")
			})
			text, err := os.ReadFile(w.path("attributes"))
			require.NoError(t, err)
			require.Regexp(t, "-n hawser-test-handed-over -U at=.*,why=.*HAProxy", string(text))
			w.eventually("the keeper ends", func() bool {
				fam, err := w.instance().Keepers()
				return err == nil && fam.Empty()
			})
			w.eventually("the sockets are closed", func() bool {
				return errors.Is(w.get(), syscall.ECONNREFUSED)
			})
			// once zombies are collected
			w.eventually("the monitor says so", func() bool {
				return w.r.Monitor(0).Code == ocf.NotRunning
			})
			w.want(ocf.Success, w.r.Stop())
		})
	}
}

// familyPIDs are the processes of the HAProxy that the state is about, found by its master.
func familyPIDs(w *world) []int {
	in := w.instance()
	in.Binpath = cmp.Or(w.r.Params["binpath"], in.Binpath)
	fam, err := in.Find()
	require.NoError(w.t, err)
	var pids []int
	for _, m := range fam.All() {
		pids = append(pids, m.PID)
	}
	return pids
}

// TestAnotherInstanceIsNobodysBusiness: two instances, one crash.
func TestAnotherInstanceIsNobodysBusiness(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	other := *w
	r := *w.r
	r.Instance = "other"
	other.r, other.port = &r, freePort(t)
	other.write("other.cfg", strings.ReplaceAll(strings.ReplaceAll(w.config(""), fmt.Sprint(w.port),
		fmt.Sprint(other.port)), "admin.sock", "other.sock"))
	other.r = other.r.With("conffile", w.path("other.cfg"))
	t.Cleanup(func() { other.want(ocf.Success, other.r.Stop()) })
	other.guarded()
	before, master := w.state(), w.master().PID
	keeper, standby := w.keepers()
	w.write("crm_mon", strings.ReplaceAll(func() string {
		text, _ := os.ReadFile(w.path("crm_mon"))
		return string(text)
	}(), "id='test'", "id='other'"))
	other.family().Signal(syscall.SIGKILL)
	other.eventually("the other is back", func() bool { return len(other.state().Crashes) == 1 })
	other.want(ocf.Success, other.r.Stop())
	require.Equal(t, before, w.state())
	require.Equal(t, master, w.master().PID)
	again, againStandby := w.keepers()
	require.Equal(t, keeper, again)
	require.Equal(t, standby, againStandby)
	w.write("crm_mon", "#!/bin/sh\nexit 1\n")
}

// TestIPv6WithoutV6only: HAProxy does not recognise this socket and binds another; what waits on
// the first is not lost.
func TestIPv6WithoutV6only(t *testing.T) {
	w := newKeptWorld(t)
	port := freePort(t)
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend six\n\tbind ::1:%d\n\tdefault_backend "+
		"app\n", port)))
	w.guarded()
	const migrate = "net.ipv4.tcp_migrate_req"
	before := procfs.Default.Sysctl(migrate)
	require.NotEmpty(t, before)
	keeper, _ := w.keepers()
	w.kill(keeper[0], syscall.SIGSTOP)
	fam := w.family()
	fam.Signal(syscall.SIGKILL)
	for _, m := range fam.All() {
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
		return procfs.Default.Sysctl(migrate) == before
	})
}

// A start by hand does not say what Pacemaker calls this node, which may not be the host's name.
func TestStartByHand(t *testing.T) {
	byHand := map[string]string{"OCF_RESKEY_CRM_meta_on_node": ""}
	t.Run("Pacemaker says it", func(t *testing.T) {
		w := newKeptWorld(t)
		w.write("crm_node", "#!/bin/sh\necho here\n")
		w.want(ocf.Success, w.r.Run("start", byHand))
		w.guards()
		require.Contains(t, environ(w.worker().PID), "HAWSER_NODE=here")
		w.family().Signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
		w.eventually("the cluster knows", func() bool {
			text, _ := os.ReadFile(w.path("attributes"))
			return strings.Contains(string(text), "hawser-test-crash")
		})
		w.cluster("unmanaged")
		w.family().Signal(syscall.SIGKILL)
		w.eventually("maintenance is noticed", func() bool {
			fam, err := w.instance().Keepers()
			return err == nil && fam.Empty()
		})
	})
	t.Run("or the next monitor does", func(t *testing.T) {
		w := newKeptWorld(t)
		w.write("crm_node", "#!/bin/sh\nexit 102\n")
		w.want(ocf.Success, w.r.Run("start", byHand))
		w.guards()
		require.False(t, w.instance().KeeperKnows("here"))
		w.want(ocf.Success, w.r.Monitor(0))
		require.True(t, w.instance().KeeperKnows("here"))
	})
}
