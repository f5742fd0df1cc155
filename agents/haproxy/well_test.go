package haproxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// attributes are what the cluster was told of the attributes whose names have this in them.
func (w *world) attributes(like string) string {
	text, _ := os.ReadFile(w.path("attributes"))
	var all []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, like) {
			all = append(all, strings.TrimPrefix(strings.TrimSpace(line), "-n hawser-test-"))
		}
	}
	return strings.Join(all, "; ")
}

// TestWellForLong: the keeper tells when HAProxy has been well, and goes on counting after a crash of
// HAProxy and of itself.
func TestWellForLong(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("well_after", "1s 3s 1h")
	w.guarded()
	const one, three = "well-1 -B yes -d 5s", "well-3 -B yes -d 5s"
	w.eventually("a second", func() bool { return strings.Contains(w.attributes("-well-"), one) })
	require.Contains(t, w.attributes("-well-"), "well-1 -D; well-3 -D; well-3600 -D", "at the beginning")
	noted, err := os.ReadFile(w.instance().Well())
	require.NoError(t, err)

	before := w.state().Master
	require.NoError(t, syscall.Kill(before.PID, syscall.SIGKILL))
	w.eventually("HAProxy is back", func() bool { return w.state().Master != before })
	keeper, _ := w.keepers()
	require.Len(t, keeper, 1)
	require.NoError(t, syscall.Kill(keeper[0], syscall.SIGKILL))
	w.eventually("three seconds", func() bool { return strings.Contains(w.attributes("-well-"), three) })
	after, err := os.ReadFile(w.instance().Well())
	require.NoError(t, err)
	since := func(text []byte) string { return strings.Split(string(text), ",")[1] }
	require.Equal(t, since(noted), since(after), "nothing began anew")
	require.Equal(t, 1, strings.Count(w.attributes("-well-"), one), "once")
	require.Regexp(t, one+".*"+three, w.attributes("-well-"))

	t.Run("a time that nobody needs any more", func(*testing.T) {
		w.r = w.r.With("well_after", "3s")
		w.reload()
		w.eventually("it is deleted", func() bool { return strings.HasSuffix(w.attributes("-well-1 "), "well-1 -D") })
	})
	t.Run("a stop", func(t *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		require.True(t, strings.HasSuffix(w.attributes("-well-"), "well-3 -B no -d 0s; well-3 -D"), w.attributes("-well-"))
		require.NoFileExists(t, w.instance().Well())
	})
}

// TestWellWithAFailingCheck: the clock begins when the check holds again.
func TestWellWithAFailingCheck(t *testing.T) {
	var sick atomic.Bool
	app := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(app.Close)
	w := newKeptWorld(t)
	w.r = w.r.With("well_after", "1s").With("checks",
		fmt.Sprintf("app url=%s/ every=1s rise=1 fall=1", app.URL))
	w.guarded()
	w.eventually("it is well", func() bool { return strings.HasSuffix(w.attributes("-well-"), "-B yes -d 5s") })
	sick.Store(true)
	w.eventually("it is not", func() bool { return strings.HasSuffix(w.attributes("-well-"), "yes -d 5s; well-1 -D") })
	sick.Store(false)
	w.eventually("it is again", func() bool { return strings.HasSuffix(w.attributes("-well-"), "-D; well-1 -B yes -d 5s") })
}

// TestWellWithoutAKeeper: a monitor counts.
func TestWellWithoutAKeeper(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false").With("well_after", "1s")
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, "well-1 -D", w.attributes("-well-"))
	w.eventually("a monitor finds it well", func() bool {
		w.want(ocf.Success, w.r.Monitor(0))
		return strings.Contains(w.attributes("-well-"), "yes")
	})
	told := w.attributes("-well-")
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, told, w.attributes("-well-"), "nothing new, nothing told")
	w.want(ocf.Success, w.r.Probe())
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, told+"; well-1 -B yes -d 5s", w.attributes("-well-"), "the cluster may have lost it")
	w.want(ocf.Success, w.r.Stop())
	require.True(t, strings.HasSuffix(w.attributes("-well-"), "well-1 -B no -d 0s; well-1 -D"))
}
