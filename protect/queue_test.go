package protect

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
)

// TestOrder dials in turn while the connections are held, and sees them accepted in that order. An
// existing connection keeps working all the time.
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
		require.Eventually(t, func() bool {
			return q.held() == i+1
		}, 5*time.Second, time.Millisecond)
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

// TestShortBacklog holds more connections than the daemon's accept queue has places: they are
// released as they are accepted, and none is lost.
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
	// net sets the backlog again.
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
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8101}}, MaxHold: 20 * time.Second},
		"sh", "-c", "while ! test -e "+end+"; do sleep 0.01; done")
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

// listenDrops is how many connections the kernel has dropped at listening sockets (TcpExt
// ListenDrops).
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

// TestBothRelease: the guard may come to release when the first process does. Neither takes the
// kernel's answer from the other.
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
	q, err := openQueue(Match{Ports: []uint16{8093},
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1")}}, nil)
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
		require.Eventually(t, func() bool {
			return q.held() == i+1
		}, 5*time.Second, time.Millisecond)
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

// TestPlug holds connections over loopback with the plug qdisc where the kernel has it, and says
// clearly where not.
func TestPlug(t *testing.T) {
	p := newPlace(t)
	reload := p.haproxy(t, 8098)
	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8098}}, Method: Plug}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, "holds only what comes over the loopback interface")

	o := Options{Match: Match{Ports: []uint16{8098},
		Addresses: []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}},
		Method: Plug}
	l := startLoad(t, "http://127.0.0.1:8098/")
	code, said = p.run(t, o, reload...)
	if code == ExitOwn {
		require.Contains(t, said, "this kernel cannot hold packets with the plug qdisc")
	} else {
		require.Zero(t, code, said)
		proc := p.command(t, o, "sleep", "60")
		require.NoError(t, proc.Start())
		requireHolding(t)
		report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8098/", Requests: 1,
			Timeout: 100 * time.Millisecond})
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
