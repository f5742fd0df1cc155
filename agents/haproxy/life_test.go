package haproxy

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

func TestConformance(t *testing.T) {
	var w *world
	params := func(t *testing.T) map[string]string {
		w = newWorld(t)
		return map[string]string{"conffile": w.path("haproxy.cfg"), "stop_grace": "0"}
	}
	ocftest.Conformance(t, ocftest.Subject{
		New: func() *ocf.Agent {
			a := newAgent("1.2.3")
			a.Systemd = noSystemd
			return a.Declare()
		},
		Params: params,
		Wrong: map[string]string{
			"min_servers": "-1", "check_url": "ftp://x/", "conffile": "haproxy.cfg",
			"stop_grace": "soon", "anchor_ip": "x",
			"metadata_url": "http://x/y",
		},
		Missing: map[string]string{"binpath": "/nonexistent/haproxy",
			"conffile": "/nonexistent/haproxy.cfg"},
		Stuck: func(t *testing.T) map[string]string {
			params := params(t)
			w.write("stuck", "#!/bin/sh\nsleep 1000\n")
			params["binpath"] = w.path("stuck")
			return params
		},
	})
}

func TestHowHAProxyRuns(t *testing.T) {
	w := newWorld(t)
	leak, err := os.Open("/etc/passwd")
	require.NoError(t, err)
	defer func() { _ = leak.Close() }()
	w.start()
	master := w.master()

	t.Run("as master and worker, in a session of its own, in the root directory",
		func(t *testing.T) {
			require.Equal(t, master.PID, master.Stat.Session)
			cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", master.PID))
			require.NoError(t, err)
			require.Equal(t, "/", cwd)
			require.Equal(t, master.PID, w.worker().Stat.Parent)
		})
	t.Run("with nothing of the agent's open", func(t *testing.T) {
		dir := fmt.Sprintf("/proc/%d/fd", master.PID)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, entry := range entries {
			target, _ := os.Readlink(dir + "/" + entry.Name())
			require.NotContains(t, target, "passwd")
			require.NotContains(t, target, ".lock")
			require.NotContains(t, target, "start.log")
		}
	})
	t.Run("in a clean environment", func(t *testing.T) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", w.worker().PID))
		require.NoError(t, err)
		for entry := range strings.SplitSeq(strings.Trim(string(text), "\x00"), "\x00") {
			name, _, _ := strings.Cut(entry, "=")
			require.True(t, name == "PATH" || strings.HasPrefix(name, "HAWSER_") ||
				strings.HasPrefix(name, "HAPROXY_"), entry)
		}
		host, _ := os.Hostname()
		require.Contains(t, string(text), "HAWSER_NODE="+host)
	})
	t.Run("with files for root alone", func(t *testing.T) {
		f := w.instance()
		for _, path := range []string{f.MasterSocket(), f.StatsSocket(), f.Fragment(), f.State(),
			f.StartLog()} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Zero(t, info.Mode().Perm()&0o077, path)
		}
		pid, err := os.ReadFile(f.Pidfile())
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(master.PID), strings.TrimSpace(string(pid)))
	})
	t.Run("until it is stopped", func(t *testing.T) {
		w.want(ocf.Success, w.r.Stop())
		require.Error(t, w.get())
		entries, err := os.ReadDir(w.instance().Dir)
		require.NoError(t, err)
		require.Empty(t, entries, "nothing is left")
	})
}

func TestConfigurationDirectoryAndExtraArguments(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, os.Mkdir(w.path("conf.d"), 0o755))
	require.NoError(t, os.Rename(w.path("haproxy.cfg"), w.path("conf.d/50-web.cfg")))
	w.write("more words.cfg", fmt.Sprintf("frontend more\n\tmode http\n\ttimeout client "+
		"1s\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n", freePort(t)))
	w.r = w.r.With("conffile", w.path("conf.d")).With("extraconf",
		fmt.Sprintf("-f '%s' -L me", w.path("more words.cfg")))
	w.start()
	require.True(t, slices.Contains(w.master().Args, w.path("more words.cfg")))
	stats, err := w.runtime().Stats(t.Context())
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(stats, func(s client.Stat) bool {
		return s.Proxy == "more"
	}))
	w.want(ocf.Success, w.r.Monitor(0))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	w.want(ocf.Success, w.r.Monitor(0))

	for _, words := range []string{"-db", "-p /tmp/pid", "-c"} {
		other := w.r.With("extraconf", words)
		other.Instance = "other"
		w.want(ocf.ErrConfigured, other.Start(), "extraconf")
		w.want(ocf.ErrConfigured, other.Run("validate-all", nil), "extraconf")
	}
}

func TestTheConfigurationHasTheLastWord(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\thard-stop-after 3s",
		1))
	w.start()
	text, err := os.ReadFile(w.instance().Fragment())
	require.NoError(t, err)
	require.Contains(t, string(text), "hard-stop-after 86400s")
	f := w.instance()
	require.Less(t, slices.Index(w.master().Args, f.Fragment()),
		slices.Index(w.master().Args, w.path("haproxy.cfg")))
}

func TestStatsSocketInADirectoryThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	dir := fmt.Sprintf("/run/hawser-test-%d", os.Getpid())
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w.write("haproxy.cfg", strings.ReplaceAll(w.config(""), w.path("admin.sock"),
		dir+"/admin.sock"))
	w.start()
	require.FileExists(t, dir+"/admin.sock")
}

func TestValidateAll(t *testing.T) {
	w := newWorld(t)
	w.want(ocf.Success, w.r.Run("validate-all", nil))
	w.want(ocf.ErrInstalled, w.r.With("binpath", "/nonexistent/haproxy").Run("validate-all", nil),
		"/nonexistent/haproxy", "install")
	w.want(ocf.ErrInstalled, w.r.With("binpath", w.dir).Run("validate-all", nil),
		"is not a program")
	w.want(ocf.ErrInstalled, w.r.With("conffile", "/nonexistent/haproxy.cfg").Run("validate-all",
		nil), "/nonexistent/haproxy.cfg")
	only := map[string]string{"OCF_CHECK_LEVEL": "0"} // the parameters
	w.want(ocf.Success, w.r.With("conffile", "/nonexistent/haproxy.cfg").Run("validate-all", only))
	w.want(ocf.ErrConfigured, w.r.With("extraconf", "-c").Run("validate-all", only), "extraconf")
	w.write("haproxy.cfg", w.config("bogus"))
	w.want(ocf.ErrInstalled, w.r.Run("validate-all", nil), "unknown keyword 'bogus'",
		w.path("haproxy.cfg"))
	require.NoDirExists(t, w.instance().Dir, "it leaves nothing")
}
