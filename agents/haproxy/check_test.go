package haproxy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/checks"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/ocf"
)

// A check that fails degrades a monitor of OCF_CHECK_LEVEL 10, and no other.
func TestCheckURL(t *testing.T) {
	w := newWorld(t)
	w.start()
	url := func(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", w.port, path) }
	w.want(ocf.Success, w.r.With("check_url", url("/")).Monitor(10))
	w.want(ocf.DegradedCode, w.r.With("check_url", url("/sick")).Monitor(10), "check check fails", "503")
	w.want(ocf.Success, w.r.With("check_url", url("/sick")).Monitor(0))
	slow := w.r.With("check_url", url("/slow")).With("check_timeout", "200ms").Monitor(10)
	w.want(ocf.DegradedCode, slow, "no answer within 200ms")
	require.Less(t, slow.Took, 5*time.Second)
	w.want(ocf.DegradedCode, w.r.With("check_url", "http://${HAWSER_ANCHOR_IP}:1/").Monitor(10),
		"HAWSER_ANCHOR_IP", "restart")

	w.want(ocf.Success, w.r.Stop())
	w.r = w.r.With("anchor_ip", "127.0.0.1").With("checks",
		fmt.Sprintf("web url=http://${HAWSER_ANCHOR_IP}:%d/ timeout=10s", w.port))
	w.start()
	w.want(ocf.Success, w.r.Monitor(10))
	w.app.Close()
	w.want(ocf.DegradedCode, w.r.Monitor(10), "check web fails", "503")

	t.Run("redirections are healthy, certificates are not verified", func(_ *testing.T) {
		app := httptest.NewTLSServer(http.RedirectHandler("https://192.0.2.1/", http.StatusFound))
		defer app.Close()
		w.want(ocf.Success, w.r.With("checks", "").With("check_url", app.URL).Monitor(10))
	})
}

func TestMinServers(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(
		w.config("listen stats\n\tbind 127.0.0.1:"+fmt.Sprint(freePort(t))+"\n\tstats enable\n"),
		"server app-1", "default-server check inter 50ms fall 1 rise 1\n\tserver app-1", 1))
	w.r = w.r.With("min_servers", "1")
	w.start()
	w.want(ocf.Success, w.r.Monitor(10))
	w.app.Close()
	var last string
	require.Eventually(t, func() bool {
		result := w.r.Monitor(10)
		last = result.Reason
		return result.Code == ocf.DegradedCode
	}, 10*time.Second, 20*time.Millisecond)
	require.Contains(t, last, "backend app has 0 of 1")
	w.want(ocf.Success, w.r.Monitor(0))
	w.want(ocf.Success, w.r.With("min_servers", "0").Monitor(10))
}

// Without a keeper, the monitor publishes what it finds, when that changes.
func TestMonitorPublishesChecks(t *testing.T) {
	w := newWorld(t)
	w.r.Env["OCF_RESKEY_CRM_meta_on_node"] = "lb-1"
	w.write("attrd_updater", fmt.Sprintf(publisher, w.path("told"), 0))
	told := func(name string) string { return w.toldOf("hawser-test-" + name) }
	w.start()
	well := w.r.With("checks", fmt.Sprintf("web url=http://127.0.0.1:%d/", w.port))
	ill := w.r.With("checks", fmt.Sprintf("web url=http://127.0.0.1:%d/sick", w.port))
	for range 2 {
		w.want(ocf.Success, well.Monitor(10))
	}
	require.Equal(t, "-n hawser-test-check-web -U ok\n", told("check-web"))
	for range 2 {
		w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	}
	require.Equal(t, "-n hawser-test-check-web -U ok\n-n hawser-test-check-web -U failed\n", told("check-web"))
	require.Contains(t, told("failing"), "-U web since=")
	w.want(ocf.Success, well.Monitor(10))
	require.True(t, strings.HasSuffix(told("check-web"), "-U ok\n"))
	w.want(ocf.Success, w.r.Stop())
	require.True(t, strings.HasSuffix(told("check-web"), "-n hawser-test-check-web -D\n"), told("check-web"))
	require.True(t, strings.HasSuffix(told("failing"), "-n hawser-test-failing -D\n"))
	require.NoFileExists(t, w.instance().Checks())
}

// last is the last value that was published of an attribute; "-D" if it was withdrawn.
func (w *world) last(attribute string) string {
	text, _ := os.ReadFile(w.path("attributes"))
	value := ""
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "-n "+attribute+" "); ok {
			value, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(rest, "-U "), "-B "), " -d ")
		}
	}
	return value
}

// The keeper does the checks while HAProxy runs; the monitor only says what it has found.
func TestKeeperChecks(t *testing.T) {
	w := newKeptWorld(t)
	sick := w.path("sick")
	program := filepath.Join(w.dir, "check.sh")
	w.write("check.sh", fmt.Sprintf("#!/bin/sh\nid -un >%s\n[ ! -e %s ] || { echo it is ill; exit 3; }\n", w.path("who"), sick))
	w.write("who", "")
	require.NoError(t, os.Chmod(w.dir, 0o755))
	require.NoError(t, os.Chmod(program, 0o755))
	require.NoError(t, os.Chmod(w.path("who"), 0o666))
	w.r = w.r.With("checks", fmt.Sprintf("own exec=%s user=nobody every=1s fall=2 rise=1 ; "+
		"web url=http://127.0.0.1:%d/ every=1s", program, w.port))
	w.guarded()
	own := contract.CheckAttribute(contract.ResourceOf("test"), "own")
	w.eventually("both checks hold", func() bool {
		return w.last(own) == "ok" && w.last("hawser-test-check-web") == "ok"
	})
	require.Equal(t, "nobody\n", w.read("who"))
	w.want(ocf.Success, w.r.Monitor(10))

	w.write("sick", "")
	began := time.Now()
	w.eventually("a check fails", func() bool { return w.last(own) == "failed" })
	require.Greater(t, time.Since(began), 900*time.Millisecond, "one bad result is not enough")
	w.eventually("it says why", func() bool { return strings.Contains(w.last("hawser-test-failing"), "exit status 3: it is ill") })
	w.want(ocf.DegradedCode, w.r.Monitor(10), "check own fails: "+program+": exit status 3: it is ill")
	w.want(ocf.Success, w.r.Monitor(0))
	require.NoError(t, w.get(), "HAProxy serves")

	t.Run("a crash of HAProxy changes nothing about it", func(_ *testing.T) {
		w.kill(w.master().PID, 9)
		w.eventually("HAProxy is back", func() bool { return w.get() == nil && len(w.state().Crashes) == 1 })
		require.Equal(t, "failed", w.last(own))
	})
	t.Run("a keeper that takes over goes on", func(_ *testing.T) {
		keeper, _ := w.keepers()
		w.kill(keeper[0], 9)
		w.guards()
		require.NoError(t, os.Remove(sick))
		w.eventually("it holds again", func() bool { return w.last(own) == "ok" })
		w.want(ocf.DegradedCode, w.r.Monitor(10), "HAProxy crashed")
		w.eventually("nothing fails", func() bool { return w.last("hawser-test-failing") == "-D" })
		w.want(ocf.Success, w.r.Monitor(10))
	})
	t.Run("a check that is not asked for any more is withdrawn", func(_ *testing.T) {
		w.r = w.r.With("checks", fmt.Sprintf("web url=http://127.0.0.1:%d/ every=1s", w.port))
		w.reload()
		w.eventually("it is withdrawn", func() bool { return w.last(own) == "-D" })
		require.Equal(t, "ok", w.last("hawser-test-check-web"))
	})
	w.want(ocf.Success, w.r.Stop())
	require.Equal(t, "-D", w.last("hawser-test-check-web"))
	require.Empty(t, checks.ReadBook(w.instance().Checks()).Records)
}

// A check that hangs is bad each time, is not started again while it hangs, and stops nothing.
func TestCheckThatHangs(t *testing.T) {
	w := newKeptWorld(t)
	w.write("hang.sh", fmt.Sprintf("#!/bin/sh\ntrap '' TERM INT HUP\necho x >>%s\nwhile :; do sleep 60; done\n", w.path("started")))
	w.write("started", "")
	require.NoError(t, os.Chmod(w.dir, 0o755))
	require.NoError(t, os.Chmod(w.path("hang.sh"), 0o755))
	require.NoError(t, os.Chmod(w.path("started"), 0o666))
	w.r = w.r.With("checks", fmt.Sprintf("hang exec=%s user=nobody every=1s fall=2 timeout=300ms ; slow url=http://127.0.0.1:%d/slow every=1s fall=2",
		w.path("hang.sh"), w.port))
	w.guarded()
	w.eventually("both fail", func() bool {
		return w.last("hawser-test-check-hang") == "failed" && w.last("hawser-test-check-slow") == "failed"
	})
	w.want(ocf.DegradedCode, w.r.Monitor(10), "check hang fails: no answer within 300ms", "check slow fails: no answer within 1s")
	w.eventually("it is tried again", func() bool { return strings.Count(w.read("started"), "x") > 2 })
	require.NoError(t, w.get())
	stopped := w.r.Stop()
	w.want(ocf.Success, stopped)
}

// A Pacemaker that does not answer costs a stop one attribute's second, not thirty.
func TestStopWithoutAnAnswer(t *testing.T) {
	w := clustered(t)
	w.start()
	book := checks.Book{}
	for i := range 16 {
		book.Published = append(book.Published, fmt.Sprint("c", i))
	}
	require.NoError(t, book.Write(w.instance().Checks()))
	w.write("attrd_updater", "#!/bin/sh\nexec sleep 60\n")
	stopped := w.r.Stop()
	w.want(ocf.Success, stopped)
	require.Less(t, stopped.Took, 10*time.Second)
}

// What nobody does any more is not published any more.
func TestMonitorWithdrawsChecks(t *testing.T) {
	w := clustered(t)
	w.start()
	web := func() string {
		lines := strings.Split(strings.TrimSpace(w.toldOf("hawser-test-check-web")), "\n")
		return lines[len(lines)-1]
	}
	ill := w.r.With("checks", fmt.Sprintf("web url=http://127.0.0.1:%d/sick", w.port))
	w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	w.want(ocf.Success, ill.Monitor(0))
	require.Equal(t, "-n hawser-test-check-web -U failed", web())
	w.want(ocf.Success, w.r.Monitor(0))
	require.Equal(t, "-n hawser-test-check-web -D", web(), "there are no checks")

	w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	book := checks.ReadBook(w.instance().Checks())
	book.Kept = true
	require.NoError(t, book.Write(w.instance().Checks()))
	w.want(ocf.Success, ill.Monitor(0))
	require.Equal(t, "-n hawser-test-check-web -D", web(), "there was a keeper")
	w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	require.Equal(t, "-n hawser-test-check-web -U failed", web(), "now the monitor does it")
}

// Where monitors do the checks, what the cluster may have forgotten is published again, and so is what
// it did not take; and what no monitor does any more is withdrawn.
func TestMonitorsThatDoTheChecks(t *testing.T) {
	w := clustered(t)
	w.start()
	published := func() string { return w.toldOf("hawser-test-check-web") }
	ill := w.r.With("checks", fmt.Sprintf("web url=http://127.0.0.1:%d/sick", w.port))
	const failed = "-n hawser-test-check-web -U failed\n"
	w.write("attrd_updater", "#!/bin/sh\nexit 1\n")
	w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	require.Empty(t, published())
	w.write("attrd_updater", fmt.Sprintf(publisher, w.path("told"), 0))
	for range 2 {
		w.want(ocf.DegradedCode, ill.Monitor(10), "503")
		require.Equal(t, failed, published())
	}
	w.want(ocf.Success, ill.Probe())
	for range 2 {
		w.want(ocf.DegradedCode, ill.Monitor(10), "503")
		require.Equal(t, failed+failed, published(), "Pacemaker was restarted, perhaps")
	}
	w.want(ocf.Success, ill.Monitor(0))
	require.Equal(t, failed+failed, published())
	book := checks.ReadBook(w.instance().Checks())
	require.Greater(t, time.Until(book.Until), time.Minute)
	book.Until = time.Now().Add(-time.Second)
	require.NoError(t, book.Write(w.instance().Checks()))
	w.want(ocf.Success, ill.Monitor(0))
	require.Equal(t, failed+failed+"-n hawser-test-check-web -D\n", published())
	w.want(ocf.DegradedCode, ill.Monitor(10), "503")
	require.True(t, strings.HasSuffix(published(), failed))
}

// A check that takes longer than the monitor may fails, and keeps no other from being done.
func TestMonitorWithACheckThatHangs(t *testing.T) {
	w := clustered(t)
	w.start()
	w.r.Env["OCF_RESKEY_CRM_meta_timeout"] = "4000"
	all := w.r.With("checks", fmt.Sprintf("hang exec='/bin/sleep 600' user=nobody timeout=60s ; "+
		"late exec='/bin/sleep 600' user=nobody timeout=60s ; web url=http://127.0.0.1:%d/", w.port))
	w.want(ocf.DegradedCode, all.Monitor(10), "check hang fails: no answer within the monitor's timeout",
		"check late fails")
	require.Equal(t, "-n hawser-test-check-hang -U failed\n", w.toldOf("hawser-test-check-hang"))
	require.Equal(t, "-n hawser-test-check-web -U ok\n", w.toldOf("hawser-test-check-web"))
}

// A keeper whose directory is full forgets nothing when the parameters change.
func TestChecksWithoutAFile(t *testing.T) {
	w := newKeptWorld(t)
	url := fmt.Sprintf("web url=http://127.0.0.1:%d/sick every=1s fall=1", w.port)
	w.r = w.r.With("checks", url+" ; old "+url[4:])
	w.guarded()
	w.eventually("both fail", func() bool {
		return w.last("hawser-test-check-web") == "failed" && w.last("hawser-test-check-old") == "failed"
	})
	require.NoError(t, os.Remove(w.instance().Checks()))
	require.NoError(t, os.Mkdir(w.instance().Checks(), 0o700)) // which no file replaces
	w.r = w.r.With("checks", url)
	w.reload()
	w.eventually("the one is withdrawn", func() bool { return w.last("hawser-test-check-old") == "-D" })
	require.Equal(t, "failed", w.last("hawser-test-check-web"))
}

// No number of changes leaves anything behind in the keeper, whatever its checks wait for.
func TestKeeperLeavesNothingBehind(t *testing.T) {
	w := newKeptWorld(t)
	fifo := w.path("ca.pem")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	w.r = w.r.With("checks", fmt.Sprintf("hang exec='/bin/sleep 600' user=nobody every=1s timeout=1min ; "+
		"slow url=http://127.0.0.1:%d/slow every=1s timeout=1min ; tls url=https://127.0.0.1:%[1]d/ verify=true ca_file=%s every=1s",
		w.port, fifo))
	w.guarded()
	w.eventually("a check fails", func() bool { return w.last("hawser-test-check-tls") == "failed" })
	keeper, _ := w.keepers()
	count := func() (fds, threads, children int) {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", keeper[0]))
		require.NoError(t, err)
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", keeper[0]))
		require.NoError(t, err)
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", keeper[0], task.Name()))
			children += len(strings.Fields(string(text)))
		}
		return len(open), len(tasks), children
	}
	fds, threads, children := count()
	for range 50 {
		_, err := w.instance().AskKeeper(t.Context(), "look")
		require.NoError(t, err)
		time.Sleep(40 * time.Millisecond)
	}
	w.eventually("nothing is left behind", func() bool {
		f, th, c := count()
		return f <= fds+3 && th <= threads+5 && c <= children+1
	})
}
