package haproxy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// atEachLoad returns lines of a configuration with which HAProxy runs the next of the steps each time
// it reads the configuration, a check included. One that begins with "later" is run when all is read.
func (w *world) atEachLoad() (lines string, steps func(...string)) {
	w.t.Helper()
	out, _ := exec.Command(needs.Command(w.t, "haproxy"), "-vv").Output()
	if !strings.Contains(string(out), "+LUA") {
		w.t.Fatal("this test needs a HAProxy with Lua, as Debian builds it: `haproxy -vv` shows no +LUA")
	}
	w.write("steps.lua", fmt.Sprintf(`local f = io.open(%[1]q)
local s = f:read("l")
local rest = f:read("a")
f:close()
if s then
	f = io.open(%[1]q, "w")
	f:write(rest or "")
	f:close()
	local later = s:match("^later (.*)")
	if later then core.register_init(function() os.execute(later) end) else os.execute(s) end
end
`, w.path("steps")))
	steps = func(all ...string) { w.write("steps", strings.Join(append(all, ""), "\n")) }
	steps()
	return "global\n\tlua-load " + w.path("steps.lua") + "\n", steps
}

// edit is a step that puts another file in the place of the configuration.
func (w *world) edit(text string) string {
	w.write("edited", text)
	return fmt.Sprintf("cp %[1]s %[1]s.new && mv %[1]s.new %[2]s", w.path("edited"),
		w.path("haproxy.cfg"))
}

// wantServed makes sure of what is remembered that HAProxy serves, "" for unknown, and of the copies.
func (w *world) wantServed(text string) {
	w.t.Helper()
	in := w.instance()
	in.Conffile = w.path("haproxy.cfg")
	kept, err := os.ReadFile(in.Copies() + "/0/haproxy.cfg")
	if text == "" {
		require.Empty(w.t, w.state().Served.Config)
		require.ErrorIs(w.t, err, os.ErrNotExist, "nothing comes back of which nobody knows that it was loaded")
		return
	}
	require.NoError(w.t, err)
	require.Equal(w.t, text, string(kept))
	disk := w.read("haproxy.cfg")
	require.Equal(w.t, w.hash(text), w.state().Served.Config)
	w.write("haproxy.cfg", disk)
}

// Somebody repairs a broken file while a start has yet to run HAProxy.
func TestRepairedBeforeHAProxyIsRun(t *testing.T) {
	w := newKeptWorld(t)
	fixed := w.config(another)
	w.r = w.r.With("keeper", "false")
	w.tune = func(a *agent) {
		a.Systemd.Find = func(_ context.Context, name string) (systemd.Unit, error) {
			w.write("haproxy.cfg", fixed)
			return systemd.Unit{Name: name}, nil
		}
	}
	w.write("haproxy.cfg", w.config("bogus"))
	w.start()
	w.wantServed(fixed)
	w.want(ocf.Success, w.r.Monitor(0))
	w.r = w.r.With("keeper", "true")
	w.family().Signal(syscall.SIGKILL)
	w.want(ocf.DegradedCode, w.r.Monitor(0), "crashed")
	require.Contains(t, w.backends(), "another")
}

// A configuration that mentions what HAProxy was not started with would have it listen everywhere.
func TestAVariableThatComesBeforeHAProxyIsRun(t *testing.T) {
	w := newWorld(t)
	w.tune = func(a *agent) {
		a.Systemd.Find = func(_ context.Context, name string) (systemd.Unit, error) {
			w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend private\n\tbind \"${HAWSER_PRIVATE_IP}:%d\"\n",
				freePort(t))))
			return systemd.Unit{Name: name}, nil
		}
	}
	w.want(ocf.ErrGeneric, w.r.Start(), "was changed while HAProxy was being started", "HAWSER_PRIVATE_IP")
	require.True(t, w.family().Empty())
	w.want(ocf.NotRunning, w.r.Monitor(0))
}

// A push is not answered with yes where it is not known what HAProxy has loaded.
func TestPushThatSomebodyComesInBetween(t *testing.T) {
	w := newPushWorld(t)
	lua, steps := w.atEachLoad()
	sum := w.hold(w.config(lua))
	w.order(check(sum))
	steps("true", w.edit(w.config(another))) // the check, HAProxy
	w.order(take(sum))
	require.Contains(t, w.answer(), take(sum)+" refused: the file was changed while HAProxy loaded it")
	w.wantServed("")
}

// A file that is changed while HAProxy reads its configuration: it is not known what it serves.
func TestEditedWhileHAProxyReads(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	lua, steps := w.atEachLoad()
	steps(w.edit(w.config(another)))
	w.write("haproxy.cfg", w.config(lua))
	w.start()
	w.wantServed("")
	require.Contains(t, w.read("log"), "it is not known which version it serves: load what is there now "+
		"with hawser reload")
	w.want(ocf.Success, w.r.Monitor(0))
	w.wantServed("")
	w.r = w.r.With("generation", "monday")
	w.reload()
	w.wantServed(w.config(another))

	t.Run("at a reload", func(*testing.T) {
		w.write("haproxy.cfg", w.config(lua))
		steps("true", w.edit(w.config(another))) // the check, HAProxy
		w.r = w.r.With("generation", "tuesday")
		w.reload()
		w.wantServed("")
	})
}

// A file that is changed when HAProxy has read it has been changed and not loaded.
func TestEditedWhileHAProxyStarts(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	lua, steps := w.atEachLoad()
	// the clock of the kernel's file systems goes by steps of up to 10 ms
	steps("later sleep 0.1; " + w.edit(w.config(another)))
	served := w.config(lua)
	w.write("haproxy.cfg", served)
	w.start()
	w.wantServed(served)
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, w.config(another), w.read("haproxy.cfg"))

	t.Run("at a reload", func(*testing.T) {
		served := w.config(lua + "# again\n")
		w.write("haproxy.cfg", served)
		steps("true", "later sleep 0.1; "+w.edit(w.config(another))) // the check, HAProxy
		w.r = w.r.With("generation", "monday")
		w.reload()
		w.wantServed(served)
	})
}

// What was checked is what is loaded.
func TestEditedWhileItIsChecked(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	lua, steps := w.atEachLoad()
	served := w.config("")
	w.write("haproxy.cfg", served)
	w.start()
	worker := w.worker().PID
	w.write("haproxy.cfg", w.config(lua))
	steps(w.edit(w.config(another)))
	w.r = w.r.With("generation", "monday")
	w.reload()
	require.Equal(t, worker, w.worker().PID)
	w.wantServed(served)
	require.Contains(t, w.state().Pending.Reason, "changed while it was being checked")
	w.want(ocf.Success, w.r.Monitor(0))
	w.wantServed(w.config(another))
}

// Nor is HAProxy brought back with such a one where no copy says what it had loaded.
func TestAVariableThatComesBeforeACrash(t *testing.T) {
	w := newKeptWorld(t)
	w.r = w.r.With("keeper", "false")
	w.start()
	require.NoError(t, os.RemoveAll(w.instance().Copies()))
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend private\n\tbind \"${HAWSER_PRIVATE_IP}:%d\"\n",
		freePort(t))))
	w.r = w.r.With("keeper", "true")
	w.family().Signal(syscall.SIGKILL)
	w.eventually("it is left to the cluster", func() bool { return w.r.Monitor(0).Code == ocf.NotRunning })
	require.True(t, w.family().Empty())
	require.Contains(t, w.read("log"), "is not brought back: "+w.path("haproxy.cfg")+
		" mentions HAWSER_PRIVATE_IP by now")
}
