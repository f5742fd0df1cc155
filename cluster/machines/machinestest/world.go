// Package machinestest is a cluster of machines for tests: a directory for each, in which command
// lines run with stand-ins for Corosync's tools, systemctl and the network. Certificates are made by
// the real corosync-qnetd-certutil and corosync-qdevice-net-certutil.
//
// The stand-ins are the test program itself, called by another name: a package that uses this has a
// TestMain that calls Main. Open this file first; tools.go has the stand-ins, and
// exec.go runs command lines.
package machinestest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/needs"
)

// Host is the machine with corosync-qnetd.
const Host = "qnetd"

// World is the machines.
type World struct {
	t    testing.TB
	Root string

	mu sync.Mutex
	// ran are the command lines that changed something, with their machines.
	ran []string
	// down are machines that do not answer.
	down map[string]bool
	// stopAt is the number of the changing command line at which whoever gives them is killed: half
	// way through its input, if that is how.
	stopAt int
	how    How
	cancel context.CancelFunc
}

// How says when somebody is killed.
type How int

// Killed while the command line's input was under way, or when it had run and before he knew.
const (
	Within How = iota
	After
)

// New makes machines of these names with a running cluster of theirs, and one with corosync-qnetd.
func New(t testing.TB, nodes ...string) *World {
	t.Helper()
	for _, tool := range []string{"corosync-qnetd-certutil", "corosync-qdevice-net-certutil"} {
		needs.Command(t, tool)
	}
	w := &World{t: t, Root: t.TempDir(), down: map[string]bool{}}
	cluster := corosync.Cluster{Name: "edge", Cipher: "aes256", Hash: "sha256", Timing: corosync.LAN}
	for i, name := range nodes {
		cluster.Nodes = append(cluster.Nodes,
			corosync.Member{Name: name, Addresses: []string{Address(i + 1)}})
	}
	bin := filepath.Join(w.Root, "bin")
	require.NoError(t, os.Mkdir(bin, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	for name := range tools() {
		require.NoError(t, os.Symlink(self, filepath.Join(bin, name)))
	}
	for name, text := range scripts() {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"),
			0o755)) //nolint:gosec // a program
	}
	for i, name := range nodes {
		w.Machine(name, Address(i+1))
		w.Write(name, corosync.ConfFile, cluster.Conf())
		w.Write(name, machines.KeyFile, "a key that nobody may see")
	}
	for _, name := range nodes {
		for _, unit := range []string{"corosync", "pacemaker"} {
			w.Write(name, "/units/"+unit+".enabled", "")
			w.Write(name, "/units/"+unit+".active", "")
		}
		w.Write(name, "/loaded", cluster.Conf())
	}
	w.Machine(Host, "10.132.0.100")
	w.Write(Host, "/units/corosync-qnetd.active", "")
	require.NoError(t, os.MkdirAll(w.Path(Host, "/etc/corosync/qnetd"), 0o755))
	_, err = w.Shell().Run(t.Context(), Host, "corosync-qnetd-certutil -i -G", nil)
	require.NoError(t, err)
	w.ran = nil
	return w
}

// Copy is another world that is as this one.
func (w *World) Copy(t testing.TB) *World {
	t.Helper()
	other := &World{t: t, Root: t.TempDir(), down: map[string]bool{}}
	copyAll(t, w.Root, other.Root)
	return other
}

// Address is that of the n-th node.
func Address(n int) string { return fmt.Sprintf("10.132.0.%d", 10+n) }

// Machine adds a machine that has nothing but its packages.
func (w *World) Machine(name, address string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(w.Path(name, "/units"), 0o755))
	require.NoError(w.t, os.MkdirAll(w.Path(name, "/etc/corosync"), 0o755))
	require.NoError(w.t, os.MkdirAll(w.Path(name, "/root"), 0o700))
	w.Write(name, "/address", address)
}

// Path is a file of a machine.
func (w *World) Path(machine, path string) string { return filepath.Join(w.Root, machine, path) }

// Write writes a file of a machine.
func (w *World) Write(machine, path, text string) {
	w.t.Helper()
	require.NoError(w.t, os.MkdirAll(filepath.Dir(w.Path(machine, path)), 0o755))
	require.NoError(w.t, os.WriteFile(w.Path(machine, path), []byte(text), 0o600))
}

// Read reads one, "" if there is none.
func (w *World) Read(machine, path string) string {
	text, err := os.ReadFile(w.Path(machine, path))
	if err != nil {
		return ""
	}
	return string(text)
}

// Remove removes one.
func (w *World) Remove(machine, path string) {
	w.t.Helper()
	require.NoError(w.t, os.RemoveAll(w.Path(machine, path)))
}

// Edit changes a file of a machine.
func (w *World) Edit(machine, path, old, with string) {
	w.t.Helper()
	text := w.Read(machine, path)
	require.Contains(w.t, text, old)
	w.Write(machine, path, strings.ReplaceAll(text, old, with))
}

// Down has a machine not answer, and its Corosync be gone.
func (w *World) Down(machine string) {
	w.mu.Lock()
	w.down[machine] = true
	w.mu.Unlock()
	w.Remove(machine, "/loaded")
}

// LostQuorum says when a running node had no quorum, in the order of what was done.
func (w *World) LostQuorum() string { return w.Read("", "/lost") }

// Ran are the command lines since the last call that were to change something: "lb-1: LINE".
func (w *World) Ran() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ran := w.ran
	w.ran = nil
	return ran
}

// Kill has whoever gives command lines be killed at the n-th that changes something, from 1; cancel
// is his context's.
func (w *World) Kill(n int, how How, cancel context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopAt, w.how, w.cancel, w.ran = n, how, cancel, nil
}

// Shell reaches the machines.
func (w *World) Shell() machines.Shell { return shell{w} }

// Reach is how they are reached from one of them.
func (w *World) Reach(here string) machines.Reach {
	return machines.Reach{Here: here, Shell: func(string) machines.Shell { return w.Shell() }}
}

type shell struct{ w *World }

// asks says whether a command line only asks.
func asks(line string) bool {
	return strings.HasPrefix(line, "s() {") || strings.Contains(line, "-g ") ||
		strings.HasPrefix(line, "corosync-qdevice-tool -s") ||
		strings.HasPrefix(line, "corosync-quorumtool -s") || strings.HasPrefix(line, "crm_node -l")
}

// Run implements machines.Shell.
func (s shell) Run(ctx context.Context, machine, line string, input []byte) (string, error) {
	w := s.w
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	w.mu.Lock()
	down := w.down[machine]
	killed := false
	if !asks(line) {
		w.ran = append(w.ran, machine+": "+line)
		killed = w.stopAt > 0 && len(w.ran) == w.stopAt
	}
	how, cancel := w.how, w.cancel
	w.mu.Unlock()
	if _, err := os.Stat(w.Path(machine, "")); err != nil || down {
		return "", &machines.UnreachableError{
			Machine: machine, Command: "ssh", Err: errors.New("exit status 255"),
			Said: "ssh: connect to host " + machine + " port 22: No route to host",
		}
	}
	if killed && how == Within {
		input = input[:len(input)/2]
	}
	out, err := s.run(machine, line, input)
	if killed {
		cancel()
		return "", context.Canceled
	}
	return out, err
}
