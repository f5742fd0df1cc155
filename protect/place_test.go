package protect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
)

func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 2 && os.Args[1] == asRun:
		os.Exit(runAsProcess(os.Args[2]))
	case len(os.Args) > 1 && os.Args[1] == asGuard:
		if err := Guard(os.Args[2:]); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	case os.Getenv(inNamespace) == "" && os.Geteuid() == 0:
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		_ = cmd.Run()
		os.Exit(cmd.ProcessState.ExitCode())
	}
	os.Exit(m.Run())
}

// spec is what the process gets of Options.
type spec struct {
	Match
	MaxHold time.Duration
	Method  Method
	Start   bool
	Command []string
	Dir     string
	Unowned bool // as on a kernel whose tables have no owner
}

func runAsProcess(text string) int {
	var s spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return ExitOwn
	}
	o := Options{Match: s.Match, MaxHold: s.MaxHold, Method: s.Method, Start: s.Start,
		Command: s.Command, Dir: s.Dir}
	if s.Unowned {
		o.try = []variant{{}, {xtables: true}}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, ForwardedSignals()...)
	o.Signals = signals
	o.Stdin, o.Stdout, o.Stderr = os.Stdin, os.Stdout, os.Stderr
	o.Say = func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	o.Guard = []string{os.Args[0], asGuard}
	code, err := Run(context.Background(), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return ExitOwn
	}
	return code
}

// place is a network namespace with its files.
type place struct{ dir string }

func newPlace(t testing.TB) place {
	t.Helper()
	needs.Root(t)
	out, err := exec.Command(needs.Command(t, "ip"), "link", "set", "lo", "up").CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { requireNothingLeft(t) })
	return place{t.TempDir()}
}

// requireNothingLeft demands that no rule and no queue of ours is in the kernel, a moment after the
// last process has ended.
func requireNothingLeft(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool {
		queues, err := os.ReadFile("/proc/net/netfilter/nfnetlink_queue")
		return err == nil && len(queues) == 0 && !tablesThere(t)
	}, 5*time.Second, 5*time.Millisecond, "rules or queues are left")
}

func tablesThere(t testing.TB) bool {
	t.Helper()
	s, err := openSocket(unix.NETLINK_NETFILTER)
	require.NoError(t, err)
	defer s.close()
	for _, family := range families() {
		err := s.ask(nft("look for the table", unix.NFT_MSG_GETTABLE, 0, family,
			text(unix.NFTA_TABLE_NAME, tableName)))
		if err == nil {
			return true
		}
		require.ErrorIs(t, err, unix.ENOENT)
	}
	return false
}

type process struct {
	*exec.Cmd
	stderr *bytes.Buffer
}

func (p place) command(t testing.TB, o Options, command ...string) *process {
	t.Helper()
	return p.commandOf(t, spec{Match: o.Match, MaxHold: o.MaxHold, Method: o.Method,
		Start: o.Start}, command...)
}

func (p place) commandOf(t testing.TB, s spec, command ...string) *process {
	t.Helper()
	s.Command, s.Dir = command, p.dir
	if s.MaxHold == 0 {
		s.MaxHold = noRetransmission()
	}
	if s.Method == "" {
		s.Method = NFQueue
	}
	text, err := json.Marshal(s)
	require.NoError(t, err)
	proc := &process{exec.Command("/proc/self/exe", asRun, string(text)), &bytes.Buffer{}}
	proc.Stderr = proc.stderr
	// a second otherwise, at the end of each process
	proc.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	proc.WaitDelay = 10 * time.Second
	t.Cleanup(func() { // where a test has failed
		if proc.Process != nil && proc.ProcessState == nil {
			_ = proc.Process.Kill()
			_ = proc.Wait()
		}
	})
	return proc
}

// run runs protect to its end and returns the exit code and what it said.
func (p place) run(t testing.TB, o Options, command ...string) (code int, said string) {
	t.Helper()
	proc := p.command(t, o, command...)
	_ = proc.Run()
	return proc.ProcessState.ExitCode(), proc.stderr.String()
}

const haproxyConfig = `global
	maxconn 2000
	stats socket %[1]s/stats.sock mode 600
defaults
	mode http
	timeout connect 5s
	timeout client 30s
	timeout server 5s
frontend f
	bind :::%[2]d v4v6
	http-request return status 200 content-type text/plain string ok
`

// haproxy starts a HAProxy on a port of both families, and returns the command that reloads it in
// the oldest way.
func (p place) haproxy(t testing.TB, port uint16) (reload []string) {
	t.Helper()
	binary := needs.Command(t, "haproxy")
	config, pidfile := filepath.Join(p.dir, "haproxy.cfg"), filepath.Join(p.dir, "haproxy.pid")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, haproxyConfig, p.dir, port), 0o600))
	out, err := exec.Command(binary, "-D", "-f", config, "-p", pidfile).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { stopDaemon(t, pidfile) })
	return []string{"sh", "-c", fmt.Sprintf("exec %s -D -f %s -p %s -sf $(cat %[3]s)", binary,
		config, pidfile)}
}

func stopDaemon(t testing.TB, pidfile string) {
	t.Helper()
	text, err := os.ReadFile(pidfile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	_ = syscall.Kill(pid, syscall.SIGKILL)
	require.Eventually(t, func() bool {
		return startTime(pid) == ""
	}, 5*time.Second, time.Millisecond)
}

func startLoad(t testing.TB, url string) *load.Running {
	t.Helper()
	// As many at once as a machine with nothing else to do never needs, so that one that is busy is
	// not asked for more than it can do.
	plan := load.Plan{URL: url, Every: time.Millisecond, Clients: 32, Timeout: 5 * time.Second}
	if emulated() {
		plan.Every, plan.Timeout = 20*time.Millisecond, 20*time.Second
	}
	r, err := load.Start(t.Context(), plan)
	require.NoError(t, err)
	<-r.First()
	return r
}

// retransmissions is how many SYNs, and answers to SYNs, the kernel has sent again in this network
// namespace: a packet that was lost, or held for longer than a second. It tells on a busy machine
// too, where many a client waits for a second and longer to be served.
func retransmissions(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	require.NoError(t, err)
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if fields[0] != "TcpExt:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		n, err := strconv.Atoi(fields[slices.Index(names, "TCPSynRetrans")])
		require.NoError(t, err)
		return n
	}
	t.Fatal("/proc/net/netstat does not count TCPSynRetrans")
	return 0
}

// oneRetransmission is a second, when a client's first retransmission comes, and what a loaded
// machine may add. What must not cost a retransmission takes less than noRetransmission.
func oneRetransmission() time.Duration { return noRetransmission() + 500*time.Millisecond }

func noRetransmission() time.Duration {
	if emulated() {
		return 20 * time.Second // such a machine holds everybody up
	}
	return time.Second
}

// emulated tells that guest.sh runs these tests, on a machine that is twenty times slower.
func emulated() bool { return os.Getenv("HAWSER_EMULATED") != "" }
