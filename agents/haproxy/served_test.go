package haproxy

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// A start answers a push with yes only where HAProxy has loaded what was pushed.
func TestPushAnsweredByAStart(t *testing.T) {
	w := newWorld(t)
	pushed := w.config(another)
	serves := w.hash(pushed) // and it is in its place
	a := &agent{Settings: instance.Settings{Conffile: w.path("haproxy.cfg")}}
	in := w.instance()
	in.Conffile = a.Conffile
	sum := contract.Sum([]byte(pushed))
	require.NoError(t, a.alreadyServed(in, sum, serves))
	require.ErrorIs(t, a.alreadyServed(in, sum, ""), instance.ErrUnknownLoaded)
	require.ErrorContains(t, a.alreadyServed(in, sum, "0123456789ab"), "it was started with 0123456789ab")
	require.ErrorContains(t, a.alreadyServed(in, contract.Sum([]byte("other")), serves), "its own file")
}

// HAProxy that dies of a reload of the files that it serves is brought back with them: that is what was
// asked for, and nothing waits any more.
func TestReloadThatACrashAnswers(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	w.start()
	serves := w.state().Served.Config
	s := w.state()
	s.Served.Asked = contract.NewGeneration(time.Now(), 1, serves)
	s.Pending = instance.RecalledPending("HAProxy died when it was reloaded")
	require.NoError(t, w.instance().Save(s))
	w.r = w.r.With("keeper", "true").With("generation", s.Served.Asked)
	w.family().Signal(syscall.SIGKILL)
	w.want(ocf.DegradedCode, w.r.Monitor(0), "crashed")
	require.Equal(t, s.Served.Asked, w.state().Served.Generation)
	require.Empty(t, w.state().Served.Asked)
	require.Equal(t, serves, w.state().Served.Config)

	t.Run("unless it demands another one", func(*testing.T) {
		in, served := w.instance(), instance.Served{Generation: "a", Asked: "b", Config: "0123456789ab"}
		other := contract.NewGeneration(time.Now(), 1, "ba9876543210")
		require.Equal(t, served, in.Answered(served, other, nil))
		require.Equal(t, "monday", in.Answered(served, "monday", nil).Generation)
	})
	t.Run("a reload of which it dies", func(*testing.T) {
		lua, steps := w.atEachLoad()
		w.write("haproxy.cfg", w.config(lua))
		w.r = w.r.With("generation", "tuesday")
		w.reload()
		require.Equal(t, "tuesday", w.state().Served.Generation)
		steps("true", "kill -9 $PPID") // the check, HAProxy
		wanted := contract.NewGeneration(time.Now(), 2, w.state().Served.Config)
		w.r = w.r.With("generation", wanted)
		w.reload()
		require.Equal(t, wanted, w.state().Served.Generation)
		require.Empty(t, w.state().Served.Asked)
		require.Len(t, w.state().Crashes, 2)
	})
}

// Where it is not known what HAProxy has loaded, the name of a worker that was not known either does not
// make it known.
func TestAWorkerThatIsNotedLate(t *testing.T) {
	w := clustered(t)
	w.start()
	served := w.state().Served
	forget := func(config string) {
		s := w.state()
		s.Served.Worker, s.Served.Config = 0, config
		require.NoError(t, w.instance().Save(s))
		require.NoError(t, os.RemoveAll(w.instance().Copies()))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, served.Worker, w.state().Served.Worker)
	}
	forget("")
	w.wantServed("")
	forget(served.Config)
	w.wantServed(w.read("haproxy.cfg"))
}
