package haproxy

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
)

// How configurations that HAProxy takes are started, and what is said of those that it does not.

// TestEmptyDirectoryBesideTheFile: as /etc/haproxy/conf.d is at the installation of some
// distributions.
func TestEmptyDirectoryBesideTheFile(t *testing.T) {
	w := newKeptWorld(t)
	require.NoError(t, os.Mkdir(w.path("conf.d"), 0o755))
	w.r = w.r.With("extraconf", "-f "+w.path("conf.d")+"/")
	w.guarded()
	require.NoError(t, w.get())
	w.crashOnAnEdit()

	require.NoError(t, os.Remove(w.path("haproxy.cfg")))
	require.NoError(t, os.Mkdir(w.path("haproxy.cfg"), 0o755))
	w.want(ocf.Success, w.r.Stop())
	w.want(ocf.ErrInstalled, w.r.Start(), "there is no file *.cfg")
}

// crashOnAnEdit has HAProxy crash after an edit that it would refuse: it comes back from copies.
func (w *world) crashOnAnEdit() {
	w.t.Helper()
	crashes := len(w.state().Crashes)
	good, err := os.ReadFile(w.path("haproxy.cfg"))
	require.NoError(w.t, err)
	w.write("haproxy.cfg", string(good)+"\nbogus\n")
	w.family().Signal(syscall.SIGKILL)
	w.eventually("it is back", func() bool { return len(w.state().Crashes) > crashes })
	require.NoError(w.t, w.get())
	require.True(w.t, w.state().Crashes[crashes].Copies)
	w.write("haproxy.cfg", string(good))
}

// TestDirectoryOfConfigurations also with a slash behind it, as completion writes it: its files are
// copied.
func TestDirectoryOfConfigurations(t *testing.T) {
	w := newKeptWorld(t)
	require.NoError(t, os.Mkdir(w.path("conf.d"), 0o755))
	port := freePort(t)
	w.write("conf.d/site.cfg", fmt.Sprintf(
		"frontend site\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n", port))
	w.r = w.r.With("extraconf", "-f "+w.path("conf.d")+"/")
	w.guarded()
	w.crashOnAnEdit()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

// TestDefaultPath: a configuration whose directory counts has copies too.
func TestDefaultPath(t *testing.T) {
	w := newKeptWorld(t)
	w.write("down.http", "HTTP/1.0 503 Down\r\n\r\n")
	w.write("haproxy.cfg", strings.Replace(w.config("\terrorfile 503 down.http\n"), "global",
		"global\n\tdefault-path config", 1))
	w.guarded()
	w.crashOnAnEdit()
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	require.NoError(t, w.get())
}

// TestDirectoryOfExtraconf: files that are not absolute are in the directory of -C.
func TestDirectoryOfExtraconf(t *testing.T) {
	w := newKeptWorld(t)
	require.NoError(t, os.Mkdir(w.path("parts"), 0o755))
	port := freePort(t)
	w.write("parts/more.cfg", fmt.Sprintf(
		"frontend more\n\tbind 127.0.0.1:%d\n\tdefault_backend app\n", port))
	for _, extra := range []string{"-C " + w.path("parts") + " -f more.cfg",
		"-f . -C " + w.path("parts"), "-- " + strings.TrimPrefix(w.path("parts"), "/")} {
		w.r = w.r.With("extraconf", extra)
		w.guarded()
		sources, err := w.r1(extra).Sources()
		require.NoError(t, err)
		require.Equal(t, w.path("parts/more.cfg"), sources[1].File)
		w.crashOnAnEdit()
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		w.want(ocf.Success, w.r.Stop())
	}
}

// r1 returns the instance with this extraconf.
func (w *world) r1(extra string) *instance.Instance {
	in := w.instance()
	in.Conffile, in.Extraconf = w.path("haproxy.cfg"), strings.Fields(extra)
	return in
}

// TestNameThatDoesNotResolve: the resolver may come up after HAProxy.
func TestNameThatDoesNotResolve(t *testing.T) {
	w := newWorld(t)
	lost := w.config("\tserver lost nowhere.invalid:80\n")
	w.write("haproxy.cfg", lost)
	w.want(ocf.ErrGeneric, w.r.Start(), "could not resolve address 'nowhere.invalid'")
	w.want(ocf.ErrGeneric, w.r.Run("validate-all", nil), "nowhere.invalid")
	w.write("haproxy.cfg", lost+"\nbogus\n")
	w.want(ocf.ErrInstalled, w.r.Start(), "bogus")
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1", "bind nowhere.invalid", 1))
	w.want(ocf.ErrGeneric, w.r.Start(), "nowhere.invalid")
	w.write("haproxy.cfg", strings.Replace(w.config(""), "bind 127.0.0.1", "bind 127.0.0.300", 1))
	w.want(ocf.ErrInstalled, w.r.Start(), "127.0.0.300")
	w.write("haproxy.cfg", w.config(""))
	w.start()
}

// wrapped has HAProxy run by a script with the lines.
func (w *world) wrapped(lines string) {
	w.write("haproxy", "#!/bin/sh\n"+lines+"\nexec /usr/sbin/haproxy \"$@\"\n")
	w.r = w.r.With("binpath", w.path("haproxy"))
}

// TestConfigurationIsReadOnce where nothing runs that a faulty one could harm.
func TestConfigurationIsReadOnce(t *testing.T) {
	w := newWorld(t)
	w.wrapped("printf x >>" + w.path("read"))
	read := func() string {
		text, err := os.ReadFile(w.path("read"))
		require.NoError(t, err)
		require.NoError(t, os.Remove(w.path("read")))
		return string(text)
	}
	w.start()
	require.Equal(t, "x", read())
	w.want(ocf.Success, w.r.Stop())
	w.start()
	require.Equal(t, "x", read())
	w.r = w.r.With("extraconf", "-m 512")
	w.start()
	require.Equal(t, "xx", read(), "what takes the place of one that runs is checked")
}

// TestSlowConfiguration: the reason names the timeout that is too short.
func TestSlowConfiguration(t *testing.T) {
	w := newWorld(t)
	w.wrapped("[ ! -e " + w.path("slow") + " ] || sleep 30")
	w.write("slow", "")
	briefly := map[string]string{"OCF_RESKEY_CRM_meta_timeout": "2000"}
	w.want(ocf.ErrGeneric, w.r.Run("start", briefly), "had not loaded its configuration after 1.",
		"raise the timeout of the operation start, which is 2s (haproxy.start_timeout in hawser.yaml)")
	w.want(ocf.Success, w.r.Stop())
	require.NoError(t, os.Remove(w.path("slow")))
	w.start()
	w.write("slow", "")
	w.want(ocf.Success, w.r.Run("reload-agent", briefly))
	w.want(ocf.DegradedCode, w.r.Monitor(0), "had not read its configuration after",
		"the timeout of the operation reload-agent, which is 2s (haproxy.reload_timeout")
}

// TestVariablesOfTheConfiguration: an address that the configuration names by a variable of its own
// is not taken for all addresses, which another program has.
func TestVariablesOfTheConfiguration(t *testing.T) {
	w := newWorld(t)
	other, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", w.port))
	require.NoError(t, err)
	defer func() { _ = other.Close() }()
	w.write("haproxy.cfg", strings.Replace(strings.Replace(w.config(""), "bind 127.0.0.1:",
		"bind \"$ADDR\":", 1), "global", "global\n\tsetenv ADDR 127.0.0.1", 1))
	w.start()
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	w.want(ocf.Success, w.r.Monitor(0))
}

// TestLinesThatAreNotRead: an address of a line between .if and .endif is not one for sure.
func TestLinesThatAreNotRead(t *testing.T) {
	w := newWorld(t)
	port := freePort(t)
	w.write("foreign.cfg", fmt.Sprintf("frontend f\n mode http\n timeout client 1s\n "+
		"bind 127.0.0.1:%d\n", port))
	foreign := exec.Command("/usr/sbin/haproxy", "-db", "-f", w.path("foreign.cfg"))
	require.NoError(t, foreign.Start())
	t.Cleanup(func() { _ = foreign.Process.Kill(); _ = foreign.Wait() })
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 10*time.Second, time.Millisecond)
	w.write("haproxy.cfg", w.config(fmt.Sprintf(".if defined(SPARE)\nfrontend spare\n"+
		"\tbind 127.0.0.1:%d\n.endif\n", port)))
	w.start()
}

// TestPlacesOnTheStatsSockets: idle clients of the user's own socket do not lock the agent out,
// however few the user provides for.
func TestPlacesOnTheStatsSockets(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tstats maxconn 2", 1))
	w.start()
	for range 2 {
		conn, err := net.Dial("unix", w.path("admin.sock"))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = fmt.Fprintln(conn, "prompt")
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, err)
	}
	w.want(ocf.Success, w.r.Monitor(0))
	text, err := os.ReadFile(w.instance().LastFragment())
	require.NoError(t, err)
	require.Contains(t, string(text), "stats maxconn 12\n")
	// a reload follows what the configuration says
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tstats maxconn 5", 1))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	text, err = os.ReadFile(w.instance().LastFragment())
	require.NoError(t, err)
	require.Contains(t, string(text), "stats maxconn 15\n")
}

// TestLastFragmentThatIsMissing is written again before HAProxy is reloaded or brought back.
func TestLastFragmentThatIsMissing(t *testing.T) {
	w := newKeptWorld(t)
	w.guarded()
	last := w.instance().LastFragment()
	require.NoError(t, os.Remove(last))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	require.FileExists(t, last)
	require.NoError(t, os.Remove(last))
	w.family().Signal(syscall.SIGKILL)
	w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
	require.FileExists(t, last)
	w.want(ocf.Success, w.r.Stop())
	require.NoFileExists(t, last)
}

// TestHAProxyOfAnOlderAgent was started without the last fragment: it is taken for what it is.
func TestHAProxyOfAnOlderAgent(t *testing.T) {
	w := newWorld(t)
	in := w.r1("")
	require.NoError(t, os.MkdirAll(in.Dir, 0o700))
	require.NoError(t, in.WriteFragment(in.StatsSocket(), nil, nil))
	args := in.Args()
	require.Equal(t, []string{"-f", in.LastFragment()}, args[len(args)-2:])
	cmd := exec.Command("/usr/sbin/haproxy", args[:len(args)-2]...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	first := w.master().PID
	w.start()
	require.Equal(t, first, w.master().PID)
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	require.Equal(t, first, w.master().PID)
}

// TestDescriptorsThatAreJustEnough: the agent's own needs fit beside what people provide for.
func TestDescriptorsThatAreJustEnough(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global",
		"global\n\tmaxconn 4000\n\tulimit-n 8060", 1))
	w.start()
	text, err := os.ReadFile(w.instance().LastFragment())
	require.NoError(t, err)
	require.Contains(t, string(text), "stats maxconn 20\n")
}

// TestQuiet: a configuration that has HAProxy say nothing does not hide why it is refused.
func TestQuiet(t *testing.T) {
	w := newWorld(t)
	quiet := strings.Replace(w.config(""), "global", "global\n\tquiet", 1)
	w.write("haproxy.cfg", quiet+"\nbogus\n")
	w.want(ocf.ErrInstalled, w.r.Start(), "unknown keyword 'bogus'")
	w.write("haproxy.cfg", quiet)
	other, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
	require.NoError(t, err)
	w.want(ocf.ErrGeneric, w.r.Start(), "take out `quiet` to see why")
	require.NoError(t, other.Close())
	w.start()
	w.write("haproxy.cfg", quiet+"\nbogus\n")
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	w.want(ocf.DegradedCode, w.r.Monitor(0), "unknown keyword 'bogus'")
}

// TestPidfileOfTheConfiguration is written for those who read it.
func TestPidfileOfTheConfiguration(t *testing.T) {
	w := newKeptWorld(t)
	holds := func(path string) {
		t.Helper()
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintln(w.master().PID), string(text))
	}
	w.write("own.pid", "4711\n") // stale
	w.guarded()
	holds(w.path("own.pid"))
	w.family().Signal(syscall.SIGKILL)
	w.eventually("it is back", func() bool { return len(w.state().Crashes) == 1 })
	w.want(ocf.DegradedCode, w.r.Monitor(0)) // which waits until all is done
	holds(w.path("own.pid"))

	w.write("haproxy.cfg", strings.Replace(w.config(""), "own.pid", "other.pid", 1))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	holds(w.path("other.pid"))
	require.NoFileExists(t, w.path("own.pid"))
	w.want(ocf.Success, w.r.Stop())
	require.NoFileExists(t, w.path("other.pid"))

	// what is no file, or another's, stays
	require.NoError(t, os.Symlink("elsewhere", w.path("own.pid")))
	w.write("haproxy.cfg", w.config(""))
	w.want(ocf.Success, w.r.Start())
	log, err := os.ReadFile(w.path("log"))
	require.NoError(t, err)
	require.Contains(t, string(log), "own.pid is not written")
	require.NoError(t, os.Remove(w.path("own.pid")))
	w.write("own.pid", "4711\n")
	w.want(ocf.Success, w.r.Stop())
	require.FileExists(t, w.path("own.pid"))
}

// TestLogToStreams that HAProxy does not have.
func TestLogToStreams(t *testing.T) {
	w := newWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "log /dev/log local0",
		"log stdout format raw local0", 1))
	for _, action := range []string{"start", "validate-all"} {
		result := w.r.Run(action, nil)
		w.want(ocf.Success, result)
		require.Contains(t, result.Stderr, "log stdout ("+w.path("haproxy.cfg")+":2)")
	}
}

// TestReloadWithoutTheChroot: HAProxy would end of it.
func TestReloadWithoutTheChroot(t *testing.T) {
	w := newWorld(t)
	w.start()
	first := w.master().PID
	w.write("haproxy.cfg", strings.Replace(w.config(""), "chroot /var/lib/haproxy",
		"chroot "+w.path("none"), 1))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	w.want(ocf.DegradedCode, w.r.Monitor(0), "chroot "+w.path("none")+": there is no such directory")
	require.Equal(t, first, w.master().PID)
	require.NoError(t, w.get())
}

// TestFilesOfTheUnit: what systemd's HAProxy reads and the cluster's does not is named, as are
// commands of the unit.
func TestFilesOfTheUnit(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, os.Mkdir(w.path("conf.d"), 0o755))
	settings := systemd.Settings{Bounding: ^uint64(0),
		Env: []string{"CONFIG=" + w.path("haproxy.cfg"), "CFGDIR=" + w.path("conf.d"),
			"OPTIONS="},
		Commands: map[string][]systemd.Command{
			"ExecStartPre": {{Path: "/usr/sbin/haproxy", Args: strings.Fields(
				"/usr/sbin/haproxy -f $CONFIG -f $CFGDIR -c -q $OPTIONS")}},
			"ExecStart": {{Path: "/usr/sbin/haproxy", Args: strings.Fields(
				"/usr/sbin/haproxy -Ws -f $CONFIG -f $CFGDIR -p $PIDFILE $OPTIONS")}},
			"ExecReload": {{Path: "/bin/kill", Args: strings.Fields("/bin/kill -USR2 $MAINPID")}},
		}}
	w.tune = func(a *agent) {
		a.Systemd.Booted = func() bool { return true }
		a.Systemd.Settings = func(context.Context, string) (systemd.Settings, bool, error) {
			return settings, true, nil
		}
	}
	says := func() string {
		result := w.r.Run("validate-all", nil)
		w.want(ocf.Success, result)
		return result.Stderr
	}
	require.Empty(t, says(), "an empty directory")
	w.write("conf.d/site.cfg", "frontend site\n")
	require.Contains(t, says(), fmt.Sprintf("haproxy.service has HAProxy read %s too, and the "+
		"cluster's does not: set extraconf=\"-f %[1]s\"", w.path("conf.d")))
	w.r = w.r.With("extraconf", "-f "+w.path("conf.d"))
	require.Empty(t, says())

	settings.Commands["ExecReload"] = append(settings.Commands["ExecReload"],
		systemd.Command{Path: "/usr/local/bin/save-state", Args: []string{"save-state", "-x"}})
	require.Contains(t, says(), "haproxy.service has commands that are not run under the cluster: "+
		"ExecReload=/usr/local/bin/save-state -x")
	require.NotContains(t, says(), "ExecStartPre")

	// another resource's configuration has nothing to do with the unit
	settings.Commands["ExecReload"] = nil
	w.write("other.cfg", w.config(""))
	w.r = w.r.With("conffile", w.path("other.cfg")).With("extraconf", "")
	require.Empty(t, says())
	require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "conf.d")))
}

// TestOwnerOfSockets: where the unit has a user, the configuration's sockets are his, as they would
// be under systemd, unless it says otherwise.
func TestOwnerOfSockets(t *testing.T) {
	w := newWorld(t)
	account, err := user.Lookup("haproxy")
	require.NoError(t, err)
	w.tune = func(a *agent) {
		a.Systemd.Booted = func() bool { return true }
		a.Systemd.Settings = func(context.Context, string) (systemd.Settings, bool, error) {
			s := systemd.Unchanged()
			s.User = "haproxy"
			return *s, true, nil
		}
	}
	config := func(more string) string {
		return strings.Replace(w.config("frontend u\n\tbind "+w.path("u.sock")+
			"\n\tdefault_backend app\n"), "global", "global\n\tstats socket "+
			w.path("roots.sock")+" user root group root level admin\n"+more, 1)
	}
	owns := func(name, uid, gid string) {
		t.Helper()
		info, err := os.Lstat(w.path(name))
		require.NoError(t, err)
		stat := info.Sys().(*syscall.Stat_t)
		require.Equal(t, []string{uid, gid}, []string{fmt.Sprint(stat.Uid), fmt.Sprint(stat.Gid)},
			name)
	}
	w.write("haproxy.cfg", config(""))
	w.start()
	owns("admin.sock", account.Uid, account.Gid)
	owns("u.sock", account.Uid, account.Gid)
	owns("roots.sock", "0", "0")
	w.write("haproxy.cfg", config("\tstats socket "+w.path("more.sock")+" mode 660\n"))
	w.want(ocf.Success, w.r.Run("reload-agent", nil))
	owns("more.sock", account.Uid, account.Gid)
	own, err := os.Lstat(w.instance().StatsSocket())
	require.NoError(t, err)
	require.Zero(t, own.Sys().(*syscall.Stat_t).Uid)
}
