package vagrant

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
)

// world is a machine on which the scripts find other programs, limits and devices than there are: a copy of the scripts, and a PATH that
// holds what a test puts there and the plain tools alone.
type world struct {
	dir string // the copy of this directory
	bin string
	env []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{dir: filepath.Join(root, "vagrant"), bin: filepath.Join(root, "bin")}
	for _, dir := range []string{w.dir, w.bin, filepath.Join(root, "packages")} {
		require.NoError(t, os.Mkdir(dir, 0o755))
	}
	for _, name := range []string{"preflight.sh", "up.sh", "down.sh", "daemons.sh", "sweep.sh", "kvm.sh"} {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(w.dir, name), b, 0o755))
	}
	for _, name := range []string{
		"awk", "bash", "cat", "chgrp", "chmod", "comm", "cp", "cut", "dirname", "find", "flock", "getent", "grep", "head", "id", "kill", "mkdir", "mknod", "mktemp",
		"mount", "rm", "rmdir", "sed", "sh", "sleep", "sort", "stat", "tail", "timeout", "touch", "tr", "unshare",
	} {
		path, err := exec.LookPath(name)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(w.bin, name)))
	}
	w.file(t, "meminfo", "MemTotal: 32000000 kB\nMemAvailable: 30000000 kB\n")
	w.env = []string{
		"PATH=" + w.bin, "WORLD=" + root, "HAWSER_TUN=/dev/null", "HAWSER_MEMINFO=" + filepath.Join(root, "meminfo"), "HAWSER_POOL=" + root,
		"HAWSER_DEBS=" + filepath.Join(root, "packages"), "HAWSER_DRIVER=kvm", "HOME=" + root,
	}
	w.fake(t, "vagrant", `echo "vagrant $*" >>"$WORLD/calls"
case $1 in
box) exit 0 ;;
up)
	trap 'echo interrupted >>"$WORLD/calls"; exit 130' INT # before the id, for which the test waits
	mkdir -p .vagrant/machines/cloud/libvirt
	echo 1 >.vagrant/machines/cloud/libvirt/id
	[ ! -e "$WORLD/fails" ] || exit 1
	while :; do sleep 0.1; done ;;
destroy) rm -rf .vagrant/machines/cloud ;;
esac`)
	w.fake(t, "virsh", `[ -e "$WORLD/libvirt" ] || exit 1
shift 2
[ ! -e "$WORLD/answer.$1" ] || { cat "$WORLD/answer.$1" && exit 0; }
[ "$1" = version ]`)
	for _, daemon := range []string{"virtlogd", "libvirtd"} {
		// A process of that name, in the background, as a daemon leaves one.
		w.fake(t, daemon, fmt.Sprintf(`mkdir -p "$WORLD/daemons"
cp -L "$(command -v sleep)" "$WORLD/daemons/%[1]s"
"$WORLD/daemons/%[1]s" 600 </dev/null >/dev/null 2>&1 &
echo $! >"$3"
echo "%[1]s started" >>"$WORLD/calls"
touch "$WORLD/libvirt"`, daemon))
	}
	for _, name := range []string{"qemu-system-x86_64", "dnsmasq", "ss"} {
		w.fake(t, name, "exit 0")
	}
	w.fake(t, "ip", "echo '2: eth0    inet 192.0.2.2/24 scope global eth0'")
	w.fake(t, "df", "printf 'Avail\\n99999\\n'")
	w.file(t, "packages/hawser_1-1_amd64.deb", "")
	return w
}

func (w *world) fake(t *testing.T, name, script string) {
	t.Helper()
	path := filepath.Join(w.bin, name)
	_ = os.Remove(path) // a tool of this machine may be there
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/bash\n"+script+"\n"), 0o755))
}

func (w *world) without(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, os.Remove(filepath.Join(w.bin, name)))
	}
}

func (w *world) file(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(w.dir), name), []byte(content), 0o644))
}

func (w *world) calls(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(w.dir), "calls"))
	if !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
	}
	return string(b)
}

func (w *world) command(t *testing.T, script string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(w.dir, script))
	cmd.Env, cmd.WaitDelay = w.env, 10*time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	return cmd, &out
}

// run returns the exit code and all that was printed.
func (w *world) run(t *testing.T, script string) (int, string) {
	t.Helper()
	cmd, out := w.command(t, script)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit, "%s", out)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// left lists what is in the directory beside the scripts.
func (w *world) left(t *testing.T) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".sh" && filepath.Base(path) != "lock" {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func TestPreflight(t *testing.T) {
	w := newWorld(t)
	code, out := w.run(t, "preflight.sh")
	require.Equal(t, "libvirt\n", out)
	require.Zero(t, code)
	w.without(t, "virsh", "libvirtd")
	w.fake(t, "VBoxManage", "exit 0")
	_, out = w.run(t, "preflight.sh")
	require.Equal(t, "virtualbox\n", out)
}

func TestPreflightRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, w *world)
		says  []string
	}{
		"no provider": {
			func(t *testing.T, w *world) { w.without(t, "virsh", "libvirtd") },
			[]string{"there is neither libvirt (virsh, libvirtd) nor VirtualBox (VBoxManage)", "vagrant/deps.sh installs libvirt"},
		},
		"no vagrant": {
			func(t *testing.T, w *world) { w.without(t, "vagrant") },
			[]string{"there is no vagrant", "vagrant/deps.sh"},
		},
		"a provider that is not there": {
			func(_ *testing.T, w *world) { w.env = append(w.env, "HAWSER_PROVIDER=virtualbox") },
			[]string{"there is no VBoxManage", "HAWSER_PROVIDER=libvirt"},
		},
		"an unknown provider": {
			func(_ *testing.T, w *world) { w.env = append(w.env, "HAWSER_PROVIDER=docker") },
			[]string{"HAWSER_PROVIDER=docker is no provider"},
		},
		"no tun": {
			func(_ *testing.T, w *world) { w.env = append(w.env, "HAWSER_TUN=/nonexistent/tun") },
			[]string{"there is no /nonexistent/tun", "modprobe tun"},
		},
		"too little memory": {
			func(t *testing.T, w *world) {
				w.file(t, "meminfo", "MemTotal: 32000000 kB\nMemAvailable: 1024000 kB\n")
			},
			[]string{"take 3456 MiB of memory, and 1000 MiB are available"},
		},
		"too little memory for emulation": {
			func(t *testing.T, w *world) {
				w.env = append(w.env, "HAWSER_DRIVER=qemu")
				w.file(t, "meminfo", "MemAvailable: 5120000 kB\n")
			},
			[]string{"take 6912 MiB of memory, and 5000 MiB are available"},
		},
		"too little room": {
			func(t *testing.T, w *world) { w.fake(t, "df", "printf 'Avail\\n 512\\n'") },
			[]string{"take up to 6144 MiB in ", "and 512 MiB are free"},
		},
		"the network is taken": {
			func(t *testing.T, w *world) {
				w.fake(t, "ip", "echo '7: eth7    inet 192.168.121.5/24 scope global eth7'")
			},
			[]string{"192.168.121.0/24", "eth7 has 192.168.121.5/24", "HAWSER_MANAGEMENT_NET="},
		},
		"a port is taken": {
			func(t *testing.T, w *world) {
				w.fake(t, "ss", `case "$*" in *":53") echo 'UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("named",pid=7,fd=6))' ;; esac`)
			},
			[]string{"UDP port 53 is taken on every address", `users:(("named",pid=7,fd=6))`},
		},
		"a machine of somebody else's": {
			func(t *testing.T, w *world) { w.file(t, "libvirt", ""); w.file(t, "answer.domuuid", "6c1e\n") },
			[]string{"libvirt has a machine hawser-lb-1 that was not made from this directory", "HAWSER_PREFIX="},
		},
		"everything at once": {
			func(t *testing.T, w *world) {
				w.without(t, "vagrant", "dnsmasq")
				w.file(t, "meminfo", "MemAvailable: 1024 kB\n")
			},
			[]string{"there is no vagrant", "there is no dnsmasq", "1 MiB are available"},
		},
		"no packages": {
			func(t *testing.T, w *world) { require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "..", "packages"))) },
			[]string{"there is no hawser_*_amd64.deb", "make package"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.spoil(t, w)
			code, out := w.run(t, "up.sh")
			require.Equal(t, 1, code, "%s", out)
			for _, text := range c.says {
				require.Contains(t, out, text)
			}
			require.NotContains(t, w.calls(t), "up", "nothing is begun")
			require.NotContains(t, w.calls(t), "started", "no daemon is started")
			require.Empty(t, w.left(t), "nothing is left behind")
		})
	}
}

func TestPreflightKnowsItsOwn(t *testing.T) {
	w := newWorld(t)
	w.file(t, "libvirt", "")
	w.file(t, "answer.domstate", "running\n\n")
	w.file(t, "meminfo", "MemAvailable: 1024000 kB\n") // what they take is taken
	w.fake(t, "df", "printf 'Avail\n 512\n'")
	w.file(t, "answer.net-dumpxml", "<network>\n  <bridge name='virbr3' stp='on'/>\n</network>\n")
	w.fake(t, "ip", "echo '7: virbr3    inet 192.168.121.1/24 scope global virbr3'")
	w.file(t, "answer.domuuid", "6c1e\n")
	for _, name := range []string{"cloud", "app-1", "app-2", "lb-1", "lb-2", "lb-3"} {
		dir := filepath.Join(w.dir, ".vagrant", "machines", name, "libvirt")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "id"), []byte("6c1e"), 0o644))
	}
	code, out := w.run(t, "preflight.sh")
	require.Zero(t, code, "%s", out)
}

// TestUpGivesUp is a make vagrant-up that ends before the machines are there, by itself or by a signal.
func TestUpGivesUp(t *testing.T) {
	for name, c := range map[string]struct {
		fails, libvirt bool
		signal         syscall.Signal
		code           int
	}{
		"vagrant fails":                       {fails: true, code: 1},
		"Ctrl-C":                              {signal: syscall.SIGINT, code: 130},
		"terminated":                          {signal: syscall.SIGTERM, code: 143},
		"Ctrl-C, with somebody's own libvirt": {signal: syscall.SIGINT, code: 130, libvirt: true},
	} {
		t.Run(name, func(t *testing.T) {
			needs.Root(t)
			w := newWorld(t)
			if c.fails {
				w.file(t, "fails", "")
			}
			if c.libvirt {
				w.file(t, "libvirt", "")
			}
			cmd, out := w.command(t, "up.sh")
			require.NoError(t, cmd.Start())
			if c.signal != 0 {
				made := filepath.Join(w.dir, ".vagrant", "machines", "cloud", "libvirt", "id")
				require.Eventually(t, func() bool { _, err := os.Stat(made); return err == nil }, time.Minute, 20*time.Millisecond, "vagrant up has begun")
				require.NoError(t, cmd.Process.Signal(c.signal))
			}
			require.Error(t, cmd.Wait())
			require.Equal(t, c.code, cmd.ProcessState.ExitCode(), "%s", out)
			calls := w.calls(t)
			require.Contains(t, calls, "vagrant up --provider libvirt cloud")
			require.Contains(t, calls, "vagrant destroy --force cloud")
			require.Equal(t, !c.libvirt, strings.Contains(calls, "libvirtd started"))
			if c.signal != 0 {
				require.Contains(t, calls, "interrupted", "vagrant was told, and could finish its step")
			}
			require.Empty(t, w.left(t), "nothing is left behind")
			require.Empty(t, w.daemons(t), "and no daemon of ours runs")
		})
	}
}

// daemons are those of the fakes' processes that still run.
func (w *world) daemons(t *testing.T) (running []string) {
	t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	for _, exe := range exes {
		if path, err := os.Readlink(exe); err == nil && strings.HasPrefix(path, filepath.Join(filepath.Dir(w.dir), "daemons")) {
			running = append(running, path)
		}
	}
	return running
}
