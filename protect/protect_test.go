package protect

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// TestReloads reloads HAProxy with -sf and nothing else, the way that loses connections, over and
// over under load from both families.
func TestReloads(t *testing.T) {
	p := newPlace(t)
	reload := p.haproxy(t, 8080)
	loads := []*load.Running{startLoad(t, "http://127.0.0.1:8080/"),
		startLoad(t, "http://[::1]:8080/")}
	reloads := 40
	if emulated() {
		reloads = 10
	}
	before := retransmissions(t)
	var longest time.Duration
	for range reloads {
		began := time.Now()
		code, said := p.run(t, Options{Match: Match{Ports: []uint16{8080}},
			MaxHold: 20 * time.Second}, reload...)
		longest = max(longest, time.Since(began))
		require.Zero(t, code, said)
		require.Empty(t, said)
	}
	for _, l := range loads {
		report := l.Stop()
		require.Zero(t, report.Failed, "%v", report)
		t.Logf("%v", report)
	}
	if longest < time.Second { // else a packet that was held has been sent again
		require.Equal(t, before, retransmissions(t), "a packet was lost")
	}
}

// TestRestart replaces another daemon, which stops listening before its successor starts: nobody is
// refused.
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
	restart := fmt.Sprintf("%[1]s -c %[2]s -s quit && while test -e %[3]s/nginx.pid; do :; done; "+
		"exec %[1]s -c %[2]s", nginx, config, p.dir)
	for range 5 {
		code, said := p.run(t, Options{Match: Match{Ports: []uint16{8081}},
			MaxHold: 10 * time.Second}, "sh", "-c", restart)
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
		now, err := listSockets(Match{Ports: []uint16{8082}})
		return err == nil && len(now.listeners) == 0
	}, 5*time.Second, time.Millisecond)

	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8082}}}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, "nothing listens on port 8082")

	proc := p.command(t, Options{Match: Match{Ports: []uint16{8082}}, Start: true,
		MaxHold: 10 * time.Second},
		"sh", "-c", "sleep 0.3; "+strings.Join(reload[2:], " "))
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8082/", Requests: 1,
		Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.NoError(t, proc.Wait(), proc.stderr)
}

// requireHolding waits until connections are held.
func requireHolding(t testing.TB) {
	t.Helper()
	require.Eventually(t, func() bool { return tablesThere(t) }, 5*time.Second, time.Millisecond)
}
