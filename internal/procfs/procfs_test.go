package procfs

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	s, err := parseStat([]byte("42 (a) b (c)) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " +
		"83749 9 10 18446744073709551615 1 1 0 0 0 0 0 4096 16386 0 0 0 17 1 99 2 0 0 0\n"))
	require.NoError(t, err)
	require.Equal(t, Stat{State: 'S', Parent: 1, Session: 42, Start: 83749,
		System: 60 * time.Millisecond, Policy: 2}, s)
	s, err = parseStat([]byte("7 (a (very) odd) name) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 " +
		"1 0 4242 0 0 18446744073709551615 1 1 0 0 0 0 0 4096 16386 0 0 0 17 1 0 0 0 0 0"))
	require.NoError(t, err)
	require.Equal(t, uint64(4242), s.Start)
	for _, wrong := range []string{"", "42 (x", "42 (x) S 1",
		"42 (x) S a 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 83749 9 10 11 1 1 0 0 0 0 0 0 0 " +
			"0 " +
			"0 0 17 1 0 0"} {
		_, err := parseStat([]byte(wrong))
		require.Error(t, err, wrong)
	}
}

func TestRoots(t *testing.T) {
	proc := FS(t.TempDir())
	for uids, roots := range map[string]bool{
		"0\t0\t0\t0": true, "0\t0\t33\t33": true, "33\t0\t0\t0": false, "0\t33\t0\t33": false,
		"33\t33\t33\t33": false, "0": false, "": false,
	} {
		require.NoError(t, os.MkdirAll(string(proc)+"/7", 0o700))
		require.NoError(t, os.WriteFile(string(proc)+"/7/status",
			[]byte("Name:\tUid:\t0\nUmask:\t0022\nUid:\t"+uids+"\nGid:\t0\t0\t0\t0\n"), 0o600))
		require.Equal(t, roots, proc.Roots(7), uids)
	}
	require.False(t, proc.Roots(8))
	require.Equal(t, os.Getuid() == 0, Default.Roots(os.Getpid()))
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a) b (c)) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 83749 9 10\n"))
	f.Add([]byte(")"))
	f.Fuzz(func(_ *testing.T, text []byte) { _, _ = parseStat(text) })
}

func TestThisProcess(t *testing.T) {
	pid := os.Getpid()
	s, err := Default.Stat(pid)
	require.NoError(t, err)
	require.Equal(t, os.Getppid(), s.Parent)
	require.False(t, s.Dead())
	require.False(t, s.Stopped())
	exe, err := os.Executable()
	require.NoError(t, err)
	require.Equal(t, exe, Default.Executable(pid))
	require.Equal(t, filepath.Base(exe), Default.Program(pid))
	require.True(t, strings.HasPrefix(filepath.Base(exe), Default.Name(pid)))
	require.Contains(t, Default.Named(Default.Name(pid)), pid)
	require.Equal(t, os.Args, Default.Args(pid))
	env, err := Default.Environ(pid)
	require.NoError(t, err)
	require.NotEmpty(t, Lookup(env, "PATH"))
	require.NotEmpty(t, Default.PIDNamespace(pid))
	boot, err := Default.BootID()
	require.NoError(t, err)
	require.Len(t, boot, 36)
	pids, err := Default.PIDs()
	require.NoError(t, err)
	require.Contains(t, pids, pid)
	soft, hard, err := Default.OpenFiles(pid)
	require.NoError(t, err)
	require.LessOrEqual(t, soft, hard)
	require.Equal(t, "Linux", Default.Sysctl("kernel.ostype"))
	require.Empty(t, Default.Sysctl("kernel.no_such"))
	require.Positive(t, Default.Schedule(pid).Ran)
	require.Positive(t, Default.Effort(pid).Sleeps)
	require.False(t, Default.Pending(pid, syscall.SIGUSR1))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	inodes, err := Default.SocketInodes(pid)
	require.NoError(t, err)
	require.NotEmpty(t, inodes)
	file, err := os.Open(exe)
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	open, err := Default.Open(pid)
	require.NoError(t, err)
	require.Contains(t, open, exe)
}

func TestProcessThatIsGone(t *testing.T) {
	cmd := exec.Command("true")
	require.NoError(t, cmd.Run())
	pid := cmd.Process.Pid
	_, err := Default.Stat(pid)
	require.ErrorIs(t, err, ErrGone)
	require.Empty(t, Default.Executable(pid))
	require.Empty(t, Default.Program(pid))
	require.Empty(t, Default.Name(pid))
	require.Nil(t, Default.Args(pid))
	require.Empty(t, Default.Service(pid))
	require.Zero(t, Default.Schedule(pid))
	require.Zero(t, Default.Effort(pid))
}

func TestAnotherRoot(t *testing.T) {
	dir := t.TempDir()
	write := func(pid int, name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, strconv.Itoa(pid), name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, strconv.Itoa(pid), name), []byte(text),
			0o600))
	}
	write(7, "comm", "pacemakerd\n")
	write(7, "status", "\nUid:\t0\t0\t0\t0\n")
	write(7, "environ", "A=b\x00C=\x00")
	write(7, "stat", "7 (pacemakerd) S 1 7 7 0 -1 4194560 1 0 0 0 0 3 0 0 20 0 1 0 4242 0 0 0 1 1 0 0 0 0 0 "+
		"4096 16386 0 0 0 17 1 0 0 0 0 0")
	for tid, text := range map[int]string{
		7: "State:\tS (sleeping)\nvoluntary_ctxt_switches:\t5\nnonvoluntary_ctxt_switches:\t9\n",
		8: "State:\tD (disk sleep)\nvoluntary_ctxt_switches:\t2\n",
	} {
		write(7, fmt.Sprintf("task/%d/status", tid), text)
	}
	write(7, "fd/0", "")
	write(8, "comm", "other\n")
	write(9, "cgroup", "0::/system.slice/nginx.service\n")
	write(10, "cgroup", "0::/user.slice/user-0.slice\n")
	write(11, "status", fmt.Sprintf(
		"Name:\tx\nSigPnd:\t0000000000000000\nShdPnd:\t%016x\nSigBlk:\t0\n",
		1<<(syscall.SIGTERM-1)))
	f := FS(dir)
	env, ok := f.EnvironOf("pacemakerd")
	require.True(t, ok)
	require.Equal(t, []string{"A=b", "C="}, env)
	require.Equal(t, "b", Getenv(env)("A"))
	require.Empty(t, Getenv(env)("B"))
	_, ok = f.EnvironOf("corosync")
	require.False(t, ok)
	require.Equal(t, Effort{Sleeps: 7, System: 30 * time.Millisecond, Uninterruptible: true}, f.Effort(7))
	n, err := f.Descriptors(7)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "nginx.service", f.Service(9))
	require.Empty(t, f.Service(10))
	require.True(t, f.Pending(11, syscall.SIGUSR1, syscall.SIGTERM))
	require.False(t, f.Pending(11, syscall.SIGUSR1))
}
