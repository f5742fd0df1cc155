package haproxy

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// A HAProxy that does not answer, and works, is not brought back: its connections would be lost for
// nothing, and what hinders it would hinder the next one too.
func TestSilentAndAlive(t *testing.T) {
	for name, silence := range map[string]func(w *world) (end func()){
		"no file descriptor left": func(w *world) func() {
			worker := w.worker().PID
			open, err := procfs.Default.Descriptors(worker)
			require.NoError(w.t, err)
			var before unix.Rlimit
			require.NoError(w.t, unix.Prlimit(worker, unix.RLIMIT_NOFILE, nil, &before))
			require.NoError(w.t, unix.Prlimit(worker, unix.RLIMIT_NOFILE,
				&unix.Rlimit{Cur: uint64(open), Max: before.Max}, nil))
			var clients []net.Conn
			for range 20 {
				conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
				require.NoError(w.t, err)
				clients = append(clients, conn)
			}
			return func() {
				for _, conn := range clients {
					require.NoError(w.t, conn.Close())
				}
				require.NoError(w.t, unix.Prlimit(worker, unix.RLIMIT_NOFILE, &before, nil))
			}
		},
		"no place on the stats sockets": func(w *world) func() {
			var clients []net.Conn
			for range 200 { // the agent's own places too
				conn, err := net.Dial("unix", w.path("admin.sock"))
				if err != nil {
					require.ErrorIs(w.t, err, unix.EAGAIN)
					break
				}
				clients = append(clients, conn)
				_, err = fmt.Fprintln(conn, "prompt")
				require.NoError(w.t, err)
			}
			return func() {
				for _, conn := range clients {
					require.NoError(w.t, conn.Close())
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKeptWorld(t)
			// root's, so that its limits can be changed from here
			w.write("haproxy.cfg", strings.NewReplacer("global",
				"global\n\tstats maxconn 2\n\tstats timeout 5m", "user haproxy", "", "group haproxy",
				"").Replace(w.config("")))
			w.r = w.r.With("hang_time", "1s")
			w.guarded()
			master := w.master().PID
			conn := w.request("/slow")
			end := silence(w)
			w.eventually("the keeper has thought about it", func() bool {
				log, err := os.ReadFile(w.path("log"))
				return err == nil && strings.Contains(string(log), "goes on working: leaving it alone")
			})
			w.want(ocf.DegradedCode, w.r.Monitor(0), "has not answered for")
			end()
			w.eventually("it answers again", func() bool { return w.r.Monitor(0).Code == ocf.Success })
			require.Empty(t, w.state().Crashes)
			require.Equal(t, master, w.master().PID)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Millisecond)))
			_, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is still there")
		})
	}
}

// With grace, the worker of before a reload goes on accepting for a while, on the stats socket too,
// and says that it is stopping. That is no stop by somebody else.
func TestGrace(t *testing.T) {
	w := newKeptWorld(t)
	w.write("haproxy.cfg", strings.Replace(w.config(""), "global", "global\n\tgrace 4s", 1))
	w.guarded()
	for range 2 {
		master := w.master().PID
		w.want(ocf.Success, w.r.Run("reload-agent", nil))
		old := 0
		w.eventually("the old worker is gone", func() bool {
			procs, err := client.Master{Path: w.instance().MasterSocket()}.Procs(t.Context())
			old = max(old, len(procs.OldWorkers))
			require.Equal(t, ocf.Success, w.r.Monitor(0).Code)
			require.Equal(t, ocf.Success, w.r.Start().Code)
			return err == nil && old > 0 && len(procs.OldWorkers) == 0
		})
		require.Equal(t, master, w.master().PID)
	}
	require.Empty(t, w.state().Crashes)
}
