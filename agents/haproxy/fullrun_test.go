package haproxy

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/keeper"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// mountRun gives the test a /run of its own, which is memory as a real one is.
func (w *world) mountRun(options string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(w.r.RunDir(), 0o755))
	require.NoError(w.t, unix.Mount("tmpfs", w.r.RunDir(), "tmpfs", 0, options+",mode=755"),
		"a container needs the right to mount (CAP_SYS_ADMIN)")
	// before the cleanup of newWorld, which stops what runs, comes this one: it only gives room
	w.t.Cleanup(func() { require.NoError(w.t, unix.Unmount(w.r.RunDir(), unix.MNT_DETACH)) })
}

// readOnly has nobody write in /run any more, whatever is open there.
func (w *world) readOnly() {
	w.t.Helper()
	dir := w.r.RunDir()
	require.NoError(w.t, unix.Mount(dir, dir, "", unix.MS_BIND, ""))
	w.t.Cleanup(func() { require.NoError(w.t, unix.Unmount(dir, unix.MNT_DETACH)) })
	require.NoError(w.t, unix.Mount("", dir, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""))
}

// fill leaves no room in /run.
func (w *world) fill() {
	w.t.Helper()
	file, err := os.Create(w.r.RunDir() + "/fill")
	require.NoError(w.t, err)
	defer func() { _ = file.Close() }()
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	require.ErrorIs(w.t, err, unix.ENOSPC)
}

// empty makes room again.
func (w *world) empty() { require.NoError(w.t, os.Remove(w.r.RunDir()+"/fill")) }

// useUp leaves no inode in /run.
func (w *world) useUp() {
	w.t.Helper()
	var err error
	for i := 0; err == nil; i++ {
		err = os.Mkdir(w.r.RunDir()+"/x"+strings.Repeat("x", i), 0o700)
	}
	require.ErrorIs(w.t, err, unix.ENOSPC)
}

// Where nothing can be written nothing is started, and that is no reason to fence the node: what does
// not run is known not to run, and is stopped.
func TestNothingRunsWhereNothingCanBeWritten(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"read-only": (*world).readOnly,
		"no inode":  (*world).useUp,
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.mountRun("size=1m,nr_inodes=64")
			spoil(w)
			w.want(ocf.NotRunning, w.r.Probe())
			w.want(ocf.Success, w.r.Stop())
			w.want(ocf.ErrGeneric, w.r.Start())
			w.want(ocf.Success, w.r.Stop())
			w.want(ocf.NotRunning, w.r.Probe())
			w.want(ocf.NotRunning, w.r.Monitor(0))
			require.True(t, w.family().Empty())
		})
	}
}

// What runs goes on, the monitor says why it is degraded, and a stop ends it.
func TestRunWhereNothingCanBeWrittenAnyMore(t *testing.T) {
	for name, spoil := range map[string]func(w *world){
		"read-only": (*world).readOnly,
		"no inode":  (*world).useUp,
		"no room":   (*world).fill,
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			w.mountRun("size=1m,nr_inodes=64")
			w.guarded()
			spoil(w)
			w.want(ocf.Success, w.r.Probe())
			w.want(ocf.DegradedCode, w.r.Monitor(0), "nothing can be written to "+w.instance().Dir)
			require.NoError(t, w.get())
			w.want(ocf.Success, w.r.Stop())
			require.True(t, w.family().Empty())
			w.want(ocf.NotRunning, w.r.Probe())
		})
	}
}

// A full /run neither loses a reload nor has a HAProxy stopped that crashed and is back.
func TestFullRun(t *testing.T) {
	t.Run("a reload", func(t *testing.T) {
		w := newKeptWorld(t)
		w.mountRun("size=1m")
		w.guarded()
		w.fill()
		w.write("haproxy.cfg", w.config("bogus"))
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		text, err := os.ReadFile(w.path("attributes"))
		require.NoError(t, err)
		require.Regexp(t, `-n hawser-test-config -U .*pending=.*bogus`, string(text),
			"whoever asked is answered")
		w.want(ocf.DegradedCode, w.r.Monitor(0), "the old configuration serves", "bogus")
		w.write("haproxy.cfg", w.config("#fixed"))
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		require.Nil(t, w.state().Pending)
		w.empty()
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("a reload that has to wait for room", func(t *testing.T) {
		w := newKeptWorld(t)
		w.mountRun("size=1m")
		w.guarded()
		require.NoError(t, os.Remove(w.instance().Fragment()))
		w.fill()
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "no space left")
		w.empty()
		s := w.state()
		require.NotNil(t, s.Pending)
		s.Pending.Tried = s.Pending.Tried.Add(-tryAgain)
		require.NoError(t, w.instance().Save(s))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Nil(t, w.state().Pending)
	})
	t.Run("a crash", func(t *testing.T) {
		w := newKeptWorld(t)
		w.mountRun("size=1m")
		w.guarded()
		w.fill()
		before := w.master().PID
		w.family().Signal(syscall.SIGKILL)
		w.eventually("HAProxy is back", func() bool {
			fam := w.family()
			return len(fam.Masters) == 1 && fam.Masters[0].PID != before && w.get() == nil
		})
		w.guards()
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		require.Empty(t, w.told(), "the cluster has nothing to do")
		w.empty()
		w.eventually("and nothing is left to say", func() bool { return w.r.Monitor(0).Code == ocf.Success })
	})
	t.Run("a crash of which nothing can be noted", func(t *testing.T) {
		w := newKeptWorld(t)
		w.mountRun("size=1m")
		w.guarded()
		// more than the state's file has room for
		s := w.state()
		s.Env = append(s.Env, "X="+strings.Repeat("x", 3500))
		require.NoError(t, w.instance().Save(s))
		state, err := os.ReadFile(w.instance().State())
		require.NoError(t, err)
		require.NoError(t, os.Remove(w.instance().State()))
		require.NoError(t, os.WriteFile(w.instance().State(), append(bytes.TrimSpace(state),
			bytes.Repeat([]byte("\n"), 4096-len(bytes.TrimSpace(state)))...), 0o600))
		w.fill()
		before := w.master().PID
		for range 2 {
			w.family().Signal(syscall.SIGKILL)
			w.eventually("HAProxy is back", func() bool {
				fam := w.family()
				return len(fam.Masters) == 1 && fam.Masters[0].PID != before && w.get() == nil &&
					w.instance().KeeperSays(t.Context(), keeper.Busy) == 0
			})
			before = w.master().PID
			w.guards()
		}
		require.Empty(t, w.told(), "the cluster has nothing to do")
		v, err := procfs.Default.Stat(before)
		require.NoError(t, err)
		require.False(t, v.Dead())
	})
}
