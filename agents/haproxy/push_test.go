package haproxy

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// newPushWorld is a HAProxy in a cluster whose configuration holds what hold puts there.
func newPushWorld(t *testing.T) *world {
	t.Helper()
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	// As cibadmin --xpath does: the element that the query names, or no such device or address (CRM_EX_NOSUCH).
	w.write("cibadmin", fmt.Sprintf(`#!/bin/sh
echo "$*" >>%s
[ -e %[2]s ] || { echo "cibadmin: No such device or address" >&2; exit 105; }
cat %[2]s
`, w.path("queries"), w.path("nvpair")))
	w.start()
	return w
}

// hold puts a configuration into the cluster's properties and returns its name.
func (w *world) hold(text string) (sum string) {
	packed, sum := PackConfig([]byte(text))
	set := PushSet(w.r.Instance)
	w.write("nvpair", fmt.Sprintf("<nvpair id=%q name=%q value=%q/>\n", set+"-"+PushedConfig, PushedConfig, packed))
	return sum
}

func (w *world) order(push string) {
	w.t.Helper()
	w.r = w.r.With("push", push)
	w.reload()
}

// answer is what the node told the cluster last.
func (w *world) answer() string {
	text, _ := os.ReadFile(w.path("attributes"))
	last := ""
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, PushAttribute(w.r.Instance)) {
			last = strings.TrimSpace(line)
		}
	}
	return last
}

func (w *world) read(name string) string {
	text, err := os.ReadFile(w.path(name))
	if err != nil {
		return ""
	}
	return string(text)
}

func TestPush(t *testing.T) {
	w := newPushWorld(t)
	former, worker := w.read("haproxy.cfg"), w.worker().PID
	require.NoError(t, os.Chmod(w.path("haproxy.cfg"), 0o640))

	fresh := w.config(another)
	sum := w.hold(fresh)
	w.order(PushCheck + sum)
	require.Contains(t, w.answer(), PushCheck+sum+" "+PushDone)
	require.Equal(t, former, w.read("haproxy.cfg"), "a check changes no file")
	require.Equal(t, worker, w.worker().PID, "a check does not reload")
	w.want(ocf.Success, w.r.Monitor(0))

	w.order(PushTake + sum)
	require.Contains(t, w.answer(), PushTake+sum+" "+PushDone)
	require.Equal(t, fresh, w.read("haproxy.cfg"))
	require.Equal(t, former, w.read("haproxy.cfg"+PreviousSuffix))
	require.Empty(t, w.read("haproxy.cfg"+candidateSuffix))
	require.Contains(t, w.backends(), "another")
	info, err := os.Stat(w.path("haproxy.cfg"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the mode of the former file")
	w.want(ocf.Success, w.r.Monitor(0))

	t.Run("twice is once", func(t *testing.T) {
		w.order(PushCheck + sum)
		w.order(PushTake + sum)
		require.Equal(t, former, w.read("haproxy.cfg"+PreviousSuffix), "the former file is still the former one")
	})
	t.Run("forgotten", func(t *testing.T) {
		worker := w.worker().PID
		w.order(PushCheck + w.hold(former))
		w.order("")
		require.Contains(t, w.answer(), "-D")
		require.Empty(t, w.read("haproxy.cfg"+candidateSuffix))
		require.Equal(t, worker, w.worker().PID)
		w.reload()
		require.NotEqual(t, worker, w.worker().PID, "a reload without an order is one")
	})
	t.Run("a node that was not asked before", func(t *testing.T) {
		w.order(PushTake + w.hold(former))
		require.Equal(t, former, w.read("haproxy.cfg"))
		require.Equal(t, fresh, w.read("haproxy.cfg"+PreviousSuffix))
		require.NotContains(t, w.backends(), "another")
	})
	t.Run("an edit that was not loaded is not lost", func(t *testing.T) {
		edited := w.config("# half done")
		w.write("haproxy.cfg", edited)
		w.order(PushTake + w.hold(fresh))
		require.Equal(t, fresh, w.read("haproxy.cfg"))
		require.Equal(t, former, w.read("haproxy.cfg"+PreviousSuffix), "what was served, and not the edit")
		require.Equal(t, edited, w.read("haproxy.cfg"+UnloadedSuffix))
	})
	t.Run("an order from before the start is none", func(t *testing.T) {
		w.r = w.r.With("push", PushTake+w.hold(former))
		w.want(ocf.Success, w.r.Stop())
		require.Contains(t, w.answer(), "-D", "the answer goes with the resource")
		w.start()
		w.reload()
		require.Equal(t, fresh, w.read("haproxy.cfg"))
	})
	t.Run("it supersedes a reload that this node kept away from", func(t *testing.T) {
		w.order("")
		w.r = w.r.With("generation", Generation(time.Now(), 1, strings.Repeat("0", hashLength)))
		w.reload()
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		pushed := w.config("# the next one")
		sum := w.hold(pushed)
		w.order(PushCheck + sum)
		w.order(PushTake + sum)
		require.Contains(t, w.answer(), PushTake+sum+" "+PushDone)
		w.want(ocf.Success, w.r.Monitor(0))
		w.order("")
		w.order(PushTake + w.hold(fresh))
	})
	t.Run("a file that is gone comes back", func(t *testing.T) {
		require.NoError(t, os.Remove(w.path("haproxy.cfg")))
		w.order("")
		w.order(PushTake + w.hold(former))
		require.Equal(t, former, w.read("haproxy.cfg"))
		require.Equal(t, fresh, w.read("haproxy.cfg"+PreviousSuffix))
	})
}

// TestPushThatIsRefused: whatever is wrong, the node says so, its file and its HAProxy stay, and the reload does not fail.
func TestPushThatIsRefused(t *testing.T) {
	w := newPushWorld(t)
	former, worker := w.read("haproxy.cfg"), w.worker().PID
	good := w.config(another)
	refused := func(name, words string, order func() string) {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{PushCheck, PushTake} {
				sum := order()
				w.order(kind + sum)
				require.Contains(t, w.answer(), kind+sum+" "+PushRefused)
				require.Contains(t, w.answer(), words)
				require.Equal(t, former, w.read("haproxy.cfg"))
				require.Equal(t, worker, w.worker().PID)
				w.want(ocf.Success, w.r.Monitor(0))
				w.order("")
			}
		})
	}
	refused("HAProxy", "unknown keyword 'bogus'", func() string { return w.hold(w.config("bogus")) })
	refused("a certificate that is not here", "/nowhere/site.pem", func() string {
		return w.hold(w.config(fmt.Sprintf("frontend tls\n\tbind 127.0.0.1:%d ssl crt /nowhere/site.pem\n", freePort(t))))
	})
	refused("a variable that it was not started with", "HAWSER_PRIVATE_IP", func() string {
		return w.hold(w.config("frontend private\n\tbind \"${HAWSER_PRIVATE_IP}:81\"\n"))
	})
	refused("nothing in the cluster", "cannot be read from the cluster", func() string {
		sum := w.hold(good)
		require.NoError(t, os.Remove(w.path("nvpair")))
		return sum
	})
	refused("another one in the cluster", "not usable", func() string {
		w.hold(good)
		_, sum := PackConfig([]byte("else"))
		return sum
	})
	refused("somebody else can write there", "others than root", func() string {
		require.NoError(t, os.Chmod(w.dir, 0o777))
		return w.hold(good)
	})
	require.NoError(t, os.Chmod(w.dir, 0o755))
	require.Equal(t, int(ocf.ErrConfigured), int(w.r.With("push", "check:beef").Run("reload-agent", nil).Code))
}

func TestPackedConfig(t *testing.T) {
	raw := make([]byte, 200_000)
	_, _ = rand.Read(raw)
	packed, sum := PackConfig(raw)
	back, err := unpackConfig(packed, sum)
	require.NoError(t, err)
	require.Equal(t, raw, back)

	bomb, sum := PackConfig(make([]byte, unpackedLimit+1))
	_, err = unpackConfig(bomb, sum)
	require.ErrorContains(t, err, "larger than 16 MiB")
}

func FuzzUnpackConfig(f *testing.F) {
	packed, sum := PackConfig([]byte("global\n"))
	f.Add(packed, sum)
	f.Add("H4sI", sum)
	f.Fuzz(func(t *testing.T, packed, sum string) {
		if text, err := unpackConfig(packed, sum); err == nil && sumOf(text) != sum {
			t.Fatal("another configuration than was asked for")
		}
	})
}
