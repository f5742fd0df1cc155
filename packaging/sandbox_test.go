package packaging_test

import (
	"bufio"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// sandbox is this machine's root file system with a disk of its own above it, in which dpkg and rpm may do what they like.
type sandbox struct {
	t   testing.TB
	pid string
	dir string // its root, as its own processes see it
}

// newSandbox makes one, whose /packages are the files of a directory.
func newSandbox(t testing.TB, packages string) *sandbox {
	t.Helper()
	needs.Root(t)
	s := &sandbox{t: t, dir: t.TempDir()}
	const setUp = `set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mkdir -p "$1/root/packages"
mount --bind "$2" "$1/root/packages"
mount -t proc proc "$1/root/proc"
mount -t tmpfs tmpfs "$1/root/dev"
for d in null zero full random urandom tty; do touch "$1/root/dev/$d"; mount --bind "/dev/$d" "$1/root/dev/$d"; done
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
mkdir -p "$1/root/run/lock"
rm -f "$1/root/var/lib/man-db/auto-update" # else dpkg reindexes every manual page
echo "$$"
exec sleep infinity`
	// Its processes, and with them its mounts, end with the first of them, and that one with the test.
	cmd := exec.CommandContext(t.Context(), needs.Command(t, "unshare"), "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", setUp, "sandbox", s.dir, packages)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var said strings.Builder
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "%s", &said)
	children, err := exec.CommandContext(t.Context(), "pgrep", "--parent", fmt.Sprint(cmd.Process.Pid)).Output()
	require.NoError(t, err)
	s.pid = strings.TrimSpace(string(children))
	return s
}

// try runs a command line of the shell in it.
func (s *sandbox) try(command string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), needs.Command(s.t, "nsenter"), "--target", s.pid, "--mount", "--pid",
		"chroot", s.dir+"/root", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "sh", "-c", "exec 2>&1; "+command)
	out, err := cmd.Output()
	return strings.TrimRight(string(out), "\n"), err
}

// run is try of what must succeed.
func (s *sandbox) run(command string) string {
	s.t.Helper()
	out, err := s.try(command)
	require.NoError(s.t, err, "%s\n%s", command, out)
	return out
}

// fails is try of what must not.
func (s *sandbox) fails(command string) string {
	s.t.Helper()
	out, err := s.try(command)
	var exit *exec.ExitError
	require.ErrorAs(s.t, err, &exit, "%s\n%s", command, out)
	return out
}
