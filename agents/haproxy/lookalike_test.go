package haproxy

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// nobody is a user without rights.
const nobody = 65534

// imposes keeps a process of another user running, another one as soon as it is killed, and returns
// how often that was until the function is called.
func (w *world) imposes(args, env []string) (deaths func() int) {
	w.t.Helper()
	tail, err := os.ReadFile(needs.Command(w.t, "tail"))
	require.NoError(w.t, err)
	require.NoError(w.t, os.Chmod(w.dir, 0o755))
	w.write("haproxy", string(tail))
	require.NoError(w.t, os.Chmod(w.path("haproxy"), 0o755))
	n, over, ended := 0, make(chan struct{}), make(chan struct{})
	start := func() *exec.Cmd {
		cmd := exec.Command(w.path("haproxy"), append([]string{"-f", "/dev/null"}, args...)...)
		cmd.Env = env
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true,
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		require.NoError(w.t, cmd.Start())
		return cmd
	}
	cmd := start()
	go func() {
		defer close(ended)
		for {
			died := make(chan struct{})
			go func() { _ = cmd.Wait(); close(died) }()
			select {
			case <-died:
				n++
				cmd = start()
			case <-over:
				_ = cmd.Process.Kill()
				<-died
				return
			}
		}
	}()
	once := false
	deaths = func() int {
		if !once {
			once = true
			close(over)
			<-ended
		}
		return n
	}
	w.t.Cleanup(func() { deaths() })
	return deaths
}

// A process of another user that looks like HAProxy keeps neither a start nor a stop waiting, and is
// left alone: it is not of the family by what its user says.
func TestLookalikesOfOtherUsers(t *testing.T) {
	for name, c := range map[string]struct{ args, env func(w *world) []string }{
		"by its command line": {args: func(w *world) []string {
			return []string{w.instance().MasterArg()}
		}},
		"by its environment": {env: func(w *world) []string {
			return []string{"HAWSER_INSTANCE=" + w.instance().Dir}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			var args, env []string
			if c.args != nil {
				args = c.args(w)
			}
			if c.env != nil {
				env = c.env(w)
			}
			deaths := w.imposes(args, env)
			w.want(ocf.NotRunning, w.r.Probe())
			w.want(ocf.Success, w.r.Stop())
			w.guarded()
			w.want(ocf.Success, w.r.Monitor(0))
			w.family().Signal(syscall.SIGKILL)
			w.eventually("HAProxy is back", func() bool { return len(w.state().Crashes) == 1 })
			require.NoError(t, w.get())
			stopped := w.r.Stop()
			w.want(ocf.Success, stopped)
			require.Less(t, stopped.Took, 8*time.Second)
			w.want(ocf.NotRunning, w.r.Monitor(0))
			require.Zero(t, deaths(), "it is nobody's business")
			if c.args != nil {
				log, err := os.ReadFile(w.path("log"))
				require.NoError(t, err)
				require.Contains(t, string(log), "look like this HAProxy's")
			}
		})
	}
}

// The same of a keeper.
func TestLookalikeOfAKeeper(t *testing.T) {
	w := newWorld(t)
	tail, err := os.ReadFile(needs.Command(t, "tail"))
	require.NoError(t, err)
	require.NoError(t, os.Chmod(w.dir, 0o755))
	w.write("hawser-keeper", string(tail))
	require.NoError(t, os.Chmod(w.path("hawser-keeper"), 0o755))
	in, stdin, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = stdin.Close() }()
	cmd := &exec.Cmd{Path: w.path("hawser-keeper"), Args: []string{"hawser-keeper"}, Stdin: in,
		Env: []string{"OCF_RESOURCE_INSTANCE=test", "HAWSER_RUNDIR=" + w.r.RunDir()},
		SysProcAttr: &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w.eventually("it runs", func() bool { return procfs.Default.Name(cmd.Process.Pid) == "hawser-keeper" })
	w.start()
	w.want(ocf.Success, w.r.Stop())
	v, err := procfs.Default.Stat(cmd.Process.Pid)
	require.NoError(t, err)
	require.False(t, v.Dead(), "it is left alone")
}

// A worker whose master was killed, and of which nothing is remembered, is found by its sockets and
// ended: it would go on serving beside the next HAProxy.
func TestOrphanedWorkerThatNothingRemembers(t *testing.T) {
	w := newWorld(t)
	w.start()
	worker, master := w.worker().PID, w.master().PID
	w.kill(worker, syscall.SIGSTOP)
	w.kill(master, syscall.SIGKILL)
	w.gone(master)
	require.NoError(t, os.Remove(w.instance().State()))
	require.NoError(t, os.Remove(w.instance().Pidfile()))
	w.want(ocf.ErrGeneric, w.quick(), fmt.Sprintf("left these behind: worker %d", worker))
	w.want(ocf.Success, w.r.Stop())
	w.gone(worker)
}
