package haproxy

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/ocf"
)

// hang puts a FIFO in the place of the configuration, which nobody can read to its end: a disk that is gone.
func (w *world) hang() {
	w.t.Helper()
	require.NoError(w.t, os.Remove(w.path("haproxy.cfg")))
	require.NoError(w.t, unix.Mkfifo(w.path("haproxy.cfg"), 0o600))
}

// HAProxy is brought back from the copies while its configuration cannot be read.
func TestCrashWhileTheDiskHangs(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.hang()
	before := w.master().PID
	w.kill(before, syscall.SIGKILL)
	w.eventually("HAProxy is back", func() bool {
		fam := w.family()
		return len(fam.Masters) == 1 && fam.Masters[0].PID != before && w.get() == nil
	})
	stopped := w.r.Stop()
	w.want(ocf.Success, stopped)
	require.Less(t, stopped.Took, 10*time.Second)
}

// Where there are no copies, bringing it back hangs. The keeper gives that up: it holds neither sockets nor the lock any longer, and
// Pacemaker is told.
func TestKeeperThatHangs(t *testing.T) {
	t.Setenv(keepVariable, "3s")
	w := newKeptWorld(t)
	w.guarded()
	require.NoError(t, os.RemoveAll(w.instance().Copies()))
	w.hang()
	w.kill(w.master().PID, syscall.SIGKILL)
	w.eventually("the keeper is gone", func() bool {
		fam, err := w.instance().Keepers()
		return err == nil && fam.Empty()
	})
	require.Contains(t, w.told(), "--fail -r test -N here")
	require.True(t, w.state().GaveUp)
	stopped := w.r.Stop()
	w.want(ocf.Success, stopped)
	require.Less(t, stopped.Took, 5*time.Second)
}

// A monitor that does not get the lock looks, and says what it sees.
func TestMonitorWhileAnotherActionIsBusy(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	lock, err := os.OpenFile(w.path("run/.test.lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	w.want(ocf.Success, w.quick())
	keepers, err := w.instance().Keepers()
	require.NoError(t, err)
	keepers.Signal(syscall.SIGKILL)
	w.eventually("they are gone", func() bool {
		keepers, err := w.instance().Keepers()
		keepers.Signal(syscall.SIGKILL)
		return err == nil && keepers.Empty()
	})
	w.family().Signal(syscall.SIGKILL)
	w.eventually("HAProxy is gone", func() bool { return w.family().Empty() })
	w.want(ocf.ErrGeneric, w.quick(), "HAProxy does not run; another action on it is still under way")
}

// A stop does not wait for a keeper that is busy for long.
func TestStopWhileTheKeeperHangs(t *testing.T) {
	t.Setenv(keepVariable, "1min")
	w := newKeptWorld(t)
	w.guarded()
	require.NoError(t, os.RemoveAll(w.instance().Copies()))
	w.hang()
	w.kill(w.master().PID, syscall.SIGKILL)
	w.eventually("the keeper has the lock", func() bool {
		lock, err := os.OpenFile(w.path("run/.test.lock"), os.O_RDWR, 0)
		if err != nil {
			return false
		}
		defer func() { _ = lock.Close() }()
		return syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == syscall.EWOULDBLOCK
	})
	// nor a monitor, which has it neither failed nor running
	w.want(ocf.DegradedCode, w.quick(), "HAProxy is down, and the keeper has been starting it again")
	stopped := w.r.Stop()
	w.want(ocf.Success, stopped)
	require.Less(t, stopped.Took, 10*time.Second)
	fam, err := w.instance().Keepers()
	require.NoError(t, err)
	require.True(t, fam.Empty())
}
