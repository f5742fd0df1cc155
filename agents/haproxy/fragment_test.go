package haproxy

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// The last fragment goes with what HAProxy serves, whatever it refused or died of since.
func TestTheLastFragmentIsThatOfWhatServes(t *testing.T) {
	w := newKeptWorld(t)
	lua, steps := w.atEachLoad()
	const many, few = "global\n\tstats maxconn 70\n", "global\n\tstats maxconn 20\n"
	w.write("haproxy.cfg", w.config(many))
	w.guarded()
	fragment := func() string {
		text, err := os.ReadFile(w.instance().LastFragment())
		require.NoError(t, err)
		return string(text)
	}
	served := fragment()
	require.Contains(t, served, "stats maxconn 80")

	w.write("haproxy.cfg", w.config(few+"bogus"))
	w.r = w.r.With("generation", "monday")
	w.reload()
	require.Equal(t, served, fragment(), "refused by the check")
	w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
	require.Equal(t, served, fragment())

	w.write("haproxy.cfg", w.config(few+lua))
	steps("true", "kill -9 $PPID") // the check, HAProxy
	w.r = w.r.With("generation", "tuesday")
	w.reload()
	require.Len(t, w.state().Crashes, 1)
	require.Equal(t, served, fragment(), "HAProxy died of it")

	t.Run("also after a check that was killed", func(*testing.T) {
		require.NoError(t, os.WriteFile(w.instance().LastFragment(), []byte("global\n\tstats maxconn 30\n"), 0o600))
		w.guards()
		w.family().Signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 2 })
		require.Equal(t, served, fragment())
	})
	t.Run("and if it was deleted", func(*testing.T) {
		require.NoError(t, os.Remove(w.instance().LastFragment()))
		require.NoError(t, os.Remove(w.instance().Fragment()))
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		require.Equal(t, served, fragment())
	})
}
