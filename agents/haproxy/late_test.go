package haproxy

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// A push whose reload outlasts its operation is answered when its outcome is known, also if that is
// the death of HAProxy.
func TestPushThatOutlastsItsOperation(t *testing.T) {
	w := newPushWorld(t)
	lua, steps := w.atEachLoad()
	former := w.read("haproxy.cfg")
	w.r = w.r.With("keeper", "true")
	w.reload()
	w.guards()
	short := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "4000"}

	sum := w.hold(w.config(lua))
	w.order(check(sum))
	steps("true", "sleep 5; kill -9 $PPID") // the check, HAProxy
	w.r = w.r.With("push", take(sum))
	w.want(ocf.Success, w.r.Run("reload-agent", short))
	require.NotContains(t, w.answer(), take(sum))
	w.eventually("it is brought back", func() bool { return len(w.state().Crashes) == 1 })
	w.eventually("that is answered", func() bool { return w.answers(take(sum), "refused: HAProxy died") })
	w.guards()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy died")
	require.Equal(t, former, w.read("haproxy.cfg.hawser-previous"))
	w.order("")

	t.Run("or a success", func(*testing.T) {
		sum := w.hold(w.config(lua + another))
		w.order(check(sum))
		steps("true", "sleep 5")
		w.r = w.r.With("push", take(sum))
		w.want(ocf.Success, w.r.Run("reload-agent", short))
		w.eventually("that is answered", func() bool { return w.answers(take(sum), "ok") })
		w.order("")
	})
	t.Run("an order that was withdrawn has no answer", func(*testing.T) {
		sum := w.hold(w.config(lua))
		w.order(check(sum))
		steps("true", "sleep 5")
		w.r = w.r.With("push", take(sum))
		w.want(ocf.Success, w.r.Run("reload-agent", short))
		w.r = w.r.With("push", "")
		w.want(ocf.Success, w.r.Run("reload-agent", short))
		w.eventually("it is loaded", func() bool { return w.state().Served.Config == w.hash(w.config(lua)) })
		require.Contains(t, w.answer(), "-D")
	})
}

// answers reports whether the last answer is this one.
func (w *world) answers(order, words string) bool {
	return strings.Contains(w.answer(), order+" "+words)
}

// What somebody else has HAProxy load is noted although another reload waits, and by a monitor where
// there is no keeper.
func TestReloadBySomebodyElseWhileAnotherWaits(t *testing.T) {
	for _, keeper := range []string{"true", "false"} {
		t.Run("keeper "+keeper, func(t *testing.T) {
			w := newKeptWorld(t)
			w.write("attrd_updater", fmt.Sprintf(remembering, w.dir))
			w.r = w.r.With("keeper", keeper)
			w.start()
			if keeper == "true" {
				w.guards()
			}
			w.write("haproxy.cfg", w.config("bogus"))
			w.r = w.r.With("generation", "monday")
			w.reload()
			w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
			fixed := w.hash(w.config(another))
			worker := w.worker().PID
			w.kill(w.master().PID, syscall.SIGUSR2)
			if keeper == "false" {
				w.eventually("it is loaded", func() bool {
					fam := w.family()
					return len(fam.Others) == 1 && fam.Others[0].PID != worker && w.get() == nil
				})
				s := w.state()
				s.Pending = nil // which a monitor would load first
				require.NoError(t, w.instance().Save(s))
				w.want(ocf.Success, w.r.Monitor(0))
			}
			w.eventually("it is noted", func() bool { return w.state().Served.Config == fixed })
			w.eventually("nothing waits any more", func() bool { return w.r.Monitor(0).Code == ocf.Success })
			require.Equal(t, fixed, w.taken().Serves)
		})
	}
}

// A worker from before a reload, which may answer a moment longer, has loaded nothing new.
func TestAnOldWorkerIsNoReload(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	w.start()
	old := w.worker().PID
	c := w.request("/slow")
	defer func() { _ = c.Close() }()
	w.reload()
	want := w.state()
	require.NotEqual(t, old, want.Served.Worker)
	got := want
	a := newAgent("")
	bound, err := a.Declare().Bind(t.Context(), ocf.Env{Args: []string{"haproxy", "monitor"},
		Getenv: ocf.Getenv([]string{"OCF_RESOURCE_INSTANCE=" + w.r.Instance, "HAWSER_RUNDIR=" + w.r.RunDir(),
			"OCF_RESKEY_conffile=" + w.path("haproxy.cfg"), "OCF_RESKEY_CRM_meta_on_node=here"})})
	require.NoError(t, err)
	a.instance(bound).NoteForeignReload(bound, &got, old)
	require.Equal(t, want, got)
}

// The keeper notes it later if an action has the lock, for however long.
func TestReloadBySomebodyElseWhileAnActionIsBusy(t *testing.T) {
	t.Setenv(keepVariable, "2s")
	w := newKeptWorld(t)
	w.guarded()
	lock, err := os.OpenFile(w.instance().ActionLock(), os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { _ = lock.Close() }()
	require.NoError(t, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX))
	edited := w.hash(w.config(another))
	w.kill(w.master().PID, syscall.SIGUSR2)
	time.Sleep(4 * time.Second) // what the keeper waits for a lock, and more
	require.NotEqual(t, edited, w.state().Served.Config)
	require.NoError(t, lock.Close())
	w.eventually("it is noted", func() bool { return w.state().Served.Config == edited })
}
