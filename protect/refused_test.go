package protect

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
)

func TestExitCodes(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8089)
	for _, c := range []struct {
		command string
		code    int
	}{
		{"exit 0", 0}, {"exit 3", 3}, {"exit 127", 127}, {"kill -9 $$", 137},
		{"kill -TERM $$", 143},
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
	for name, code := range map[string]int{"no-such-command": ExitNotFound, dir +
		"/none": ExitNotFound, plain: ExitCannotRun, dir: ExitCannotRun} {
		_, err := find(name)
		var refused *CommandError
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, code, refused.Code, "%v", err)
	}
	// A file that the kernel does not take for a program is found out only when it is run: with
	// nothing left.
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
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8091}}, MaxHold: 30 * time.Second},
		"sh", "-c",
		"trap 'exit 7' TERM; touch "+ready+"; while :; do sleep 0.01; done")
	require.NoError(t, proc.Start())
	require.Eventually(t, func() bool {
		_, err := os.Stat(ready)
		return err == nil
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, proc.Process.Signal(syscall.SIGTERM))
	_ = proc.Wait()
	require.Equal(t, 7, proc.ProcessState.ExitCode(), proc.stderr)
}

// TestOtherAddresses: what is not to be held is not.
func TestOtherAddresses(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8094)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8094},
		Addresses: []netip.Addr{netip.MustParseAddr("::1"), netip.MustParseAddr("127.0.0.2")}},
		MaxHold: 10 * time.Second}, "sleep", "60")
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8094/", Requests: 100,
		Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	for _, host := range []string{"127.0.0.2", "[::1]"} {
		report, err := load.Run(t.Context(), load.Plan{URL: "http://" + host + ":8094/",
			Requests: 1, Timeout: 100 * time.Millisecond})
		require.NoError(t, err)
		require.Equal(t, 1, report.Failures[load.ConnectTimeout], "%s: %v", host, report)
	}
	killTree(t, proc)
}

// TestNeedless: it is reported when nothing needs to be held, and done anyway.
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
	require.Contains(t, said, "not needed here, but is done anyway: "+
		"net.ipv4.tcp_migrate_req=1")

	stopDaemon(t, filepath.Join(p.dir, "haproxy.pid"))
	config := filepath.Join(p.dir, "haproxy.cfg")
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(config, bytes.Replace(text, []byte("mode 600"),
		[]byte("mode 600 expose-fd listeners"), 1), 0o600))
	out, err := exec.Command(needs.Command(t, "haproxy"), "-D", "-f", config, "-p",
		filepath.Join(p.dir, "haproxy.pid")).CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, said = p.run(t, o, "true")
	require.Contains(t, said, "passes its listening sockets to the next one: `expose-fd "+
		"listeners` in "+config)
}

// TestNeedlessReadsNothingOfOthers: any user may call a process haproxy and have it name any file.
func TestNeedlessReadsNothingOfOthers(t *testing.T) {
	p := newPlace(t)
	shell, err := os.ReadFile("/bin/sh")
	require.NoError(t, err)
	program := filepath.Join(p.dir, "haproxy")
	require.NoError(t, os.WriteFile(program, shell, 0o700))
	require.NoError(t, os.Chmod(program, 0o755))
	require.NoError(t, os.Chmod(p.dir, 0o755))
	require.NoError(t, os.Chmod(filepath.Dir(p.dir), 0o755))
	listener, err := net.Listen("tcp", "127.0.0.1:8096")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	socket, err := listener.(*net.TCPListener).File()
	require.NoError(t, err)
	defer func() { _ = socket.Close() }()

	fifo, config := filepath.Join(p.dir, "fifo"), filepath.Join(p.dir, "config")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.NoError(t, os.WriteFile(config, []byte("stats socket /x expose-fd listeners\n"), 0o600))
	huge := filepath.Join(p.dir, "huge")
	require.NoError(t, os.WriteFile(huge, nil, 0o600))
	require.NoError(t, os.Truncate(huge, 8<<30))

	for _, c := range []struct {
		file         string
		root, listen bool
		needless     bool
	}{
		{config, true, true, true},
		{config, false, true, false},
		{config, true, false, false},
		{fifo, false, false, false},
		{fifo, true, true, false},
		{"/dev/zero", false, false, false},
		{"/dev/zero", true, true, false},
		{huge, true, true, false},
	} {
		t.Run(fmt.Sprintf("%s root=%t listens=%t", filepath.Base(c.file), c.root, c.listen),
			func(t *testing.T) {
				other := exec.Command(program, "-c", "sleep 1000; :", "x", "-f", c.file)
				other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if !c.root {
					other.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
				}
				if c.listen {
					other.ExtraFiles = []*os.File{socket}
				}
				require.NoError(t, other.Start())
				defer func() {
					_ = syscall.Kill(-other.Process.Pid, syscall.SIGKILL)
					_ = other.Wait()
				}()
				began := time.Now()
				code, said := p.run(t, Options{Match: Match{Ports: []uint16{8096}}}, "true")
				require.Zero(t, code, said)
				require.Less(t, time.Since(began), 10*time.Second)
				if c.needless {
					require.Contains(t, said, "expose-fd")
				} else {
					require.NotContains(t, said, "not needed")
				}
			})
	}
}

// TestWithoutTheCapability: root without CAP_NET_ADMIN, as in many containers.
func TestWithoutTheCapability(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8096)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8096}}}, "true")
	proc.Args = append([]string{"setpriv", "--bounding-set", "-net_admin", "--inh-caps",
		"-net_admin", proc.Path}, proc.Args[1:]...)
	proc.Path = needs.Command(t, "setpriv")
	self, err := os.Executable() // /proc/self/exe would be setpriv
	require.NoError(t, err)
	proc.Args[5] = self
	_ = proc.Run()
	require.Equal(t, ExitOwn, proc.ProcessState.ExitCode())
	require.Contains(t, proc.stderr.String(), "needs root, or the capability CAP_NET_ADMIN")
}

// TestAnotherUserNamespace: who is root in a user namespace has every capability there, and none
// over the network namespace outside it.
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

func FuzzAnswers(f *testing.F) {
	f.Add((&socket{}).encode(message{kind: 3, body: []byte{1, 2, 3, 4, 5}}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, a := range answersIn(b) {
			require.LessOrEqual(t, len(a.body), len(b))
			_, _, _ = parseSocket(a.body)
		}
	})
}
