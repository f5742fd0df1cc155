package haproxy

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/ocf"
)

// remembering is an attrd_updater that keeps what it is told, and answers queries.
const remembering = `#!/bin/sh
name=$2
[ $3 = -Q ] || echo "$*" >>%[1]s/told
case $3 in
-U) echo "$4" >%[1]s/attr.$name;;
-D) rm -f %[1]s/attr.$name;;
-Q) [ -e %[1]s/attr.$name ] || exit 105
    v=$(sed "s/&/\\&amp;/g; s/'/\\&apos;/g; s/</\\&lt;/g" %[1]s/attr.$name)
    echo "<pacemaker-result><attribute host='lb-1' value='$v'/><attribute host='here' value='$v'/></pacemaker-result>";;
esac
`

// remembered returns a HAProxy in a cluster that remembers what it is told.
func remembered(t *testing.T) *world {
	t.Helper()
	w := clustered(t)
	w.write("attrd_updater", fmt.Sprintf(remembering, w.dir))
	return w
}

// A change of a parameter that is the agent's own loads no file that somebody is editing.
func TestAChangedParameterLoadsNoEdit(t *testing.T) {
	w := remembered(t)
	first := w.hash(w.config(""))
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
	worker := w.worker().PID
	edited := w.hash(w.config(another))
	serves := func(why string) {
		t.Helper()
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, worker, w.worker().PID, why)
		require.Equal(t, []string{first, edited}, []string{w.taken().Serves, w.taken().Disk}, why)
	}
	for name, value := range map[string]string{"max_crashes": "7", "stop_grace": "2s",
		"check_url": fmt.Sprintf("http://127.0.0.1:%d/", w.port)} {
		w.r = w.r.With(name, value)
		w.reload()
		serves(name)
	}
	t.Run("nor does it where an older agent has noted no parameters", func(*testing.T) {
		s, _ := w.instance().Load()
		s.Settings = ""
		require.NoError(t, w.instance().Save(s))
		w.r = w.r.With("max_crashes", "8")
		w.reload()
		serves("unknown")
	})
	t.Run("a generation does", func(*testing.T) {
		w.r = w.r.With("generation", "monday").With("max_crashes", "9")
		w.reload()
		require.Equal(t, edited, w.taken().Serves)
		require.Contains(t, w.backends(), "another")
	})
	t.Run("and so does a reload for which nothing has changed", func(*testing.T) {
		again := w.hash(w.config("# again\n"))
		w.reload()
		require.Equal(t, again, w.taken().Serves)
	})
	t.Run("whoever calls by hand may leave parameters out", func(*testing.T) {
		byHand := w.hash(w.config("# by hand\n"))
		w.want(ocf.Success, w.r.With("max_crashes", "").Run("reload-agent",
			map[string]string{"OCF_RESKEY_CRM_meta_on_node": ""}))
		require.Contains(t, w.read("haproxy.cfg"), "by hand")
		require.Equal(t, byHand, w.state().Served.Config)
		w.write("haproxy.cfg", w.config("# not this\n"))
		w.r = w.r.With("max_crashes", "5")
		w.reload()
		require.Equal(t, byHand, w.state().Served.Config)
	})
	t.Run("a reload that waits is tried again", func(*testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.r = w.r.With("generation", "tuesday")
		w.reload()
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		fixed := w.hash(w.config("# fixed\n"))
		w.r = w.r.With("max_crashes", "4")
		w.reload()
		require.Equal(t, fixed, w.taken().Serves)
	})
}

// What is deleted below /run is made again, and what is being edited is not loaded for it.
func TestDeletedDirectoryAndAnEdit(t *testing.T) {
	for name, text := range map[string]string{"another": another, "broken": "bogus"} {
		t.Run(name, func(t *testing.T) {
			w := remembered(t)
			first := w.hash(w.config(""))
			w.r = w.r.With("generation", "monday")
			w.start()
			w.want(ocf.Success, w.r.Monitor(0))
			worker := w.worker().PID
			edited := w.hash(w.config(text))
			require.NoError(t, os.RemoveAll(w.r.RunDir()))
			for range 2 {
				w.want(ocf.DegradedCode, w.r.Monitor(0), "sockets are gone", first, edited,
					"hawser reload")
			}
			require.Equal(t, worker, w.worker().PID)
			require.NoError(t, w.get())
			require.Equal(t, first, w.taken().Serves, "the cluster is not told otherwise")
			w.r = w.r.With("max_crashes", "7")
			w.reload()
			require.Equal(t, worker, w.worker().PID)

			fixed := w.hash(w.config(another))
			w.r = w.r.With("generation", "tuesday")
			w.reload()
			w.want(ocf.Success, w.r.Monitor(0))
			require.Equal(t, []string{fixed, "tuesday"}, []string{w.taken().Serves,
				w.taken().Generation})
		})
	}
	t.Run("no reload waits where none was asked for", func(t *testing.T) {
		w := remembered(t)
		w.write("503.http", "HTTP/1.0 503 Sorry\r\n\r\n")
		first := w.hash(w.config("\terrorfile 503 " + w.path("503.http") + "\n"))
		w.start()
		w.want(ocf.Success, w.r.Monitor(0))
		require.NoError(t, os.RemoveAll(w.r.RunDir()))
		require.NoError(t, os.Remove(w.path("503.http")))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "503.http")
		edited := w.hash(w.config(another))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "sockets are gone", first, edited)
	})
	t.Run("taken back", func(t *testing.T) {
		w := remembered(t)
		w.start()
		w.want(ocf.Success, w.r.Monitor(0))
		w.write("haproxy.cfg", w.config(another))
		require.NoError(t, os.RemoveAll(w.r.RunDir()))
		w.want(ocf.DegradedCode, w.r.Monitor(0))
		w.write("haproxy.cfg", w.config(""))
		w.want(ocf.Success, w.r.Monitor(0))
		require.FileExists(t, w.instance().StatsSocket())
	})
	t.Run("a reload by somebody else since is not what was told", func(t *testing.T) {
		w := remembered(t)
		w.start()
		w.want(ocf.Success, w.r.Monitor(0))
		told := strings.Replace(w.read("attr."+loaded), "worker=", "worker=1,was=", 1)
		w.write("attr."+loaded, told)
		w.write("haproxy.cfg", w.config(another))
		require.NoError(t, os.RemoveAll(w.r.RunDir()))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "it is not known")
	})
	t.Run("a reload that waited still waits", func(t *testing.T) {
		w := remembered(t)
		w.start()
		w.want(ocf.Success, w.r.Monitor(0))
		w.write("haproxy.cfg", w.config("bogus"))
		w.r = w.r.With("generation", "monday")
		w.reload()
		require.NoError(t, os.RemoveAll(w.r.RunDir()))
		w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
		fixed := w.hash(w.config(another))
		w.want(ocf.Success, w.r.Monitor(0))
		require.Equal(t, fixed, w.taken().Serves)
	})
}

// The keeper whose files were deleted ends, and leaves those of the next one alone.
func TestKeeperWithoutItsDirectory(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	before, _ := w.keepers()
	// a standby may just be making its lock
	gone := func() bool { return os.RemoveAll(w.r.RunDir()) == nil }
	w.eventually("the files are gone", gone)
	w.eventually("the keeper and its standby end", func() bool {
		fam, err := w.instance().Keepers()
		return err == nil && fam.Empty()
	})
	w.want(ocf.Success, w.r.Monitor(0))
	w.guards()
	after, _ := w.keepers()
	require.NotEqual(t, before, after)

	t.Run("a standby that is left ends as well", func(*testing.T) {
		keeper, _ := w.keepers()
		w.eventually("the files are gone", gone)
		w.kill(keeper[0], syscall.SIGKILL)
		w.want(ocf.Success, w.r.Monitor(0))
		w.guards()
	})
}

// A reload by a signal, as hooks and the Data Plane API do it, loads the files and is noted.
func TestReloadBySomebodyElse(t *testing.T) {
	w := newKeptWorld(t)
	w.write("attrd_updater", fmt.Sprintf(remembering, w.dir))
	w.guarded()
	w.want(ocf.Success, w.r.Monitor(0))
	edited := w.hash(w.config(another))
	w.kill(w.master().PID, syscall.SIGUSR2)
	w.eventually("it is noted", func() bool { return w.state().Served.Config == edited })
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, edited, w.taken().Serves)
	require.Empty(t, w.taken().Disk)
	require.Contains(t, w.backends(), "another")

	t.Run("also where HAProxy runs from the copies", func(*testing.T) {
		edited := w.hash(w.config(another + "# not loaded\n"))
		w.family().Signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
		require.True(t, w.instance().OnCopies(w.master().PID))
		w.guards()
		require.NotEqual(t, edited, w.state().Served.Config)
		for range 2 {
			w.kill(w.master().PID, syscall.SIGUSR2)
			w.eventually("the file is loaded", func() bool { return w.state().Served.Config == edited })
			w.want(ocf.DegradedCode, w.r.Monitor(0), "crashed")
			edited = w.hash(w.config("# nor this\n"))
			s := w.state()
			s.Crashes[0].Reported = false
			require.NoError(t, w.instance().Save(s))
		}
	})
	t.Run("what HAProxy refuses is told", func(*testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.kill(w.master().PID, syscall.SIGUSR2)
		w.eventually("the monitor tells", func() bool {
			r := w.r.Monitor(0)
			return r.Code == ocf.DegradedCode && strings.Contains(r.Reason, "bogus")
		})
		require.NoError(t, w.get())
	})
}

// beside starts a HAProxy of nobody's on the address of the test's, and returns its process id.
func (w *world) beside() int {
	w.t.Helper()
	w.write("other.cfg", fmt.Sprintf("defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 5s\n"+
		"\ttimeout server 5s\nfrontend f\n\tbind 127.0.0.1:%d\n\thttp-request return status 200 content-type "+
		"text/plain string hello\n", w.port))
	cmd := exec.Command("/usr/sbin/haproxy", "-db", "-f", w.path("other.cfg"))
	require.NoError(w.t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	w.t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	return cmd.Process.Pid
}

// A second HAProxy takes a part of the connections, and neither notices: the monitor, a reload and a
// push do.
func TestAnotherHAProxyBeside(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	w.want(ocf.Success, w.r.Monitor(0))
	worker := w.worker().PID
	pid := w.beside()
	words := fmt.Sprintf("(pid %d) also listens on 127.0.0.1:%d", pid, w.port)
	w.eventually("the monitor tells", func() bool {
		r := w.r.Monitor(0)
		return r.Code == ocf.DegradedCode && strings.Contains(r.Reason, words)
	})
	w.write("haproxy.cfg", w.config(another))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "the old configuration serves", words)
	require.Equal(t, worker, w.worker().PID)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	w.gone(pid)
	w.reload()
	require.Contains(t, w.backends(), "another")
	w.eventually("all is well", func() bool { return w.r.Monitor(0).Code == ocf.Success })
}

// Without a keeper, a monitor of OCF_CHECK_LEVEL 10 looks.
func TestAnotherHAProxyBesideWithoutAKeeper(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.want(ocf.Success, w.r.Monitor(10))
	pid := w.beside()
	w.eventually("it listens", func() bool { return w.r.Monitor(10).Code == ocf.DegradedCode })
	w.want(ocf.DegradedCode, w.r.Monitor(10), fmt.Sprintf("(pid %d) also listens", pid))
	w.want(ocf.Success, w.r.Monitor(0))
}

// A reload that takes longer than its operation is neither told as failed nor done twice.
func TestReloadThatOutlastsItsOperation(t *testing.T) {
	w := newKeptWorld(t)
	if out, _ := exec.Command(needs.Command(t, "haproxy"), "-vv").Output(); !strings.Contains(string(out), "+LUA") {
		t.Fatal("this test needs a HAProxy with Lua, as Debian builds it: `haproxy -vv` shows no +LUA")
	}
	w.write("attrd_updater", fmt.Sprintf(remembering, w.dir))
	slow := func(seconds ...string) { w.write("slow", strings.Join(append(seconds, ""), "\n")) }
	slow()
	w.write("slow.lua", fmt.Sprintf(`local f = io.open(%[1]q); local s = f:read("l"); local rest = f:read("a"); f:close()
if s then f = io.open(%[1]q, "w"); f:write(rest or ""); f:close(); os.execute("sleep " .. s) end
`, w.path("slow")))
	lua := "global\n\tlua-load " + w.path("slow.lua") + "\n"
	w.write("haproxy.cfg", w.config(lua))
	w.guarded()
	w.want(ocf.Success, w.r.Monitor(0))
	former := w.taken().Serves
	edited := w.hash(w.config(lua + another))
	slow("0", "6") // the check, HAProxy
	w.r = w.r.With("generation", "monday")
	result := w.r.Run("reload-agent", map[string]string{"OCF_RESKEY_CRM_meta_timeout": "4000"})
	w.want(ocf.Success, result)
	require.Equal(t, former, w.taken().Serves)
	require.Empty(t, w.taken().Asked, "it is not known yet that it failed")
	w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy has been loading")
	require.NoError(t, w.get())
	w.eventually("it is loaded", func() bool { return w.state().Served.Config == edited })
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, []string{edited, "monday"}, []string{w.taken().Serves, w.taken().Generation})
	require.Empty(t, w.read("slow"), "it is loaded once")

	t.Run("what crashes then comes back with what was loaded", func(*testing.T) {
		w.write("haproxy.cfg", w.config(lua))
		w.family().Signal(syscall.SIGKILL)
		w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
		require.Contains(t, w.backends(), "another")
	})
	t.Run("a monitor has the time for a slow check of what was fixed", func(*testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.r = w.r.With("generation", "tuesday")
		w.reload()
		w.want(ocf.DegradedCode, w.r.Monitor(0), "bogus")
		fixed := w.hash(w.config(lua))
		slow("4.3", "8") // of the check the monitor's 10.8 s have room for, of HAProxy's reading not
		monitor := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "12000",
			"OCF_RESKEY_CRM_meta_interval": "10000"}
		w.want(ocf.DegradedCode, w.r.Run("monitor", monitor), "HAProxy has been loading")
		w.eventually("it is loaded", func() bool { return w.state().Served.Config == fixed })
		w.want(ocf.DegradedCode, w.r.Monitor(0), "crashed")
		w.want(ocf.Success, w.r.Monitor(0))
	})
	t.Run("one that takes longer than a monitor has says so", func(*testing.T) {
		w.write("haproxy.cfg", w.config("bogus"))
		w.r = w.r.With("generation", "wednesday")
		w.reload()
		w.write("haproxy.cfg", w.config(lua))
		slow("30")
		w.want(ocf.DegradedCode, w.quick(), "takes longer", "this monitor", "hawser reload")
	})
}
