package haproxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// daemon runs HAProxy as master and worker and returns the master's process id.
func daemon(t *testing.T, dir string, args ...string) int {
	t.Helper()
	pidfile := filepath.Join(dir, "pid")
	_ = os.Remove(pidfile)
	args = append([]string{"-W", "-D", "-f", filepath.Join(dir, "cfg"), "-p", pidfile, "-S",
		filepath.Join(dir, "master.sock")}, args...)
	out, err := exec.Command(needs.Command(t, "haproxy"), args...).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "ALERT")
	text, err := os.ReadFile(pidfile)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Kill(-pid, syscall.SIGKILL) })
	return pid
}

// TestSocketsOutliveHAProxy: a HAProxy of every kind of bind is killed; nobody is refused
// meanwhile; and the next one takes over what waits.
func TestSocketsOutliveHAProxy(t *testing.T) {
	needs.Root(t)
	dir, err := os.MkdirTemp("", "hx") //nolint:usetesting // its path can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port, many := freePort(t), freePort(t)
	var binds strings.Builder
	for i := range 300 { // more than one group
		fmt.Fprintf(&binds, "  bind 127.0.%d.%d:%d\n", 1+i/200, 1+i%200, many)
	}
	abstract := fmt.Sprintf("hawser-test-%d", os.Getpid())
	write(t, filepath.Join(dir, "cfg"), fmt.Sprintf(`global
  stats socket %[1]s/stats.sock mode 600 level admin expose-fd listeners
  maxconn 2000
  nbthread 2
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 1s
frontend web
  http-request return status 200 content-type text/plain string hello
  bind 127.0.0.1:%[2]d shards 2
  bind ::1:%[2]d v6only
  bind 127.0.0.2:%[2]d interface lo
  bind %[1]s/web.sock
  bind abns@%[3]s
%[4]s`, dir, port, abstract, binds.String()))

	var all []net.Addr
	for _, ip := range []string{"127.0.0.1", "127.0.0.2", "::1", "127.0.1.1", "127.0.2.99"} {
		at := port
		if strings.HasPrefix(ip, "127.0.1.") || strings.HasPrefix(ip, "127.0.2.") {
			at = many
		}
		all = append(all, &net.TCPAddr{IP: net.ParseIP(ip), Port: at})
	}
	// HAProxy 2.6 pads an abstract address with zeroes to its full length.
	all = append(all, &net.UnixAddr{Name: filepath.Join(dir, "web.sock"), Net: "unix"},
		&net.UnixAddr{Name: "@" + abstract + strings.Repeat("\x00", 107-len(abstract)),
			Net: "unix"})

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first := daemon(t, dir)
	runtime := Runtime{Path: filepath.Join(dir, "stats.sock")}
	sockets, err := runtime.Sockets(ctx)
	require.NoError(t, err)
	defer sockets.Close()
	require.Equal(t, 300+2+4+1, sockets.Len(),
		"the shards each have one, and the stats socket is one")

	sockets.Drop(func(addr net.Addr) bool { return addr.String() == runtime.Path })
	require.Equal(t, 306, sockets.Len())
	require.NoError(t, syscall.Kill(-first, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		_, err := runtime.Info(ctx)
		return err != nil
	}, 10*time.Second, time.Millisecond)
	var waiting []net.Conn
	for _, addr := range all {
		conn, err := net.DialTimeout(addr.Network(), addr.String(), time.Second)
		require.NoError(t, err, "%v is refused", addr)
		defer func() { _ = conn.Close() }()
		_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		waiting = append(waiting, conn)
	}

	served := make(chan error, 1)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "x.sock")})
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		conn, err := l.AcceptUnix()
		if err != nil {
			served <- err
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		question := make([]byte, len(socketsAsk))
		if _, err = conn.Read(question); err == nil && string(question) != socketsAsk {
			err = fmt.Errorf("it asked %q", question)
		}
		if err == nil {
			err = sockets.Serve(conn)
		}
		served <- err
	}()
	second := daemon(t, dir, "-x", filepath.Join(dir, "x.sock"))
	require.NoError(t, <-served)
	require.NotEqual(t, first, second)
	for i, conn := range waiting {
		require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
		text := make([]byte, 4096)
		n, err := conn.Read(text)
		require.NoError(t, err, "%v", all[i])
		require.Contains(t, string(text[:n]), fmt.Sprint(http.StatusOK), "%v", all[i])
	}

	t.Run("and it took them over instead of binding others beside them", func(t *testing.T) {
		sockets.Close()
		require.Zero(t, sockets.Len())
		again, err := runtime.Sockets(ctx)
		require.NoError(t, err)
		defer again.Close()
		require.Equal(t, 307, again.Len())
		third, err := runtime.Sockets(ctx)
		require.NoError(t, err)
		defer third.Close()
		require.True(t, third.Within(again))
		third.Drop(func(addr net.Addr) bool { return addr.String() == all[0].String() })
		require.True(t, third.Within(again))
		require.False(t, again.Within(third))
		listeners, err := Listeners()
		require.NoError(t, err)
		n := 0
		for _, l := range listeners {
			if int(l.Addr.Port()) == port || int(l.Addr.Port()) == many {
				n++
			}
		}
		require.Equal(t, 304, n)
	})
	t.Run("a path that was bound is told without HAProxy's temporary name", func(t *testing.T) {
		again, err := runtime.Sockets(ctx)
		require.NoError(t, err)
		defer again.Close()
		require.True(t, slices.ContainsFunc(again.Addrs(), func(a net.Addr) bool {
			return a.String() == filepath.Join(dir, "web.sock")
		}))
	})
}

func TestSocketsThatAreNotPassed(t *testing.T) {
	needs.Root(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "cfg"),
		fmt.Sprintf("global\n stats socket %s/stats.sock level admin\n", dir))
	daemon(t, dir)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := Runtime{Path: filepath.Join(dir, "stats.sock")}.Sockets(ctx)
	require.ErrorIs(t, err, ErrNoSockets)
	_, err = Runtime{Path: filepath.Join(dir, "nobody.sock")}.Sockets(ctx)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestSocketsOfSomebodyElse: what is no HAProxy's answer is an error, soon, and leaves nothing
// open.
func TestSocketsOfSomebodyElse(t *testing.T) {
	for name, answer := range map[string]string{
		"half a number":  "\x01",
		"too many":       "\xff\xff\xff\x7f",
		"no descriptors": "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"nothing":        "",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			l, err := net.Listen("unix", path)
			require.NoError(t, err)
			defer func() { _ = l.Close() }()
			go func() {
				if conn, err := l.Accept(); err == nil {
					_, _ = conn.Read(make([]byte, 100))
					_, _ = conn.Write([]byte(answer))
					_ = conn.Close()
				}
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = Runtime{Path: path}.Sockets(ctx)
			require.Error(t, err)
			require.NoError(t, ctx.Err())
		})
	}
}
