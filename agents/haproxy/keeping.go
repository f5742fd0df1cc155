package haproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// How the agent's actions start, ask and end the keeper. The keeper itself is in keeper.go.

const (
	// keeperName is what the keeper is called in ps, pgrep and killall, and standbyName the process that takes its place when it dies.
	// The agent's file is called haproxy, and `killall haproxy` must take neither.
	keeperName, standbyName = contract.KeeperProcess, contract.StandbyProcess
	// keeperPatience is how long the keeper may take for an answer. It has one ready at any time.
	keeperPatience = time.Second
	// holdTime is how long the keeper holds the listening sockets between a stop and the start that is to follow it. What the cluster does
	// in between is done in a fraction of it; clients that are kept waiting for longer give up.
	holdTime = 10 * time.Second
	// lockTime is how long the kernel may take to give back the locks of a keeper that has ended.
	lockTime = 2 * time.Second
)

// identity tells one build of this program from another, so that a keeper of before an upgrade is replaced.
func identity(version string) string {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return version
	}
	return fmt.Sprintf("%s/%d/%d", version, info.Size(), info.ModTime().UnixNano())
}

// tell sends the keeper a line and returns its answer.
func (f files) tell(ctx context.Context, line string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, keeperPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", f.KeeperSocket())
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err := conn.Write([]byte(line + "\n")); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer), err
}

// keep makes sure that a keeper of this build watches, or that none does, as the parameter says, and that it knows the parameters and
// processes of now. A keeper that cannot be had is told of and fails nothing: the next monitor tries again.
func (a *agent) keep(ctx context.Context, f files) {
	call := ocf.CallFrom(ctx)
	if !a.keeper {
		if err := a.dismiss(ctx, f); err != nil {
			call.Warnf("%v", err)
		}
		return
	}
	if err := a.writeKeeperCall(ctx, f); err != nil {
		call.Warnf("the keeper goes on with the parameters of before: %v", err)
	}
	answer, err := f.tell(ctx, "look")
	if err == nil && answer == identity(a.version) {
		return
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) || held(f.KeeperLock()) {
		call.Infof("replacing the keeper (%q): %v", answer, err)
		if err := a.dismiss(ctx, f); err != nil {
			call.Warnf("%v", err)
			return
		}
	}
	if err := a.startKeeper(f, a.keeperEnv(f)); err != nil {
		call.Warnf("nobody watches HAProxy between two monitors: %v", err)
	}
}

// keeps is whether a keeper watches and answers. A monitor in the steady state asks nothing more.
func (a *agent) keeps(ctx context.Context, f files) bool {
	answer, err := f.tell(ctx, "ping")
	return err == nil && answer == identity(a.version)
}

// held is whether somebody has a lock.
func held(lock string) bool {
	file, err := os.OpenFile(lock, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

// writeKeeperCall leaves the parameters in effect for the keeper.
func (a *agent) writeKeeperCall(ctx context.Context, f files) error {
	text := strings.Join(ocf.CallFrom(ctx).Environ(a.declare()), "\x00")
	if old, err := os.ReadFile(f.KeeperCall()); err == nil && string(old) == text {
		return nil
	}
	return writeFile(f.KeeperCall(), []byte(text))
}

// keeperEnv is the whole environment of the keeper: which instance it is of, and how little memory is to be spent on it.
func (a *agent) keeperEnv(f files) []string {
	env := []string{
		searchPath, instanceVariable + "=" + f.Instance(), rundirVariable + "=" + f.RunDir(),
		"GOMAXPROCS=1", "GOGC=20", "GOMEMLIMIT=12MiB",
	}
	for _, entry := range os.Environ() { // such as PCMK_ipc_buffer, which the tools need to talk to Pacemaker
		if strings.HasPrefix(entry, "PCMK_") {
			env = append(env, entry)
		}
	}
	return env
}

const instanceVariable, rundirVariable = "OCF_RESOURCE_INSTANCE", contract.RunDirVariable

// startKeeper runs this program as the keeper. One that finds another ends by itself.
func (a *agent) startKeeper(f files, env []string) error {
	program := a.program
	if target, err := os.Readlink(program); err == nil && filepath.IsAbs(target) {
		program = strings.TrimSuffix(target, " (deleted)")
	}
	for _, link := range []string{f.KeeperLink(), f.StandbyLink()} {
		if target, err := os.Readlink(link); err == nil && target == program {
			continue
		}
		if err := errors.Join(remove(link), os.Symlink(program, link)); err != nil {
			return fmt.Errorf("cannot start the keeper: %w", err)
		}
	}
	_, _, err := detach(f.KeeperLink(), keeperName, env)
	return err
}

// keepers are the instance's keeper and its standby. They are found by their environment, so that no file that could be gone is needed.
func (f files) keepers() (family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return family{}, err
	}
	var fam family
	for _, pid := range pids {
		args := procfs.Default.Args(pid)
		if !IsKeeper(args) || pid == os.Getpid() {
			continue
		}
		env, err := procfs.Default.Environ(pid)
		if err != nil || procfs.Lookup(env, instanceVariable) != f.Instance() || procfs.Lookup(env, rundirVariable) != f.RunDir() ||
			procfs.Default.PIDNamespace(pid) != procfs.Default.PIDNamespace(os.Getpid()) {
			continue
		}
		if v, err := procfs.Default.Stat(pid); err == nil && !v.Dead() {
			fam.others = append(fam.others, member{process{pid, v.Start, procfs.Default.Executable(pid)}, v, args})
		}
	}
	return fam, nil
}

// dismiss ends the keeper and its standby; the kernel closes the sockets that they held. Each takes the other's place, so it is done
// until none is left.
//
// A process of several threads is a zombie as soon as the first of them has ended, and has its files until the last one has: a keeper that is
// started meanwhile finds the lock taken and ends. So the locks have to be free too, for which lockTime is allowed.
func (a *agent) dismiss(ctx context.Context, f files) error {
	until := time.Now().Add(lockTime)
	for {
		fam, err := f.keepers()
		if err != nil {
			return err
		}
		if fam.empty() {
			if !held(f.KeeperLock()) && !held(f.StandbyLock()) || time.Now().After(until) {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(askEvery):
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the keeper cannot be ended: %s: %w", fam, err)
		}
		fam.signal(unix.SIGKILL)
		fam.wait(ctx, time.Now().Add(stopAgain))
	}
}

// onHeldSockets is HAProxy's command line, with the sockets of a keeper that holds any. -x stands in front, where HAProxy leaves it out
// when the master executes itself anew.
func (a *agent) onHeldSockets(ctx context.Context, f files, args []string) []string {
	if !a.holds(ctx, f) {
		return args
	}
	return append([]string{"-x", f.KeeperSocket()}, args...)
}

// holds is whether a keeper holds listening sockets. The keeper itself, whose own socket answers as well, asks in the same way.
func (a *agent) holds(ctx context.Context, f files) bool {
	answer, err := f.tell(ctx, "held")
	return err == nil && answer != "0" && answer != ""
}
