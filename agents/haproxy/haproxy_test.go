package haproxy

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/keeper"
	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/ocf/ocftest"
)

// noSystemd is a machine without it, whatever runs this one.
var noSystemd = instance.Systemd{
	Find: func(_ context.Context, name string) (systemd.Unit, error) {
		return systemd.Unit{Name: name}, nil
	},
	Settings: func(context.Context, string) (systemd.Settings, bool, error) {
		return systemd.Settings{}, false, systemd.ErrAbsent
	},
	Booted: func() bool { return false },
}

// standIns are the addresses that the tests' metadata service says, which a real node would not
// have: its interfaces' addresses without those of the loopback network.
func standIns() ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}, nil
}

// keepZombies makes this process the kind of parent that takes no note of its children's end.
var keepZombies atomic.Bool

// TestMain makes this process the parent of every HAProxy that goes into the background, and a good
// one: in a container, process 1 may leave zombies for long.
func TestMain(m *testing.M) {
	if instance.IsKeeper(os.Args) { // this binary is its own keeper, too
		os.Exit(keeper.Run(context.Background(), func() keeper.Agent {
			a := newAgent("1.2.3")
			a.Systemd = noSystemd
			if dir := os.Getenv(toolsVariable); dir != "" {
				a.Tools = fakeTools(dir)
			}
			a.KeepTime, _ = time.ParseDuration(os.Getenv(keepVariable))
			return a
		}))
	}
	if unit.IsLauncher(os.Args) { // and its own launcher
		os.Exit(unit.BecomeHAProxy())
	}
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	session, _ := unix.Getsid(0)
	go func() {
		for range time.Tick(5 * time.Millisecond) {
			if !keepZombies.Load() {
				reap(session)
			}
		}
	}()
	os.Exit(m.Run())
}

// reap collects zombies among the children that have a session of their own: the others belong to
// os/exec.
func reap(session int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	for word := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(word)
		v, err := procfs.Default.Stat(pid)
		comm, _ := os.ReadFile("/proc/" + word + "/comm")
		if err == nil && v.Dead() && v.Session != session &&
			(strings.HasPrefix(string(comm), "haproxy") || strings.HasPrefix(string(comm),
				"hawser-")) {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// world is a HAProxy resource on this machine, with a backend.
type world struct {
	t    *testing.T
	r    *ocftest.Resource
	dir  string // the test's own
	port int
	// app is the backend.
	app *httptest.Server
	// tune changes each agent that is made.
	tune func(*agent)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	needs.Root(t)
	needs.Command(t, "haproxy")
	dir, err := os.MkdirTemp("", "hx") //nolint:usetesting // its path can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	w := &world{t: t, dir: dir, port: freePort(t), tune: func(*agent) {}}
	w.app = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sick" {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		if r.URL.Path == "/slow" {
			select {
			case <-time.After(time.Minute):
			case <-r.Context().Done():
			}
		}
		fmt.Fprint(rw, "hello")
	}))
	t.Cleanup(func() { w.app.CloseClientConnections(); w.app.Close() })
	w.write("haproxy.cfg", w.config(""))
	w.r = ocftest.New(t, w.agent, map[string]string{"conffile": w.path("haproxy.cfg"),
		"stop_grace": "1s", "keeper": "false"})
	w.r.Env["HAWSER_RUNDIR"] = w.path("run")
	t.Cleanup(func() {
		keepZombies.Store(false)
		if fam := w.family(); !fam.Empty() {
			fam.Signal(syscall.SIGCONT)
			w.want(ocf.Success, w.r.Stop())
		}
	})
	return w
}

func (w *world) agent() *ocf.Agent {
	a := newAgent("1.2.3")
	a.Systemd = noSystemd
	a.Tools = fakeTools(w.dir)
	a.Addresses = standIns
	w.tune(a)
	return a.Declare()
}

// config returns what Debian ships, more or less, with the test's own paths and addresses.
func (w *world) config(more string) string {
	return fmt.Sprintf(`global
	log /dev/log local0
	chroot /var/lib/haproxy
	stats socket %s mode 660 level admin
	user haproxy
	group haproxy
	daemon
	pidfile %s
defaults
	mode http
	timeout connect 5s
	timeout client 50s
	timeout server 50s
frontend web
	bind 127.0.0.1:%d
	default_backend app
backend app
	server app-1 %s
%s
`, w.path("admin.sock"), w.path("own.pid"), w.port, w.app.Listener.Addr(), more)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	require.NoError(w.t, os.WriteFile(w.path(name), []byte(text), 0o700))
}

func (w *world) instance() *instance.Instance {
	a := newAgent("")
	a.Binpath = "/usr/sbin/haproxy"
	return a.Instance(filepath.Join(w.r.RunDir(), w.r.Instance))
}

func (w *world) family() instance.Family {
	fam, err := w.instance().Find()
	require.NoError(w.t, err)
	return fam
}

// master returns the only master.
func (w *world) master() instance.Member {
	w.t.Helper()
	fam := w.family()
	require.Len(w.t, fam.Masters, 1, "%s", fam)
	return fam.Masters[0]
}

// worker returns the only worker. The one from before a reload may need a moment to end.
func (w *world) worker() instance.Member {
	w.t.Helper()
	fam := w.family()
	for until := time.Now().Add(10 * time.Second); len(fam.Others) > 1 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
		fam = w.family()
	}
	require.Len(w.t, fam.Others, 1, "%s", fam)
	return fam.Others[0]
}

func (w *world) want(code ocf.Code, result ocftest.Result, contains ...string) {
	w.t.Helper()
	require.Equal(w.t, code, result.Code, result.Stderr)
	for _, text := range contains {
		require.Contains(w.t, result.Reason, text)
	}
}

// start starts, and makes sure that HAProxy serves.
func (w *world) start() {
	w.t.Helper()
	w.want(ocf.Success, w.r.Start())
	require.NoError(w.t, w.get())
}

// get asks through HAProxy, with a connection of its own.
func (w *world) get() error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		fmt.Sprintf("http://127.0.0.1:%d/", w.port), http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(body) != "hello") {
		err = fmt.Errorf("%s %q", response.Status, body)
	}
	return err
}

// gone waits until a process is.
func (w *world) gone(pid int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		_, err := procfs.Default.Stat(pid)
		return err != nil
	}, 10*time.Second, 5*time.Millisecond)
}

func (w *world) kill(pid int, signal syscall.Signal) {
	w.t.Helper()
	require.NoError(w.t, syscall.Kill(pid, signal))
	if signal == syscall.SIGSTOP {
		require.Eventually(w.t, func() bool {
			v, err := procfs.Default.Stat(pid)
			return err == nil && v.Stopped()
		}, 10*time.Second, time.Millisecond)
	}
}

func (w *world) runtime() client.Runtime { return client.Runtime{Path: w.instance().StatsSocket()} }

// freePort returns a port of 127.0.0.1 on which nobody listens, outside of the range from which the
// kernel gives ports to clients.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(20000)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}
