package protect

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
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

// What this test binary is when it is run with one of these as its first argument.
const (
	asRun   = "protect-run"
	asGuard = "protect-guard"
	// inNamespace marks the process that runs the tests: it has a network of its own.
	inNamespace = "HAWSER_PROTECT_TEST"
)

// TestReloads reloads HAProxy with -sf and nothing else, the way that loses connections, over and over under load from both families.
func TestReloads(t *testing.T) {
	p := newPlace(t)
	reload := p.haproxy(t, 8080)
	loads := []*load.Running{startLoad(t, "http://127.0.0.1:8080/"), startLoad(t, "http://[::1]:8080/")}
	reloads := 40
	if emulated() {
		reloads = 10
	}
	for range reloads {
		code, said := p.run(t, Options{Match: Match{Ports: []uint16{8080}}}, reload...)
		require.Zero(t, code, said)
		require.Empty(t, said)
	}
	for _, l := range loads {
		report := l.Stop()
		require.Zero(t, report.Failed, "%v", report)
		require.Less(t, report.Max, noRetransmission(), "a request waited for a retransmission: %v", report)
	}
}

// TestRestart replaces another daemon, which listens no more before its successor does: nobody is refused.
func TestRestart(t *testing.T) {
	p := newPlace(t)
	nginx := needs.Command(t, "nginx")
	config := filepath.Join(p.dir, "nginx.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `
worker_processes 1;
error_log %[1]s/error.log;
pid %[1]s/nginx.pid;
events {}
http {
	access_log off;
	server { listen 8081; listen [::]:8081; location / { return 200 ok; } }
}
`, p.dir), 0o600))
	begin := []string{nginx, "-c", config}
	out, err := exec.Command(begin[0], begin[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Cleanup(func() { stopDaemon(t, filepath.Join(p.dir, "nginx.pid")) })
	l := startLoad(t, "http://127.0.0.1:8081/")
	restart := fmt.Sprintf("%[1]s -c %[2]s -s quit && while test -e %[3]s/nginx.pid; do :; done; exec %[1]s -c %[2]s", nginx, config, p.dir)
	for range 5 {
		code, said := p.run(t, Options{Match: Match{Ports: []uint16{8081}}, MaxHold: 10 * time.Second}, "sh", "-c", restart)
		require.Zero(t, code, said)
	}
	report := l.Stop()
	require.Zero(t, report.Failed, "%v", report)
}

// TestStart starts a daemon that nobody could reach before.
func TestStart(t *testing.T) {
	p := newPlace(t)
	reload := p.haproxy(t, 8082)
	stopDaemon(t, filepath.Join(p.dir, "haproxy.pid"))
	require.Eventually(t, func() bool { // its other threads may still hold the sockets
		now, err := look(Match{Ports: []uint16{8082}})
		return err == nil && len(now.listeners) == 0
	}, 5*time.Second, time.Millisecond)

	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8082}}}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, "nobody listens on port 8082")

	proc := p.command(t, Options{Match: Match{Ports: []uint16{8082}}, Start: true, MaxHold: 10 * time.Second},
		"sh", "-c", "sleep 0.3; "+strings.Join(reload[2:], " "))
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8082/", Requests: 1, Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.NoError(t, proc.Wait(), proc.stderr)
}

// requireHolding waits until connections are held.
func requireHolding(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool { return tablesThere(t) }, 5*time.Second, time.Millisecond)
}

// TestKilled kills the process at every moment of its life, under load. Its guard releases what it held: nobody waits as long as for a
// retransmission.
func TestKilled(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8083)
	v4, v6 := startLoad(t, "http://127.0.0.1:8083/"), startLoad(t, "http://[::1]:8083/")
	const rounds = 60
	for i := range rounds {
		proc := p.command(t, Options{Match: Match{Ports: []uint16{8083}}, MaxHold: 10 * time.Second}, "sleep", "0.2")
		require.NoError(t, proc.Start())
		time.Sleep(time.Duration(i)*3*time.Millisecond + time.Duration(rand.IntN(3000))*time.Microsecond) // the moment is the test
		require.NoError(t, proc.Process.Kill())
		_ = proc.Wait()
	}
	for _, l := range []*load.Running{v4, v6} {
		report := l.Stop()
		require.Zero(t, report.Failed, "%v", report)
		require.Less(t, report.Max, noRetransmission(), "%v", report)
	}
}

// TestKilledWithGuard kills both processes at once: the kernel takes rules and queue away, and a client's next SYN passes.
func TestKilledWithGuard(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8084)
	for range 5 {
		l := startLoad(t, "http://127.0.0.1:8084/")
		proc := p.command(t, Options{Match: Match{Ports: []uint16{8084}}, MaxHold: 30 * time.Second}, "sleep", "0.2")
		require.NoError(t, proc.Start())
		requireHolding(t)
		killWithGuard(t, proc)
		requireNothingLeft(t)
		report := l.Stop() // before the next: a SYN that comes again must not be lost again
		require.Zero(t, report.Failed, "%v", report)
		require.Less(t, report.Max, oneRetransmission(), "%v", report)
	}
}

func killWithGuard(t testing.TB, proc *process) {
	t.Helper()
	guard := guardOf(t, proc.Process.Pid)
	require.NoError(t, syscall.Kill(proc.Process.Pid, syscall.SIGSTOP)) // so that it cannot see the guard's end
	require.NoError(t, syscall.Kill(guard, syscall.SIGKILL))
	require.NoError(t, proc.Process.Kill())
	_ = proc.Wait()
}

func guardOf(t testing.TB, pid int) int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/comm")
	require.NoError(t, err)
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || string(comm) != "hawser-guard\n" {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(name), "stat"))
		if err == nil && strings.Contains(string(stat), fmt.Sprintf(") S %d ", pid)) {
			guard, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			require.NoError(t, err)
			return guard
		}
	}
	t.Fatalf("process %d has no guard", pid)
	return 0
}

// TestStopped stops the process in the middle (SIGSTOP): its guard keeps --max-hold.
func TestStopped(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8085)
	l := startLoad(t, "http://127.0.0.1:8085/")
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8085}}, MaxHold: 400 * time.Millisecond}, "sleep", "0.1")
	require.NoError(t, proc.Start())
	requireHolding(t)
	require.NoError(t, proc.Process.Signal(syscall.SIGSTOP))
	var before int
	require.Eventually(t, func() bool { // nobody is answered …
		now := l.Progress().OK
		held := now == before
		before = now
		return held
	}, 5*time.Second, 20*time.Millisecond)
	require.Eventually(t, func() bool { return l.Progress().OK > before+10 }, 5*time.Second, time.Millisecond) // … and then they are
	require.NoError(t, proc.Process.Signal(syscall.SIGCONT))
	require.NoError(t, proc.Wait(), proc.stderr)
	report := l.Stop()
	require.Zero(t, report.Failed, "%v", report)
	require.Less(t, report.Max, oneRetransmission(), "%v", report)
}

// TestLeftOvers: on a kernel whose tables have no owner the rules of a run that was killed with its guard stay. They let packets pass,
// and the next run removes them.
func TestLeftOvers(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8086)
	proc := p.commandOf(t, spec{Match: Match{Ports: []uint16{8086}}, MaxHold: 30 * time.Second, Unowned: true}, "sleep", "0.2")
	require.NoError(t, proc.Start())
	requireHolding(t)
	killWithGuard(t, proc)
	require.True(t, tablesThere(t), "the rules should have stayed")
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8086/", Requests: 50, Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.Less(t, report.Max, noRetransmission(), "%v", report)

	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8086}}}, "true")
	require.Zero(t, code, said)
	require.Contains(t, said, "removed the rules that a killed run had left")
	require.False(t, tablesThere(t))

	// Killed alone, its guard clears up there too.
	proc = p.commandOf(t, spec{Match: Match{Ports: []uint16{8086}}, MaxHold: 30 * time.Second, Unowned: true}, "sleep", "0.2")
	require.NoError(t, proc.Start())
	requireHolding(t)
	require.NoError(t, proc.Process.Kill())
	_ = proc.Wait()
}

// TestTwoAtOnce refuses the second, names the first, and lets one begin as soon as a killed one's guard has cleared up.
func TestTwoAtOnce(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8087)
	first := p.command(t, Options{Match: Match{Ports: []uint16{8087}}, MaxHold: 10 * time.Second}, "sleep", "60")
	require.NoError(t, first.Start())
	requireHolding(t)
	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8087}}}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, fmt.Sprintf("another hawser protect holds connections already: process %d, which runs sleep 60", first.Process.Pid))

	killTree(t, first)
	code, said = p.run(t, Options{Match: Match{Ports: []uint16{8087}}}, "true")
	require.Zero(t, code, said)
}

// killTree kills a run's COMMAND, which has been started by now, and the run.
func killTree(t testing.TB, proc *process) {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/task/%[1]d/children", proc.Process.Pid)
	var children []string
	require.Eventually(t, func() bool {
		all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", proc.Process.Pid))
		children = nil
		for _, path := range all {
			text, _ := os.ReadFile(path)
			children = append(children, strings.Fields(string(text))...)
		}
		return len(children) == 2
	}, 5*time.Second, time.Millisecond, "%s", path)
	require.NoError(t, proc.Process.Kill())
	for _, child := range children {
		comm, _ := os.ReadFile("/proc/" + child + "/comm")
		if string(comm) != "hawser-guard\n" {
			pid, err := strconv.Atoi(child)
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	_ = proc.Wait()
}

// TestMaxHold releases the connections although COMMAND goes on.
func TestMaxHold(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8088)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8088}}, MaxHold: 200 * time.Millisecond}, "sh", "-c", "read line; exit 5")
	command, err := proc.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8088/", Requests: 1, Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.Greater(t, report.Max, 50*time.Millisecond, "it was not held")
	report, err = load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8088/", Requests: 100, Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "held again: %v", report)
	require.NoError(t, command.Close())
	_ = proc.Wait()
	require.Equal(t, 5, proc.ProcessState.ExitCode())
	require.Contains(t, proc.stderr.String(), "released after 200ms (--max-hold): sh has not ended, and goes on")
}

func TestExitCodes(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8089)
	for _, c := range []struct {
		command string
		code    int
	}{
		{"exit 0", 0}, {"exit 3", 3}, {"exit 127", 127}, {"kill -9 $$", 137}, {"kill -TERM $$", 143},
	} {
		code, said := p.run(t, Options{Match: Match{Ports: []uint16{8089}}}, "sh", "-c", c.command)
		require.Equal(t, c.code, code, "%s: %s", c.command, said)
		require.Empty(t, said)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))
	for name, code := range map[string]int{"no-such-command": ExitNotFound, dir + "/none": ExitNotFound, plain: ExitCannotRun, dir: ExitCannotRun} {
		_, err := find(name)
		var refused *CommandError
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, code, refused.Code, "%v", err)
	}
	// A file that the kernel does not take for a program is found out only when it is run: with nothing left.
	needs.Root(t)
	p := newPlace(t)
	p.haproxy(t, 8090)
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte{1, 2, 3}, 0o700))
	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8090}}}, garbage)
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, "garbage: it cannot be run")
}

// TestSignal hands a signal on, releases at once, and returns COMMAND's own exit code.
func TestSignal(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8091)
	ready := filepath.Join(p.dir, "ready")
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8091}}, MaxHold: 30 * time.Second}, "sh", "-c",
		"trap 'exit 7' TERM; touch "+ready+"; while :; do sleep 0.01; done")
	require.NoError(t, proc.Start())
	require.Eventually(t, func() bool { _, err := os.Stat(ready); return err == nil }, 5*time.Second, time.Millisecond)
	require.NoError(t, proc.Process.Signal(syscall.SIGTERM))
	_ = proc.Wait()
	require.Equal(t, 7, proc.ProcessState.ExitCode(), proc.stderr)
}

// TestOrder dials in turn while the connections are held, and sees them accepted in that order. A connection that was there before
// goes on all the time.
func TestOrder(t *testing.T) {
	newPlace(t)
	l, err := net.Listen("tcp", ":8092")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	before, err := net.Dial("tcp", "127.0.0.1:8092")
	require.NoError(t, err)
	defer func() { _ = before.Close() }()
	elder, err := l.Accept()
	require.NoError(t, err)
	defer func() { _ = elder.Close() }()

	q, err := openQueue(Match{Ports: []uint16{8092}}, nil)
	require.NoError(t, err)
	defer q.close()
	require.NoError(t, q.hold())
	var want []string
	for i := range 20 {
		host := []string{"127.0.0.1", "[::1]"}[i%2]
		from := net.TCPAddr{Port: 21000 + i}
		go func() {
			c, err := (&net.Dialer{LocalAddr: &from}).Dial("tcp", host+":8092")
			if err == nil {
				defer func() { _ = c.Close() }()
				_, _ = c.Read(make([]byte, 1))
			}
		}()
		require.Eventually(t, func() bool { return q.held() == i+1 }, 5*time.Second, time.Millisecond)
		want = append(want, strconv.Itoa(from.Port))
	}
	_, err = before.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, elder.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = elder.Read(make([]byte, 1))
	require.NoError(t, err, "a connection that was there before must go on")

	require.NoError(t, q.release())
	require.NoError(t, q.release(), "a second time is fine")
	require.NoError(t, q.remove())
	require.NoError(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(5*time.Second)))
	var got []string
	for range want {
		c, err := l.Accept()
		require.NoError(t, err)
		defer func() { _ = c.Close() }()
		_, port, _ := net.SplitHostPort(c.RemoteAddr().String())
		got = append(got, port)
	}
	require.Equal(t, want, got)
}

// TestShortBacklog holds more connections than the daemon's accept queue has places: they are released as they are accepted, and
// none is lost.
func TestShortBacklog(t *testing.T) {
	p := newPlace(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	require.NoError(t, err)
	require.NoError(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Port: 8101}))
	require.NoError(t, unix.Listen(fd, 100))
	file := os.NewFile(uintptr(fd), "listener")
	l, err := net.FileListener(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	defer func() { _ = l.Close() }()
	// net sets the backlog anew.
	raw, err := l.(*net.TCPListener).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { _ = unix.Listen(int(fd), 100) }))
	// A slow daemon: it takes what is there every 5 ms.
	go func() {
		for {
			for range 40 {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	end := filepath.Join(p.dir, "end")
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8101}}, MaxHold: 20 * time.Second}, "sh", "-c", "while ! test -e "+end+"; do sleep 0.01; done")
	require.NoError(t, proc.Start())
	requireHolding(t)
	const clients = 600
	ends := make(chan error, clients)
	for range clients {
		go func() {
			c, err := net.DialTimeout("tcp", "127.0.0.1:8101", 15*time.Second)
			if err == nil {
				_ = c.Close()
			}
			ends <- err
		}()
	}
	require.Eventually(t, func() bool {
		queues, err := os.ReadFile("/proc/net/netfilter/nfnetlink_queue")
		fields := strings.Fields(string(queues))
		return err == nil && len(fields) > 2 && fields[2] == strconv.Itoa(clients)
	}, 10*time.Second, time.Millisecond)
	before := listenDrops(t)
	require.NoError(t, os.WriteFile(end, nil, 0o600))
	require.NoError(t, proc.Wait(), proc.stderr)
	for range clients {
		require.NoError(t, <-ends)
	}
	require.Equal(t, before, listenDrops(t), "SYNs were dropped by a full accept queue")
}

// listenDrops is how many connections the kernel has dropped at listening sockets (TcpExt ListenDrops).
func listenDrops(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	names, values := strings.Fields(lines[0]), strings.Fields(lines[1])
	for i, name := range names {
		if name == "ListenDrops" {
			return values[i]
		}
	}
	t.Fatal("the kernel does not tell")
	return ""
}

// TestBothRelease: the guard may come to release when the first process does. Neither takes the kernel's answer from the other.
func TestBothRelease(t *testing.T) {
	newPlace(t)
	q, err := openQueue(Match{Ports: []uint16{8092}}, nil)
	require.NoError(t, err)
	defer q.close()
	guards := *q
	guards.socket = inheritedSocket(q.socket.fd)
	guards.socket.deaf = true
	for range 500 {
		done := make(chan error)
		go func() { done <- guards.release() }()
		require.NoError(t, q.release())
		require.NoError(t, <-done)
	}
}

// TestFull: beyond the queue's length connections pass, as if nothing were protected.
func TestFull(t *testing.T) {
	newPlace(t)
	l, err := net.Listen("tcp", "127.0.0.1:8093")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	q, err := openQueue(Match{Ports: []uint16{8093}, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}, nil)
	require.NoError(t, err)
	defer q.close()
	require.NoError(t, q.socket.ask(q.config("shorten the queue", number(nfqaCfgQueueMaxlen, 2))))
	require.NoError(t, q.hold())
	dial := func(done chan<- error) {
		c, err := net.DialTimeout("tcp", "127.0.0.1:8093", 5*time.Second)
		if err == nil {
			_ = c.Close()
		}
		done <- err
	}
	held := make(chan error, 2)
	for i := range 2 {
		go dial(held)
		require.Eventually(t, func() bool { return q.held() == i+1 }, 5*time.Second, time.Millisecond)
	}
	passes := make(chan error, 1)
	go dial(passes)
	require.NoError(t, <-passes)
	require.Empty(t, held)
	require.NoError(t, q.release())
	require.NoError(t, <-held)
	require.NoError(t, <-held)
	require.NoError(t, q.remove())
}

// TestOtherAddresses: what is not to be held is not.
func TestOtherAddresses(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8094)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8094}, Addresses: []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.2")}},
		MaxHold: 10 * time.Second}, "sleep", "60")
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8094/", Requests: 100, Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	for _, host := range []string{"127.0.0.2", "[::1]"} {
		report, err := load.Run(t.Context(), load.Plan{URL: "http://" + host + ":8094/", Requests: 1, Timeout: 100 * time.Millisecond})
		require.NoError(t, err)
		require.Equal(t, 1, report.Failures[load.ConnectTimeout], "%s: %v", host, report)
	}
	killTree(t, proc)
}

// TestNeedless says when nothing need be held, and does it all the same.
func TestNeedless(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8095)
	o := Options{Match: Match{Ports: []uint16{8095}}}
	_, said := p.run(t, o, "true")
	require.NotContains(t, said, "not needed")

	setting := "/proc/sys/net/ipv4/tcp_migrate_req"
	require.NoError(t, os.WriteFile(setting, []byte("1"), 0o600))
	_, said = p.run(t, o, "true")
	require.NoError(t, os.WriteFile(setting, []byte("0"), 0o600))
	require.Contains(t, said, "not needed here, and is done all the same: net.ipv4.tcp_migrate_req=1")

	stopDaemon(t, filepath.Join(p.dir, "haproxy.pid"))
	config := filepath.Join(p.dir, "haproxy.cfg")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, bytes.Replace(text, []byte("mode 600"), []byte("mode 600 expose-fd listeners"), 1), 0o600))
	out, err := exec.Command(needs.Command(t, "haproxy"), "-D", "-f", config, "-p", filepath.Join(p.dir, "haproxy.pid")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, said = p.run(t, o, "true")
	require.Contains(t, said, "passes its listening sockets to the next one: `expose-fd listeners` in "+config)
}

// TestWithoutTheCapability: root without CAP_NET_ADMIN, as in many containers.
func TestWithoutTheCapability(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8096)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8096}}}, "true")
	proc.Args = append([]string{"setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin", proc.Path}, proc.Args[1:]...)
	proc.Path = needs.Command(t, "setpriv")
	self, err := os.Executable() // /proc/self/exe would be setpriv
	require.NoError(t, err)
	proc.Args[5] = self
	_ = proc.Run()
	require.Equal(t, ExitOwn, proc.ProcessState.ExitCode())
	require.Contains(t, proc.stderr.String(), "needs root, or the capability CAP_NET_ADMIN")
}

// TestAnotherUserNamespace: who is root in a user namespace has every capability there, and none over the network namespace outside it.
func TestAnotherUserNamespace(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8098)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8098}}}, "true")
	self, err := os.Executable() // /proc/self/exe would be unshare
	require.NoError(t, err)
	proc.Args = append([]string{"unshare", "--user", "--map-root-user", self}, proc.Args[1:]...)
	proc.Path = needs.Command(t, "unshare")
	_ = proc.Run()
	require.Equal(t, ExitOwn, proc.ProcessState.ExitCode())
	require.Contains(t, proc.stderr.String(), "this network namespace is not this user namespace's")
}

// TestWithoutTheKernelsHelp asks the kernel for something that it has not, and finds nothing left.
func TestWithoutTheKernelsHelp(t *testing.T) {
	newPlace(t)
	q, err := openQueue(Match{Ports: []uint16{8097}}, nil)
	require.NoError(t, err)
	defer q.close()
	q.rules.chain.then = func(variant) []byte { return expression("hawser-none") }
	err = q.hold()
	require.ErrorIs(t, err, unix.ENOENT)
	require.ErrorContains(t, err, "this kernel does not queue packets")
	require.False(t, tablesThere(t))
}

// TestPlug holds connections over loopback with the plug qdisc where the kernel has it, and says clearly where not.
func TestPlug(t *testing.T) {
	p := newPlace(t)
	reload := p.haproxy(t, 8098)
	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8098}}, Method: Plug}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, "holds only what comes over the loopback interface")

	o := Options{Match: Match{Ports: []uint16{8098}, Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}}, Method: Plug}
	l := startLoad(t, "http://127.0.0.1:8098/")
	code, said = p.run(t, o, reload...)
	if code == ExitOwn {
		require.Contains(t, said, "this kernel cannot hold packets with the plug qdisc")
	} else {
		require.Zero(t, code, said)
		proc := p.command(t, o, "sleep", "60")
		require.NoError(t, proc.Start())
		requireHolding(t)
		report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8098/", Requests: 1, Timeout: 100 * time.Millisecond})
		require.NoError(t, err)
		require.Equal(t, 1, report.Failed, "it was not held: %v", report)
		require.NoError(t, proc.Process.Kill())
		_ = proc.Wait()
	}
	report := l.Stop()
	require.Zero(t, report.Failed, "%v", report)
	require.Less(t, report.Max, oneRetransmission(), "%v", report)
	left, err := exec.Command(needs.Command(t, "tc"), "qdisc", "show", "dev", "lo").CombinedOutput()
	require.NoError(t, err)
	require.NotContains(t, string(left), "prio")
}

func FuzzAnswers(f *testing.F) {
	f.Add((&socket{}).encode(message{kind: 3, body: []byte{1, 2, 3, 4, 5}}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, a := range answersIn(b) {
			require.LessOrEqual(t, len(a.body), len(b))
			_, _, _ = parseSocket(a.body)
		}
	})
}
