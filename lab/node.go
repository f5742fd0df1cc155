package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/atomicfile"
)

// powerOff is SIGRTMIN+4, by which systemd starts poweroff.target (systemd(1), SIGNALS).
const powerOff = syscall.Signal(34 + 4)

// ErrDown says that a node is not running.
var ErrDown = errors.New("the node is not running")

func (l *Lab) pidPath(node string) string { return l.path("nodes", node, "pid") }

// initOf returns the node's PID 1.
func (l *Lab) initOf(node string) (process, error) {
	if _, err := l.Node(node); err != nil {
		return process{}, err
	}
	p, err := readProcess(l.pidPath(node))
	if err != nil || !p.alive() {
		return process{}, fmt.Errorf("lab: %s: %w; `hawser-lab --name %s boot %s` starts it", node,
			ErrDown, l.spec.Name, node)
	}
	return p, nil
}

// Running says whether the node's power is on.
func (l *Lab) Running(node string) bool {
	_, err := l.initOf(node)
	return err == nil
}

func readProcess(path string) (process, error) {
	var p process
	b, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(b, &p)
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = atomicfile.Write(path, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("lab: write %s: %w", path, err)
	}
	return nil
}

// Boot switches the node's power on: a fresh /run and /dev/shm, the disk as the node left it. It
// returns when the node's PID 1 is working; WaitCluster waits for the rest. Cut links stay cut. In
// place of a node a site may be named: then those of its nodes are booted that are down.
func (l *Lab) Boot(ctx context.Context, node string) error {
	return l.locked(func() error {
		if !l.spec.hasSite(node) {
			return l.boot(ctx, node)
		}
		var failed []error
		for _, n := range l.spec.site(node) {
			if !l.Running(n.Name) {
				failed = append(failed, l.boot(ctx, n.Name))
			}
		}
		return errors.Join(failed...)
	})
}

func (l *Lab) boot(ctx context.Context, node string) error {
	n, err := l.Node(node)
	if err != nil {
		return err
	}
	if l.Running(node) {
		return fmt.Errorf("lab: boot %s: it is running; `hawser-lab reboot` reboots it", node)
	}
	_, err = os.Stat(l.Disk(node))
	first := errors.Is(err, os.ErrNotExist)
	m, err := l.machine(ctx, n, first)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.path("nodes", node), 0o755); err != nil {
		return fmt.Errorf("lab: boot %s: %w", node, err)
	}
	specPath := l.path("nodes", node, "machine.json")
	if err := writeJSON(specPath, m); err != nil {
		return err
	}
	if m.Cgroup != "" {
		if err := removeCgroup(m.Cgroup); err != nil {
			return err
		}
	}
	if err := l.removeCables(node, n.nics()); err != nil {
		return err
	}
	if err := removeNetns(l.netnsPath(node)); err != nil {
		return err
	}
	if err := l.plug(node, n.nics()); err != nil {
		return err
	}
	if err := l.renewRelays(node); err != nil {
		return err
	}
	flags := uintptr(unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC)
	p, err := l.spawn(l.netnsPath(node), argInit, specPath, l.ConsoleLog(node), flags)
	if err != nil {
		return err
	}
	if err := writeJSON(l.pidPath(node), p); err != nil || m.Cgroup == "" {
		return err
	}
	if err := waitSystemd(ctx, p); err != nil {
		return fmt.Errorf("lab: boot %s: %w; its console:\n%s", node, err,
			tail(l.ConsoleLog(node), 5))
	}
	return nil
}

// running returns the node and its first process. The error is ErrDown if it is down.
func (l *Lab) running(node string) (Node, process, error) {
	n, err := l.Node(node)
	if err != nil {
		return n, process{}, err
	}
	p, err := l.initOf(node)
	return n, p, err
}

// Kill cuts the node's power: its cables go dead first, then everything in it ends at once, so that
// no process and no socket can send anything more. The cloud keeps sending it the traffic of its
// addresses. It is not an error if the node is already down. In place of a node a site may be named:
// then all of its nodes lose power at once.
func (l *Lab) Kill(node string) error {
	nodes := []string{node}
	if l.spec.hasSite(node) {
		nodes = nil
		for _, n := range l.spec.site(node) {
			nodes = append(nodes, n.Name)
		}
	}
	return l.locked(func() error { return l.kill(nodes) })
}

func (l *Lab) kill(nodes []string) error {
	var dying []process
	for _, node := range nodes {
		n, p, err := l.running(node)
		if errors.Is(err, ErrDown) {
			continue
		}
		if err == nil {
			err = l.unplug(node, n.nics())
		}
		if err != nil {
			return err
		}
		dying = append(dying, p)
	}
	for _, p := range dying {
		if err := p.signal(syscall.SIGKILL); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, p := range dying {
		if err := p.waitGone(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Shutdown stops the node cleanly: Pacemaker stops or moves its resources, Corosync leaves the
// cluster, then the power goes off. It is not an error if the node is already down.
func (l *Lab) Shutdown(ctx context.Context, node string) error {
	return l.locked(func() error { return l.shutdown(ctx, node) })
}

func (l *Lab) shutdown(ctx context.Context, node string) error {
	n, p, err := l.running(node)
	if errors.Is(err, ErrDown) {
		return nil
	}
	if err != nil {
		return err
	}
	stop := syscall.SIGTERM
	if l.spec.Systemd && n.Role == Balancer {
		stop = powerOff
	}
	if err := p.signal(stop); err != nil {
		return err
	}
	if err := p.waitGone(ctx); err != nil {
		return fmt.Errorf("lab: shut %s down: %w; its last words: %s", node, err,
			tail(l.ConsoleLog(node), 3))
	}
	return l.unplug(node, n.nics())
}

// Reboot is Shutdown and Boot. Real hardware would take longer.
func (l *Lab) Reboot(ctx context.Context, node string) error {
	return l.locked(func() error {
		if !l.Running(node) {
			return fmt.Errorf("lab: reboot %s: %w; `hawser-lab boot` starts it", node, ErrDown)
		}
		if err := l.shutdown(ctx, node); err != nil {
			return err
		}
		return l.boot(ctx, node)
	})
}
