package instance

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/companion"
	"github.com/hawser-ha/hawser/agents/haproxy/family"
	"github.com/hawser-ha/hawser/agents/haproxy/migrate"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/ocf"
)

// How the agent's actions start, ask and end the keeper. The keeper itself is in package keeper.

const (
	// KeeperPatience is how long to wait for an answer of the keeper, which has one ready at any
	// time.
	KeeperPatience = time.Second
	// HoldTime is how long the keeper holds the listening sockets between a stop and the start that
	// follows it. The cluster needs a fraction of that; clients that wait longer give up.
	HoldTime = 10 * time.Second
	// lockTime is how long the kernel may take to release the locks of a keeper that has ended.
	lockTime = 2 * time.Second
)

// Identity tells one build of this program from another, so that an upgrade replaces the keeper.
func Identity(version string) string {
	info, err := os.Stat("/proc/self/exe")
	if err != nil {
		return version
	}
	return fmt.Sprintf("%s/%d/%d", version, info.Size(), info.ModTime().UnixNano())
}

// AskKeeper sends the keeper a line and returns its answer.
func (in *Instance) AskKeeper(ctx context.Context, line string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, KeeperPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", in.KeeperSocket())
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

// EnsureKeeper makes sure that a keeper of this build watches HAProxy with the current parameters,
// or that there is none, as the parameter keeper says. If no keeper can be started, that is logged
// and nothing fails: the next monitor tries again.
func (in *Instance) EnsureKeeper(ctx context.Context, parameters []string) {
	call := ocf.CallFrom(ctx)
	if !in.Keeper {
		if err := in.DismissKeeper(ctx); err != nil {
			call.Warnf("%v", err)
		}
		return
	}
	if err := in.writeKeeperCall(parameters); err != nil {
		call.Warnf("the keeper continues with the previous parameters: %v", err)
	}
	answer, err := in.AskKeeper(ctx, "look")
	if err == nil && answer == Identity(in.Version) {
		return
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) ||
		Locked(in.KeeperLock()) {
		call.Infof("replacing the keeper (%q): %v", answer, err)
		if err := in.DismissKeeper(ctx); err != nil {
			call.Warnf("%v", err)
			return
		}
	}
	if err := in.startKeeper(in.KeeperEnv()); err != nil {
		call.Warnf("nothing watches HAProxy between two monitors: %v", err)
	}
}

// HasKeeper reports whether a keeper of this build answers. In the steady state a monitor asks
// nothing more.
func (in *Instance) HasKeeper(ctx context.Context) bool {
	answer, err := in.AskKeeper(ctx, "ping")
	return err == nil && answer == Identity(in.Version)
}

// Locked reports whether some process holds a lock.
func Locked(lock string) bool {
	file, err := os.OpenFile(lock, os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	return errors.Is(syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB),
		syscall.EWOULDBLOCK)
}

// writeKeeperCall writes the current parameters for the keeper.
func (in *Instance) writeKeeperCall(parameters []string) error {
	text := strings.Join(parameters, "\x00")
	if old, err := os.ReadFile(in.KeeperCall()); err == nil && string(old) == text {
		return nil
	}
	return writeFile(in.KeeperCall(), []byte(text))
}

// KeeperKnows reports whether the keeper has been told by what name Pacemaker knows this node. One that
// a start by hand left behind, while Pacemaker did not run, has not.
func (in *Instance) KeeperKnows(node string) bool {
	text, err := atomicfile.ReadOwn(in.KeeperCall())
	entries := strings.Split(strings.TrimRight(string(text), "\n"), "\x00")
	return err == nil && slices.Contains(entries, ocf.NodeEntry(node))
}

// KeeperEnv returns the whole environment of the keeper.
func (in *Instance) KeeperEnv() []string {
	return append(companion.Environ(), InstanceVariable+"="+in.Instance(),
		contract.RunDirVariable+"="+in.RunDir())
}

// InstanceVariable has the instance's name in the environment of the keeper,
// contract.RunDirVariable the runtime directory.
const InstanceVariable = "OCF_RESOURCE_INSTANCE"

// startKeeper runs this program as the keeper. It exits by itself if there is one already.
func (in *Instance) startKeeper(env []string) error {
	program := in.Program
	if target, err := os.Readlink(program); err == nil && filepath.IsAbs(target) {
		program = strings.TrimSuffix(target, " (deleted)")
	}
	for _, link := range []string{in.KeeperLink(), in.StandbyLink()} {
		if target, err := os.Readlink(link); err == nil && target == program {
			continue
		}
		if err := errors.Join(Remove(link), os.Symlink(program, link)); err != nil {
			return fmt.Errorf("cannot start the keeper: %w", err)
		}
	}
	_, _, err := companion.Detach(in.KeeperLink(), contract.KeeperProcess, env)
	return err
}

// Keepers returns the instance's keeper and its standby: root's processes of that name, found by
// their environment, which needs no file that could be missing.
func (in *Instance) Keepers() (Family, error) {
	pids, err := procfs.Default.PIDs()
	if err != nil {
		return Family{}, err
	}
	here := procfs.Default.PIDNamespace(os.Getpid())
	var fam Family
	for _, pid := range pids {
		// what reads a process's memory, and may have to wait for it, comes last
		name := procfs.Default.Name(pid)
		if name != contract.KeeperProcess && name != contract.StandbyProcess || pid == os.Getpid() ||
			!procfs.Default.Roots(pid) || procfs.Default.PIDNamespace(pid) != here {
			continue
		}
		args, known := family.Soon(func() []string { return procfs.Default.Args(pid) })
		if !known || !IsKeeper(args) {
			continue
		}
		env, known := family.Soon(func() []string {
			env, _ := procfs.Default.Environ(pid) // gone meanwhile
			return env
		})
		if !known || procfs.Lookup(env, InstanceVariable) != in.Instance() ||
			procfs.Lookup(env, contract.RunDirVariable) != in.RunDir() {
			continue
		}
		if v, err := procfs.Default.Stat(pid); err == nil && !v.Dead() {
			fam.Others = append(fam.Others, Member{
				Process: Process{PID: pid, Start: v.Start, Exe: procfs.Default.Executable(pid)},
				Stat:    v, Args: args})
		}
	}
	return fam, nil
}

// DismissKeeper ends the keeper and its standby; the kernel closes the sockets that they hold. Each
// takes the other's place, so this repeats until none is left.
//
// A process with several threads is a zombie as soon as the first of them has ended, and keeps its
// files until the last one has: a keeper started meanwhile would find the lock taken and exit. So
// this waits for the locks too, up to lockTime.
func (in *Instance) DismissKeeper(ctx context.Context) error {
	until := time.Now().Add(lockTime)
	for {
		fam, err := in.Keepers()
		if err != nil {
			return err
		}
		if fam.Empty() {
			migrate.Default(in.MigrateNote()).TurnBack() // one of them may have been about to
			if !Locked(in.KeeperLock()) && !Locked(in.StandbyLock()) || time.Now().After(until) {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(AskEvery):
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("the keeper cannot be ended: %s: %w", fam, err)
		}
		fam.Signal(unix.SIGKILL)
		fam.Wait(ctx, time.Now().Add(stopAgain))
	}
}

// OnHeldSockets returns HAProxy's command line, with the sockets of a keeper that holds any. -x
// comes first, where HAProxy drops it when the master executes itself again.
func (in *Instance) OnHeldSockets(ctx context.Context, args []string) []string {
	if !in.HoldsSockets(ctx) {
		return args
	}
	return append([]string{"-x", in.KeeperSocket()}, args...)
}

// HoldsSockets reports whether a keeper holds listening sockets. The keeper itself asks in the same
// way: its own socket answers it.
func (in *Instance) HoldsSockets(ctx context.Context) bool {
	answer, err := in.AskKeeper(ctx, "held")
	return err == nil && answer != "0" && answer != ""
}

// KeeperSays asks the keeper since when something has been so: "silent" since when HAProxy has not
// answered, "busy" since when it has been bringing HAProxy back. It returns for how long that has been
// so, 0 if it is not, or not known.
func (in *Instance) KeeperSays(ctx context.Context, what string) time.Duration {
	answer, err := in.AskKeeper(ctx, what)
	if err != nil {
		return 0
	}
	since, err := time.ParseDuration(answer)
	if err != nil {
		return 0
	}
	return since
}

// IsKeeper reports whether this process was started to be a keeper.
func IsKeeper(args []string) bool {
	return len(args) == 1 && (args[0] == contract.KeeperProcess ||
		args[0] == contract.StandbyProcess)
}
