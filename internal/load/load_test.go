package load_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/load"
)

// serve answers each accepted connection with what f does, and returns the URL.
func serve(t testing.TB, f func(net.Conn, *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() }) // and not before: a connection that nobody refers to is closed by the garbage collector
			go f(conn, bufio.NewReader(conn))
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

// hears reads a request.
func hears(r *bufio.Reader) bool {
	_, err := http.ReadRequest(r)
	return err == nil
}

func run(t testing.TB, p load.Plan) load.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, err := load.Run(ctx, p)
	require.NoError(t, err)
	require.NoError(t, ctx.Err(), "the plan did not end by itself: %s", r)
	require.Equal(t, r.Requests, r.OK+r.Failed)
	return r
}

func TestGoodAnswers(t *testing.T) {
	var requests atomic.Int64
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = io.WriteString(w, "app-1 via 10.0.0.1\nmore\n")
	})
	socket := filepath.Join(t.TempDir(), "http.sock")
	for name, listen := range map[string][2]string{"IPv4": {"tcp4", "127.0.0.1:0"}, "IPv6": {"tcp6", "[::1]:0"}, "unix": {"unix", socket}} {
		for _, keep := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				l, err := net.Listen(listen[0], listen[1])
				require.NoError(t, err)
				var connections atomic.Int64
				s := &http.Server{Handler: page, ConnState: func(_ net.Conn, s http.ConnState) {
					if s == http.StateNew {
						connections.Add(1)
					}
				}}
				go func() { _ = s.Serve(l) }()
				defer func() { _ = s.Close() }()
				requests.Store(0)
				p := load.Plan{URL: "http://" + l.Addr().String() + "/", Clients: 4, Requests: 200, KeepAlive: keep}
				if name == "unix" {
					p.URL, p.Unix = "http://page/", socket
				}
				r := run(t, p)
				require.EqualValues(t, 200, requests.Load())
				require.Equal(t, 200, r.OK, "%s", r)
				require.Equal(t, map[string]int{"app-1 via 10.0.0.1": 200}, r.Answers)
				require.Positive(t, r.P50)
				require.LessOrEqual(t, r.P50, r.P99)
				require.LessOrEqual(t, r.P99, r.Max)
				if keep { // a client that comes late finds nothing left to ask for
					require.Positive(t, connections.Load())
					require.LessOrEqual(t, connections.Load(), int64(4))
				} else {
					require.EqualValues(t, 200, connections.Load())
				}
			})
		}
	}
}

// TestKinds has a server fail in every way that a client can tell from the others.
func TestKinds(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + closed.Addr().String() + "/"
	require.NoError(t, closed.Close())

	part := "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
	say := func(answer string) string {
		return serve(t, func(c net.Conn, r *bufio.Reader) {
			if hears(r) {
				_, _ = io.WriteString(c, answer)
			}
			_ = c.Close()
		})
	}
	for kind, url := range map[load.Kind]string{
		load.Refused:        nobody,
		load.ConnectTimeout: full(t),
		load.ResetAfter:     say(""),
		load.AnswerTimeout:  serve(t, func(net.Conn, *bufio.Reader) {}),
		load.CutOff:         say(part),
		load.BadAnswer:      say("SSH-2.0-OpenSSH\r\n\r\n"),
		"status 503":        say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"),
	} {
		t.Run(string(kind), func(t *testing.T) {
			r := run(t, load.Plan{URL: url, Requests: 3, Clients: 3, Timeout: 500 * time.Millisecond})
			require.Equal(t, map[load.Kind]int{kind: 3}, r.Failures, "%+v", r.First)
			require.Equal(t, 3, r.Count(kind))
			require.Len(t, r.First, 3)
			require.Zero(t, r.OK)
			require.InDelta(t, r.Took, r.LongestGap, 1, "nobody was served all the time")
		})
	}
	t.Run("a Unix socket that is not there", func(t *testing.T) {
		r := run(t, load.Plan{URL: "http://page/", Unix: filepath.Join(t.TempDir(), "none"), Requests: 1})
		require.Equal(t, 1, r.Count(load.Refused), "%+v", r.First)
	})
}

// full listens with a queue that is full: the kernel drops every further SYN.
func full(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	address := (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	for range 8 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return "http://" + address + "/"
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the queue takes more than 8 connections")
	return ""
}

// TestInFlight has a server die with requests inside: as many as were in it are told.
func TestInFlight(t *testing.T) {
	var inside atomic.Int64
	die := make(chan struct{})
	url := serve(t, func(c net.Conn, r *bufio.Reader) {
		if hears(r) && inside.Add(1) == 5 {
			close(die)
		}
		<-die
		_ = c.Close()
	})
	r := run(t, load.Plan{URL: url, Clients: 5, Requests: 5})
	require.Equal(t, 5, r.Count(load.ResetAfter), "%+v", r.First)
	require.Equal(t, 5, r.InFlight)
}

// TestIdleConnectionClosed has a server close connections after each answer without saying so: their next request is made again.
func TestIdleConnectionClosed(t *testing.T) {
	url := serve(t, func(c net.Conn, r *bufio.Reader) {
		if hears(r) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		_ = c.Close()
	})
	r := run(t, load.Plan{URL: url, Requests: 10, KeepAlive: true})
	require.Equal(t, 10, r.OK, "%+v", r.First)
	require.Equal(t, 9, r.Retried)
}

// TestGap has a server that serves nobody for a while.
func TestGap(t *testing.T) {
	const pause = 300 * time.Millisecond
	var n atomic.Int64
	var wait atomic.Bool
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) == 50 {
			wait.Store(true)
			time.AfterFunc(pause, func() { wait.Store(false) })
		}
		if wait.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	r := run(t, load.Plan{URL: s.URL + "/", Clients: 2, For: time.Second})
	require.Positive(t, r.Count("status 503"), "%s", r)
	require.GreaterOrEqual(t, r.LongestGap, pause/2, "answers under way when the pause began come within it: %s", r)
	require.Positive(t, r.GapStart)
	require.Less(t, r.GapStart+r.LongestGap, r.Took)
}

// TestPace makes requests at their times, and, without a bound on clients, whatever became of those before.
func TestPace(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	r := run(t, load.Plan{URL: s.URL + "/", Clients: 3, Every: 10 * time.Millisecond, Requests: 21})
	require.GreaterOrEqual(t, r.Took, 200*time.Millisecond, "%s", r)

	silent := serve(t, func(net.Conn, *bufio.Reader) {})
	r = run(t, load.Plan{URL: silent, Every: 10 * time.Millisecond, Requests: 10, Timeout: time.Second})
	require.Equal(t, 10, r.Count(load.AnswerTimeout), "%s", r)
	require.Equal(t, 10, r.InFlight, "%s", r)
}

func TestStop(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	l, err := load.Start(t.Context(), load.Plan{URL: s.URL + "/", Clients: 2})
	require.NoError(t, err)
	select {
	case <-l.First():
	case <-time.After(10 * time.Second):
		t.Fatal("no good answer within 10 s")
	}
	require.Positive(t, l.Progress().OK)
	r := l.Stop()
	require.Positive(t, r.OK)
	require.Zero(t, r.Failed, "%+v", r.First)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var back load.Report
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, r.OK, back.OK)
}

func TestBadPlans(t *testing.T) {
	for name, p := range map[string]load.Plan{
		"no URL":            {Requests: 1},
		"https":             {URL: "https://127.0.0.1/", Requests: 1},
		"no address":        {URL: "http:///path", Requests: 1},
		"port 0":            {URL: "http://127.0.0.1:0/", Requests: 1},
		"port no number":    {URL: "http://127.0.0.1:port/", Requests: 1},
		"unspecified":       {URL: "http://0.0.0.0/", Requests: 1},
		"negative clients":  {URL: "http://127.0.0.1/", Requests: 1, Clients: -1},
		"negative requests": {URL: "http://127.0.0.1/", Requests: -1},
		"negative time":     {URL: "http://127.0.0.1/", For: -1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load.Run(t.Context(), p)
			require.ErrorContains(t, err, "load: "+p.URL)
		})
	}
	_, err := load.Run(context.Background(), load.Plan{URL: "http://127.0.0.1/"})
	require.ErrorContains(t, err, "never")
}

func BenchmarkNewConnections(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	r := run(b, load.Plan{URL: s.URL + "/", Clients: 16, Requests: max(b.N, 1)})
	require.Zero(b, r.Failed, "%+v", r.First)
	b.ReportMetric(float64(r.OK)/r.Took.Seconds(), "requests/s")
}
