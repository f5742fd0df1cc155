package haproxy

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// newPushWorld returns a HAProxy in a cluster whose configuration holds what hold puts there.
func newPushWorld(t *testing.T) *world {
	t.Helper()
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	// As cibadmin --xpath does: the element that the query names, or no such device or address
	// (CRM_EX_NOSUCH).
	w.write("cibadmin", fmt.Sprintf(`#!/bin/sh
echo "$*" >>%s
[ -e %[2]s ] || { echo "cibadmin: No such device or address" >&2; exit 105; }
cat %[2]s
`, w.path("queries"), w.path("nvpair")))
	w.start()
	return w
}

func check(sum string) string { return contract.NewPushOrder(contract.PushCheck, sum).String() }
func take(sum string) string  { return contract.NewPushOrder(contract.PushTake, sum).String() }

// hold puts a configuration into the cluster's properties and returns its name.
func (w *world) hold(text string) (sum string) {
	packed, sum := contract.PackConfig([]byte(text))
	set := contract.PushSet(contract.ResourceOf(w.r.Instance))
	w.write("nvpair", fmt.Sprintf("<nvpair id=%q name=%q value=%q/>\n",
		set+"-"+contract.PushedConfig, contract.PushedConfig, packed))
	return sum
}

func (w *world) order(push string) {
	w.t.Helper()
	w.r = w.r.With("push", push)
	w.reload()
}

// answer returns what the node told the cluster last.
func (w *world) answer() string {
	text, _ := os.ReadFile(w.path("attributes"))
	last := ""
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, contract.PushAttribute(contract.ResourceOf(w.r.Instance))) {
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
	w.order(check(sum))
	require.Contains(t, w.answer(), check(sum)+" ok")
	require.Equal(t, former, w.read("haproxy.cfg"), "a check changes no file")
	require.Equal(t, worker, w.worker().PID, "a check does not reload")
	w.want(ocf.Success, w.r.Monitor(0))

	w.order(take(sum))
	require.Contains(t, w.answer(), take(sum)+" ok")
	require.Equal(t, fresh, w.read("haproxy.cfg"))
	require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix))
	require.Empty(t, w.read("haproxy.cfg"+contract.CandidateSuffix))
	require.Contains(t, w.backends(), "another")
	info, err := os.Stat(w.path("haproxy.cfg"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the mode of the former file")
	w.want(ocf.Success, w.r.Monitor(0))

	t.Run("twice is once", func(t *testing.T) {
		w.order(check(sum))
		w.order(take(sum))
		require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix),
			"the former file is still the former one")
	})
	t.Run("forgotten", func(t *testing.T) {
		worker := w.worker().PID
		w.order(check(w.hold(former)))
		w.order("")
		require.Contains(t, w.answer(), "-D")
		require.Empty(t, w.read("haproxy.cfg"+contract.CandidateSuffix))
		require.Equal(t, worker, w.worker().PID)
		w.reload()
		require.NotEqual(t, worker, w.worker().PID, "a reload without an order is one")
	})
	t.Run("a node that was not asked before", func(t *testing.T) {
		w.order(take(w.hold(former)))
		require.Equal(t, former, w.read("haproxy.cfg"))
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix))
		require.NotContains(t, w.backends(), "another")
	})
	t.Run("an edit that was not loaded is not lost", func(t *testing.T) {
		edited := w.config("# half done")
		w.write("haproxy.cfg", edited)
		w.order(take(w.hold(fresh)))
		require.Equal(t, fresh, w.read("haproxy.cfg"))
		require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix),
			"what was served, and not the edit")
		require.Equal(t, edited, w.read("haproxy.cfg"+contract.UnloadedSuffix))
	})
	t.Run("an order from before the start is none", func(t *testing.T) {
		w.r = w.r.With("push", take(w.hold(former)))
		w.want(ocf.Success, w.r.Stop())
		require.Contains(t, w.answer(), "-D", "the answer goes with the resource")
		w.start()
		w.reload()
		require.Equal(t, fresh, w.read("haproxy.cfg"))
	})
	t.Run("it supersedes a reload that this node kept away from", func(t *testing.T) {
		w.order("")
		w.r = w.r.With("generation",
			contract.NewGeneration(time.Now(), 1, strings.Repeat("0", contract.HashLength)))
		w.reload()
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		pushed := w.config("# the next one")
		sum := w.hold(pushed)
		w.order(check(sum))
		w.order(take(sum))
		require.Contains(t, w.answer(), take(sum)+" ok")
		w.want(ocf.Success, w.r.Monitor(0))
		w.order("")
		w.order(take(w.hold(fresh)))
	})
	t.Run("what was edited in place and pushed from here can be taken back here", func(t *testing.T) {
		w.order("")
		here := w.config("# edited in place\n")
		w.write("haproxy.cfg", here)
		sum := w.hold(here)
		w.order(check(sum))
		w.order(take(sum))
		require.Contains(t, w.answer(), take(sum)+" ok")
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix), "what was served")
		w.order("")
		w.order(take(sum))
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix), "twice is once")
		w.order("")
		w.order(take(w.hold(fresh)))
		require.Equal(t, here, w.read("haproxy.cfg"+contract.PreviousSuffix))
	})
	t.Run("a file that is gone comes back", func(t *testing.T) {
		require.NoError(t, os.Remove(w.path("haproxy.cfg")))
		w.order("")
		w.order(take(w.hold(former)))
		require.Equal(t, former, w.read("haproxy.cfg"))
		info, err := os.Stat(w.path("haproxy.cfg"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it may hold passwords")
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix))
	})
}

// A file of which nobody knows that HAProxy has loaded it is not what a rollback brings back.
func TestPushOverWhatIsNotKnown(t *testing.T) {
	w := newPushWorld(t)
	former, fresh := w.read("haproxy.cfg"), w.config(another)
	unknown := func(config string) {
		require.NoError(t, os.RemoveAll(w.instance().Copies()))
		s := w.state()
		s.Served.Config = config
		require.NoError(t, w.instance().Save(s))
	}
	unknown(w.state().Served.Config)
	w.order(take(w.hold(fresh)))
	require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix), "no copy, but its name is noted")
	require.Empty(t, w.read("haproxy.cfg"+contract.UnloadedSuffix))

	unknown("")
	w.order("")
	pushed := w.config("# pushed\n")
	w.order(take(w.hold(pushed)))
	require.Equal(t, pushed, w.read("haproxy.cfg"))
	require.NoFileExists(t, w.path("haproxy.cfg"+contract.PreviousSuffix), "it would be an older one")
	require.Equal(t, fresh, w.read("haproxy.cfg"+contract.UnloadedSuffix))
	require.Contains(t, w.read("log"), "it is not known what HAProxy served before this push")

	unknown(w.state().Served.Config)
	w.write("haproxy.cfg", w.config("# edited\n"))
	w.order("")
	w.order(take(w.hold(fresh)))
	require.NoFileExists(t, w.path("haproxy.cfg"+contract.PreviousSuffix))
	require.Equal(t, w.config("# edited\n"), w.read("haproxy.cfg"+contract.UnloadedSuffix))

	t.Run("or pushed from where it was edited in place", func(*testing.T) {
		edited := w.config("# edited in place\n")
		w.write("haproxy.cfg"+contract.PreviousSuffix, fresh) // which is what it serves
		w.write("haproxy.cfg", edited)
		unknown(w.state().Served.Config)
		w.order("")
		w.order(take(w.hold(edited)))
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix), "kept before it was killed")

		w.write("haproxy.cfg", former)
		unknown("")
		w.order("")
		w.order(take(w.hold(former)))
		require.NoFileExists(t, w.path("haproxy.cfg"+contract.PreviousSuffix))
	})
}

// The previous file is what the user had, byte for byte, where the copy of it says the same in other
// words: with `default-path config` it would mean something else in another place.
func TestPushKeepsThePreviousFileAsItWas(t *testing.T) {
	w := newPushWorld(t)
	relative := func(more string) string { return w.config("global\n  default-path config # here\n" + more) }
	former := relative("")
	w.write("haproxy.cfg", former)
	w.reload()
	in := w.instance()
	require.NotEqual(t, former, w.read("run/test/config/0/haproxy.cfg"), in.Copies())

	fresh := relative(another)
	w.order(take(w.hold(fresh)))
	require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix))
	require.Empty(t, w.read("haproxy.cfg"+contract.UnloadedSuffix), "nobody has edited it")

	edited := relative("# half done\n")
	w.write("haproxy.cfg", edited)
	w.order("")
	w.order(take(w.hold(former)))
	require.Equal(t, fresh, w.read("haproxy.cfg"+contract.PreviousSuffix))
	require.Equal(t, edited, w.read("haproxy.cfg"+contract.UnloadedSuffix))

	t.Run("also where it was edited in place", func(*testing.T) {
		w.write("haproxy.cfg", edited)
		w.order("")
		w.order(take(w.hold(edited)))
		require.Equal(t, former, w.read("haproxy.cfg"+contract.PreviousSuffix))
	})
	t.Run("and after a crash", func(*testing.T) {
		w.order("")
		w.write("haproxy.cfg", fresh)
		w.r = w.r.With("keeper", "true")
		w.family().Signal(syscall.SIGKILL)
		w.want(ocf.DegradedCode, w.r.Monitor(0), "crashed")
		w.order(take(w.hold(former)))
		require.Equal(t, edited, w.read("haproxy.cfg"+contract.PreviousSuffix))
		require.Equal(t, fresh, w.read("haproxy.cfg"+contract.UnloadedSuffix))
	})
}

// TestPushThatIsRefused: whatever is wrong, the node says so, its file and its HAProxy stay, and
// the reload does not fail.
func TestPushThatIsRefused(t *testing.T) {
	w := newPushWorld(t)
	former, worker := w.read("haproxy.cfg"), w.worker().PID
	good := w.config(another)
	refused := func(name, words string, order func() string) {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []func(string) string{check, take} {
				sum := order()
				w.order(kind(sum))
				require.Contains(t, w.answer(), kind(sum)+" refused: ")
				require.Contains(t, w.answer(), words)
				require.Equal(t, former, w.read("haproxy.cfg"))
				require.Equal(t, worker, w.worker().PID)
				w.want(ocf.Success, w.r.Monitor(0))
				w.order("")
			}
		})
	}
	refused("HAProxy", "unknown keyword 'bogus'", func() string {
		return w.hold(w.config("bogus"))
	})
	refused("a certificate that is not here", "/nowhere/site.pem", func() string {
		return w.hold(w.config(fmt.Sprintf("frontend tls\n\tbind 127.0.0.1:%d ssl crt "+
			"/nowhere/site.pem\n", freePort(t))))
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
		_, sum := contract.PackConfig([]byte("else"))
		return sum
	})
	refused("somebody else can write there", "users other than root", func() string {
		require.NoError(t, os.Chmod(w.dir, 0o777))
		return w.hold(good)
	})
	require.NoError(t, os.Chmod(w.dir, 0o755))
	t.Run("or to a directory above", func(t *testing.T) {
		require.NoError(t, os.MkdirAll(w.path("above/dir"), 0o700))
		w.write("above/dir/haproxy.cfg", former)
		a := agent{}
		a.Conffile = w.path("above/dir/haproxy.cfg")
		path, err := a.place()
		require.NoError(t, err)
		require.Equal(t, a.Conffile, path)
		require.NoError(t, os.Symlink("../above/dir/missing.cfg", w.path("above/link.cfg")))
		a.Conffile = w.path("above/link.cfg")
		path, err = a.place()
		require.NoError(t, err)
		require.Equal(t, w.path("above/dir/missing.cfg"), path)
		for _, change := range []func() error{
			func() error { return os.Chown(w.path("above"), 12345, 0) },
			func() error { return os.Chown(w.path("above"), 0, 0) },
			func() error { return os.Chmod(w.path("above"), 0o770) },
		} {
			_, before := a.place()
			require.NoError(t, change())
			_, err = a.place()
			if before == nil {
				require.ErrorContains(t, err, "users other than root can write to "+w.path("above"))
			} else {
				require.NoError(t, err)
			}
		}
	})
	require.Equal(t, int(ocf.ErrConfigured),
		int(w.r.With("push", "check:beef").Run("reload-agent", nil).Code))
}
