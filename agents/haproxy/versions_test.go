package haproxy

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// offered returns the versions of the package haproxy that the apt suites configured on this
// machine offer, the newest first.
func offered(t *testing.T) []string {
	out, err := exec.Command(needs.Command(t, "apt-cache"), "madison", "haproxy").Output()
	require.NoError(t, err)
	var versions []string
	seen := map[string]bool{}
	for line := range strings.Lines(
		string(out)) { // "haproxy | 2.6.12-1+deb12u4 | http://… Packages", and the same for Sources
		fields := strings.Split(line, "|")
		if len(fields) < 3 || !strings.HasSuffix(strings.TrimSpace(fields[2]), "Packages") {
			continue
		}
		if version := strings.TrimSpace(fields[1]); !seen[version] {
			seen[version] = true
			versions = append(versions, version)
		}
	}
	return versions
}

// download unpacks a version of the package haproxy and returns its program.
func download(ctx context.Context, t *testing.T, version string) (string, error) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755)) // HAProxy drops its rights
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	get := exec.CommandContext(ctx, needs.Command(t, "apt-get"), "download", "-q",
		"-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=0", "haproxy="+version)
	get.Dir = dir
	get.WaitDelay = time.Second
	if out, err := get.CombinedOutput(); err != nil {
		return "", fmt.Errorf("apt-get download haproxy=%s: %w\n%s", version, err, out)
	}
	packages, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	require.NoError(t, err)
	require.Len(t, packages, 1)
	out, err := exec.CommandContext(ctx, needs.Command(t, "dpkg-deb"), "-x", packages[0],
		dir).CombinedOutput()
	require.NoError(t, err, string(out))
	return filepath.Join(dir, "usr/sbin/haproxy"), nil
}

// versionOf returns the version that a HAProxy tells.
func versionOf(binary string) (string, error) {
	out, err := exec.Command(binary, "-v").CombinedOutput()
	fields := strings.Fields(string(out)) // "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - …"
	if err != nil || len(fields) < 3 {
		return "", fmt.Errorf("%s -v: %w: %s", binary, err, out)
	}
	return fields[2], nil
}

// TestLife goes through the whole life of a resource, with the HAProxy that is installed and with
// every other version that this machine's suites offer: an upgrade changes it under a cluster at
// any time. A version that is not available is reported, and `make test` shows it.
func TestLife(t *testing.T) {
	installed := needs.Command(t, "haproxy")
	version, err := versionOf(installed)
	require.NoError(t, err)
	t.Run(version, func(t *testing.T) { life(t, installed) })

	versions := offered(t)
	if len(versions) == 0 {
		t.Log("NOT TESTED: any other HAProxy than the one that is installed. No suite offers " +
			"one: apt-get update?")
	}
	for _, other := range versions {
		if other == version {
			continue
		}
		t.Run(other, func(t *testing.T) {
			binary, err := download(t.Context(), t, other)
			if err != nil {
				t.Logf("NOT TESTED: HAProxy %s, which the suites offer and which cannot be had: %v",
					other, err)
				return
			}
			told, err := versionOf(binary)
			if err != nil {
				t.Logf("NOT TESTED: HAProxy %s, which does not run on this machine: %v", other, err)
				return
			}
			require.Contains(t, other, told)
			life(t, binary)
		})
	}
}

// life goes through a start, monitors, reloads, a crash that the monitor sees, one that the keeper
// fixes, and a stop.
func life(t *testing.T, binary string) {
	t.Run("with monitors alone", func(t *testing.T) {
		w := newWorld(t)
		w.r = w.r.With("binpath", binary)
		w.want(ocf.NotRunning, w.r.Probe())
		w.start()
		require.Equal(t, binary, procfs.Default.Executable(w.worker().PID))
		w.want(ocf.Success, w.r.Monitor(0))
		w.reloads()
		master := w.master().PID
		w.kill(master, syscall.SIGKILL)
		require.Eventually(t, func() bool {
			return w.family().Empty()
		}, 10*time.Second, 5*time.Millisecond, "the worker follows its master")
		w.gone(master)
		w.want(ocf.NotRunning, w.r.Monitor(0))
		w.recovers()
		w.stops()
	})
	t.Run("with a keeper", func(t *testing.T) {
		w := newKeptWorld(t)
		w.r = w.r.With("binpath", binary)
		w.guarded()
		w.want(ocf.Success, w.r.Monitor(0))
		w.reloads()
		w.guards()
		end, first := w.load(), w.master().PID
		fam := w.family()
		fam.Signal(syscall.SIGKILL)
		w.eventually("HAProxy is back", func() bool {
			s := w.state()
			return len(s.Crashes) == 1 && s.Master.PID != first
		})
		toll := end()
		require.Zero(t, toll.refused, "of %d", toll.served)
		w.want(ocf.DegradedCode, w.r.Monitor(0), "HAProxy crashed at")
		w.want(ocf.Success, w.r.Monitor(0))
		w.stops()
	})
}

// reloads takes a configuration over, and does not take over one that is broken or whose address is
// taken, all under load.
func (w *world) reloads() {
	w.t.Helper()
	end := w.load()
	w.write("haproxy.cfg", w.config(another))
	w.reload()
	require.Contains(w.t, w.backends(), "another")
	w.want(ocf.Success, w.r.Monitor(0))

	w.write("haproxy.cfg", w.config("bogus"))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "old configuration", "unknown keyword 'bogus'")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(w.t, err)
	defer func() { _ = l.Close() }()
	w.write("haproxy.cfg", w.config(fmt.Sprintf("frontend taken\n\tbind %s\n", l.Addr())))
	w.reload()
	w.want(ocf.DegradedCode, w.r.Monitor(0), "is held by")
	require.Contains(w.t, w.backends(), "another")

	w.write("haproxy.cfg", w.config(""))
	w.reload()
	w.want(ocf.Success, w.r.Monitor(0))
	require.NotContains(w.t, w.backends(), "another")
	toll := end()
	require.Empty(w.t, toll.errors)
	require.Zero(w.t, toll.refused, "of %d", toll.served)
}

// stops lets an open request finish, and leaves nothing.
func (w *world) stops() {
	w.t.Helper()
	release := make(chan struct{})
	w.app.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
		fmt.Fprint(rw, "hello")
	})
	w.r = w.r.With("stop_grace", "10s")
	conn := w.request("/")
	stopped := make(chan ocf.Code, 1)
	go func() { stopped <- w.r.Stop().Code }()
	w.eventually("no new connections are taken", func() bool {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.port))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	require.False(w.t, w.family().Empty(), "it waits for the request")
	close(release)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, response.StatusCode)
	require.NoError(w.t, response.Body.Close())
	require.NoError(w.t, conn.Close())
	require.Equal(w.t, ocf.Success, <-stopped)
	require.True(w.t, w.family().Empty())
	w.want(ocf.NotRunning, w.r.Monitor(0))
	require.Error(w.t, w.get())
}
