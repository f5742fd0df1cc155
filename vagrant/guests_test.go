//go:build vagrant

// Package vagrant plays the tutorial, and what only a whole machine shows, through on the virtual machines of the Vagrantfile beside it.
// `make vagrant-test` brings them up, runs these tests, writes docs/vagrant-run.md and takes them down again.
package vagrant

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The machines of the Vagrantfile.
var (
	balancers  = []string{"lb-1", "lb-2", "lb-3"}
	appServers = []string{"app-1", "app-2"}
)

// client is where visitors come from: the machine of the simulated cloud, which routes floating addresses to their holders.
const client = "cloud"

// machines are the virtual machines.
type machines struct {
	dir string // of the sockets of ssh and its configuration
	log *record
}

// open finds out how each machine is reached.
func open(t *testing.T) *machines {
	t.Helper()
	dir, err := os.MkdirTemp("", "hawser-vagrant-") //nolint:usetesting // t.TempDir is too long for sockets
	require.NoError(t, err)
	m := &machines{dir: dir, log: &record{}}
	out, err := m.host(t.Context(), 2*time.Minute, "vagrant", "ssh-config")
	require.NoError(t, err, "the machines are not up: run make vagrant-up")
	// One connection for each machine: logging in takes seconds on an emulated processor.
	shared := fmt.Sprintf("  ControlMaster auto\n  ControlPath %s/%%n\n  ControlPersist 120\n  ServerAliveInterval 5\n  ServerAliveCountMax 6\n  ConnectTimeout 30\n", dir)
	var conf strings.Builder
	for line := range strings.Lines(out) {
		conf.WriteString(line)
		if strings.HasPrefix(line, "Host ") {
			conf.WriteString(shared)
		}
	}
	require.NoError(t, os.WriteFile(m.sshConfig(), []byte(conf.String()), 0o600))
	t.Cleanup(func() {
		for _, name := range append(append([]string{client}, balancers...), appServers...) {
			m.forget(name)
		}
		_ = os.RemoveAll(dir)
	})
	return m
}

func (m *machines) sshConfig() string { return filepath.Join(m.dir, "config") }

// emulated is whether make vagrant-up runs the machines without KVM: everything is ten to twenty times slower then.
func (m *machines) emulated() bool {
	driver, err := os.ReadFile(".vagrant/hawser/driver")
	return err == nil && strings.TrimSpace(string(driver)) == "qemu"
}

// host runs a command on this machine, in the Vagrantfile's directory.
func (m *machines) host(ctx context.Context, within time.Duration, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return output(exec.CommandContext(ctx, args[0], args[1:]...)) //nolint:gosec // the words are this package's
}

// commandError is a command that failed, with what it said.
type commandError struct {
	command string
	err     error
	stderr  string
}

func (e *commandError) Error() string {
	return fmt.Sprintf("%s: %v: %s", e.command, e.err, strings.TrimSpace(e.stderr))
}
func (e *commandError) Unwrap() error { return e.err }

func output(cmd *exec.Cmd) (string, error) {
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &complaint, time.Second
	if err := cmd.Run(); err != nil {
		return out.String(), &commandError{strings.Join(cmd.Args, " "), err, complaint.String()}
	}
	return out.String(), nil
}

// ssh is a command of a shell on a machine, run by root.
func (m *machines) ssh(ctx context.Context, machine, script string) *exec.Cmd {
	return exec.CommandContext(ctx, "ssh", "-F", m.sshConfig(), machine, "sudo", "sh", "-c", quoted(script)) //nolint:gosec // as above
}

// quoted is a word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// commandLimit is how long a command on a machine may take: everything is ten to twenty times slower on an emulated processor.
const commandLimit = 6 * time.Minute

// try runs a shell's command on a machine, as root, and returns what it printed.
func (m *machines) try(machine, script string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	out, err := output(m.ssh(ctx, machine, script))
	return strings.TrimRight(out, "\n"), err
}

// run is try of a command that must succeed.
func (m *machines) run(t testing.TB, machine, script string) string {
	t.Helper()
	out, err := m.try(machine, script)
	require.NoError(t, err, "on %s: %s", machine, out)
	return out
}

// write puts a file on a machine, readable by root only.
func (m *machines) write(t testing.TB, machine, path string, content []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	cmd := m.ssh(ctx, machine, "umask 077; cat >"+quoted(path))
	cmd.Stdin = bytes.NewReader(content)
	_, err := output(cmd)
	require.NoError(t, err)
}

// copyTo puts a file of this machine on another one.
func (m *machines) copyTo(t testing.TB, machine, from, path string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	m.write(t, machine, path, content)
}

// forget ends the shared connection to a machine, which may not be there any more.
func (m *machines) forget(machine string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = exec.CommandContext(ctx, "ssh", "-F", m.sshConfig(), "-O", "exit", machine).Run() //nolint:gosec // as above
	_ = os.Remove(filepath.Join(m.dir, machine))
}

// reboot makes a machine reboot in order, and does not wait for it.
func (m *machines) reboot(t testing.TB, machine string) (bootID string) {
	t.Helper()
	bootID = m.bootID(t, machine)
	m.run(t, machine, "systemd-run --no-block --quiet --on-active=1 systemctl reboot") // so that ssh is answered
	return bootID
}

// cut takes the power of a machine away.
func (m *machines) cut(t testing.TB, machine string) {
	t.Helper()
	out, err := m.host(t.Context(), 3*time.Minute, "vagrant", "halt", "--force", machine)
	require.NoError(t, err, out)
	m.forget(machine)
}

// power gives it back.
func (m *machines) power(t testing.TB, machine string) {
	t.Helper()
	out, err := m.host(t.Context(), 10*time.Minute, "vagrant", "up", "--no-provision", machine)
	require.NoError(t, err, out)
}

// bootID changes with each boot (random(4)).
func (m *machines) bootID(t testing.TB, machine string) string {
	t.Helper()
	return m.run(t, machine, "cat /proc/sys/kernel/random/boot_id")
}

// rebooted waits until a machine has rebooted.
func (m *machines) rebooted(t testing.TB, machine, before string) {
	t.Helper()
	eventually(t, 5*time.Minute, machine+" has booted", func() error {
		now, err := m.try(machine, "cat /proc/sys/kernel/random/boot_id")
		if err != nil {
			m.forget(machine)
			return err
		}
		if now == before {
			return errors.New("it has not gone down yet")
		}
		return nil
	})
}

// eventually waits for a condition.
func eventually(t testing.TB, within time.Duration, what string, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s: %v", within, what, err)
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%s: %v", what, t.Context().Err())
		case <-time.After(2 * time.Second): // each look is a process of sshd, sudo and a shell there
		}
	}
}
