package haproxy

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// scripted is a master socket that answers as a given version of HAProxy would.
type scripted struct {
	t    *testing.T
	path string

	mu       sync.Mutex
	listener net.Listener
	procs    string
	// onReload gets the connection on which `reload` came.
	onReload func(conn net.Conn)
	asked    atomic.Int64
}

func newScripted(t *testing.T) *scripted {
	dir, err := os.MkdirTemp("", "hx") //nolint:usetesting // its path can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &scripted{t: t, path: filepath.Join(dir, "master.sock"), procs: family(0, 0, 0)}
	s.listen()
	t.Cleanup(func() { s.mu.Lock(); defer s.mu.Unlock(); _ = s.listener.Close() })
	return s
}

// family is a `show proc`.
func family(reloads, failed, workerReloads int) string {
	return familyOf("2.6", reloads, failed, workerReloads)
}

func familyOf(version string, reloads, failed, workerReloads int) string {
	return fmt.Sprintf("#<PID> <type> <reloads> <uptime> <version>\n10 master %d [failed: %d] "+
		"0d00h00m01s %s\n# workers\n11 worker %d 0d00h00m01s %[3]s\n",
		reloads, failed, version, workerReloads)
}

func (s *scripted) listen() {
	l, err := net.Listen("unix", s.path)
	require.NoError(s.t, err)
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
}

func (s *scripted) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	if strings.TrimSpace(line) == "reload;quit" {
		s.onReload(conn)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(conn, s.procs)
}

// reexec is the time in which nobody accepts, after which the family is another.
func (s *scripted) reexec(procs string) {
	s.mu.Lock()
	_ = s.listener.Close()
	s.mu.Unlock()
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = os.Remove(s.path)
		s.mu.Lock()
		s.procs = procs
		s.mu.Unlock()
		s.listen()
	}()
}

func TestReload(t *testing.T) {
	for name, c := range map[string]struct {
		onReload  func(s *scripted, conn net.Conn)
		version   string // 2.6
		complaint string // of a ReloadError
		failed    bool
	}{
		"2.6, taken over": {
			onReload: func(s *scripted, _ net.Conn) { s.reexec(family(1, 0, 0)) },
		},
		"2.6, refused": {
			onReload: func(s *scripted, _ net.Conn) { s.reexec(family(1, 1, 1)) }, failed: true,
		},
		"2.7, taken over": {
			onReload: func(_ *scripted, conn net.Conn) {
				fmt.Fprint(conn, "Success=1\n--\n[NOTICE]   (10) : New worker (12) forked\n")
			},
		},
		"2.7, refused": {
			onReload: func(_ *scripted, conn net.Conn) {
				fmt.Fprint(conn, "Success=0\n--\n[NOTICE] (10) : haproxy version is 2.8\n[ALERT] "+
					"   (10) : config : parsing [/x:3] : unknown keyword 'y'\n")
			}, failed: true, complaint: "/x:3: unknown keyword 'y'",
		},
		"3.1, in the middle of another reload": {
			onReload: func(s *scripted, conn net.Conn) {
				if s.asked.Add(1) < 4 {
					fmt.Fprint(conn, "Success=0\n--\nAnother reload is still in progress.\n\n")
					return
				}
				fmt.Fprint(conn, "Success=1\n--\n[NOTICE]   (10) : New worker (12) forked\n")
			},
		},
		"3.1, an answer that is lost, of a worker that then cannot start": {
			onReload: func(s *scripted, conn net.Conn) {
				if s.asked.Add(1) < 2 {
					s.reexec(familyOf("3.1.0", 1, 0, 0)) // the worker still reads its configuration
					return
				}
				fmt.Fprint(conn, "Success=0\n--\n[ALERT]    (12) : no\n")
			}, version: "3.1.0", failed: true, complaint: "no",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			if c.version != "" {
				s.procs = familyOf(c.version, 0, 0, 0)
			}
			s.onReload = func(conn net.Conn) { c.onReload(s, conn) }
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := Master{Path: s.path}.Reload(ctx)
			if !c.failed {
				require.NoError(t, err)
				return
			}
			var refused *ReloadError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.complaint, refused.Complaint)
		})
	}
}

func TestReloadEndsWithItsContext(t *testing.T) {
	for name, onReload := range map[string]func(s *scripted, conn net.Conn){
		"a master that never answers": func(_ *scripted, conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1))
		},
		"a master that never comes back": func(s *scripted, _ net.Conn) {
			s.mu.Lock()
			defer s.mu.Unlock()
			_ = s.listener.Close()
		},
		"a master that never has a new worker": func(s *scripted, _ net.Conn) {
			s.reexec(family(1, 0, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			s.onReload = func(conn net.Conn) { onReload(s, conn) }
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := Master{Path: s.path}.Reload(ctx)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var refused *ReloadError
			require.NotErrorAs(t, err, &refused, "the outcome is not known")
		})
	}
}

func TestReloadAnswerThatIsNotUnderstood(t *testing.T) {
	s := newScripted(t)
	s.onReload = func(conn net.Conn) { fmt.Fprintln(conn, "Unknown command: 'reload'") }
	require.ErrorContains(t, Master{Path: s.path}.Reload(t.Context()), "Unknown command")
}

func TestSocketsThatDoNotAnswer(t *testing.T) {
	_, err := Runtime{Path: "/nonexistent/stats.sock"}.Info(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "/nonexistent/stats.sock")

	path := filepath.Join(filepath.Dir(newScripted(t).path), "silent.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Runtime{Path: path}.Stats(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "did not answer")
}
