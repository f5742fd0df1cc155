// Package keeper is the process that watches one HAProxy between two monitors and brings it back as
// soon as it dies or hangs.
//
// It imports the instance that it watches; it learns from the agent, through an interface, how the
// parameters are bound. Start reading here; watch.go is its loop, check.go does HAProxy's checks, link.go
// those of interfaces, well.go counts for how long they have held, examine.go runs hawser doctor.
package keeper

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/companion"
	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/haproxy/migrate"
	"github.com/hawser-ha/hawser/agents/haproxy/wellness"
	"github.com/hawser-ha/hawser/contract"
	client "github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// keeper is the process that a start leaves behind. It holds copies of HAProxy's listening sockets,
// and descriptors of its processes, so that it notices a death at once; it queries HAProxy every
// second, so that it notices a hang; and it brings HAProxy back.
//
// A second process, the standby, waits for the keeper's lock, which the kernel hands over the
// moment the keeper dies. Any further ones exit at once.
type keeper struct {
	agent func() Agent
	in    *instance.Instance
	id    string
	// wake is an eventfd that makes the loop check again.
	wake int
	// seen makes the next check of the node come soon.
	seen chan struct{}
	// rebind makes the checks go on with the parameters as they are now.
	rebind chan struct{}

	mu   sync.Mutex
	held *client.Sockets
	// from is the worker whose sockets are held.
	from int
	// holding is until when the sockets are held although HAProxy is being stopped.
	holding time.Time
	// stopped is set when HAProxy was stopped, until the checks of the next one begin: what they
	// showed was withdrawn then.
	stopped bool
	// silent is since when HAProxy has not answered, busy since when it has been brought back.
	silent, busy time.Time

	// unsaved is what the loop knows of HAProxy and could not write to a full /run.
	unsaved *instance.State
}

// What the keeper is asked besides.
const (
	// Silent asks since when HAProxy has not answered.
	Silent = "silent"
	// Busy asks since when the keeper has been bringing HAProxy back.
	Busy = "busy"
)

const (
	// askKeeping is how often the keeper queries HAProxy, and how long it waits for the answer.
	askKeeping = time.Second
	// seenTwice is how often in a row HAProxy must be seen to be stopped, or to refuse, to be brought
	// back.
	seenTwice = 2
	// hinderedFor is how many times as long a silence may take that the machine, and not HAProxy, may
	// be to blame for.
	hinderedFor = 10
	// keepTime is how long the keeper may take to bring HAProxy back.
	keepTime = 20 * time.Second
)

// Agent is the resource agent of one call, as far as the keeper needs it.
type Agent interface {
	// Declare returns the agent whose parameters are those of Instance.
	Declare() *ocf.Agent
	// Instance returns the HAProxy with the files in the directory.
	Instance(dir string) *instance.Instance
	// Checks returns the checks that the parameters ask for.
	Checks() []param.Check
	// Counter returns what counts for how long HAProxy has been well.
	Counter(*instance.Instance, contract.ResourceID) *wellness.Counter
}

// Run is the keeper's main function: it returns when the resource is stopped, given up, or no
// longer the cluster's. newAgent makes the agent of one call. The result is an exit code.
func Run(ctx context.Context, newAgent func() Agent) int {
	dir := filepath.Join(os.Getenv(contract.RunDirVariable), os.Getenv(instance.InstanceVariable))
	if os.Getenv(instance.InstanceVariable) == "" || !filepath.IsAbs(dir) {
		return int(ocf.ErrArgs)
	}
	in := newAgent().Instance(dir)
	k := &keeper{agent: newAgent, in: in, id: instance.Identity(in.Version),
		seen: make(chan struct{}, 1), rebind: make(chan struct{}, 1)}
	if os.Args[0] == contract.StandbyProcess {
		_ = waitForKeeper(in)
		return int(ocf.ErrGeneric)
	}
	lock, err := k.becomeKeeper()
	if err != nil {
		return int(ocf.ErrGeneric)
	}
	defer func() { _ = lock.Close() }()
	if !k.owns(lock) {
		return int(ocf.ErrGeneric) // a standby whose directory was deleted: others have theirs
	}
	if k.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return int(ocf.ErrGeneric)
	}
	if err := os.Remove(k.in.KeeperSocket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return int(ocf.ErrGeneric)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: k.in.KeeperSocket()})
	if err != nil {
		return int(ocf.ErrGeneric)
	}
	defer func() { _ = l.Close() }()
	if err := os.Chmod(k.in.KeeperSocket(), 0o600); err != nil {
		return int(ocf.ErrGeneric)
	}
	go k.serve(ctx, l)
	migrate.Default(k.in.MigrateNote()).TurnBack()

	k.moveOut(ctx) // before there is a standby, which is where its parent is
	standby := k.standBy()
	defer standby()
	examining, over := context.WithCancel(ctx)
	defer over()
	go k.examineNode(examining)
	var checking sync.WaitGroup
	checking.Go(func() { k.checkAll(examining) })
	go k.lookBeside(examining)
	k.watch(ctx, lock)
	over()
	checking.Wait() // nothing is published of a HAProxy that nobody watches any more
	k.release()
	return int(ocf.Success)
}

// moveOut puts the keeper into its scope, and also a HAProxy that is not in its own, because it was
// started before the agent knew of scopes, or because systemd did not answer then.
func (k *keeper) moveOut(ctx context.Context) {
	if !k.in.Systemd.Booted() {
		return
	}
	err := k.in.MoveTo(ctx, k.in.KeeperScope(), os.Getpid())
	if err != nil {
		err = fmt.Errorf("the keeper: %w", err)
	}
	if _, in := k.call(ctx); in != nil { // or its unit and its program are not known
		if fam, problem := in.Find(); problem == nil {
			if problem := in.MoveTo(ctx, in.Scope(), fam.PIDs()...); problem != nil {
				err = errors.Join(err, fmt.Errorf("HAProxy: %w", problem))
			}
		}
	}
	if err == nil {
		return
	}
	go func() { // the start that launched the keeper still has the lock
		_ = k.asAction(ctx, func(ctx context.Context, _ *instance.Instance) error {
			ocf.CallFrom(ctx).Warnf("%v", err)
			return nil
		})
	}()
}

// lockVariable names the descriptor of the keeper's lock that a standby has obtained.
const lockVariable = "HAWSER_KEEPER_LOCK"

// becomeKeeper takes the keeper's lock, or the one that this process obtained as a standby. An
// error means that there is a keeper.
func (k *keeper) becomeKeeper() (*os.File, error) {
	if fd, err := strconv.Atoi(os.Getenv(lockVariable)); err == nil {
		_ = os.Unsetenv(lockVariable)
		unix.CloseOnExec(fd)
		return os.NewFile(uintptr(fd), k.in.KeeperLock()), nil
	}
	lock, err := os.OpenFile(k.in.KeeperLock(), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return lock, syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// waitForKeeper is the life of the standby: it gets the keeper's lock when the keeper dies, and
// executes itself as the keeper. It returns only on failure, or if there is another standby.
func waitForKeeper(in *instance.Instance) error {
	standby, err := os.OpenFile(in.StandbyLock(), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(standby.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	lock, err := unix.Open(in.KeeperLock(), unix.O_CREAT|unix.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	for {
		if err = syscall.Flock(lock, syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return err
	}
	return syscall.Exec(in.KeeperLink(), []string{contract.KeeperProcess},
		append(os.Environ(), lockVariable+"="+strconv.Itoa(lock)))
}

// standBy makes sure that there is always a standby, until the returned function is called.
func (k *keeper) standBy() (end func()) {
	over := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			if !instance.Locked(k.in.StandbyLock()) { // it may be one that somebody else started
				pid, ended, err := companion.Detach(k.in.StandbyLink(), contract.StandbyProcess,
					os.Environ())
				if err == nil {
					select {
					case <-ended:
					case <-over:
						_ = syscall.Kill(pid, syscall.SIGKILL)
						<-ended
						return
					}
				}
			}
			select {
			case <-over:
				return
			case <-time.After(askKeeping / 2):
			}
		}
	})
	return func() { close(over); done.Wait() }
}

// release closes the listening sockets.
func (k *keeper) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held.Close()
	k.held, k.from = nil, 0
}

// serve answers on the keeper's socket: to HAProxy, which asks for the listening sockets, and to
// the agent's actions.
func (k *keeper) serve(ctx context.Context, l *net.UnixListener) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(instance.AskEvery) // out of descriptors
			continue
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			line, err := bufio.NewReaderSize(conn, 64).ReadString('\n')
			if err == nil {
				k.answer(ctx, conn, strings.Fields(line))
			}
		}()
	}
}

func (k *keeper) answer(ctx context.Context, conn *net.UnixConn, words []string) {
	if len(words) == 0 {
		return
	}
	switch words[0] {
	case "_getsocks":
		k.mu.Lock()
		defer k.mu.Unlock()
		_ = k.held.Serve(conn)
	case "ping":
		fmt.Fprintln(conn, k.id)
	case "held":
		k.mu.Lock()
		defer k.mu.Unlock()
		fmt.Fprintln(conn, k.held.Len())
	case "look": // HAProxy, or what it listens on, is another one now
		k.mu.Lock()
		k.holding = time.Time{}
		k.mu.Unlock()
		brief, cancel := context.WithTimeout(ctx, instance.Shortly)
		_, _ = k.refresh(brief, true)
		cancel()
		k.wakeUp()
		for _, signal := range []chan struct{}{k.seen, k.rebind} {
			select {
			case signal <- struct{}{}:
			default:
			}
		}
		fmt.Fprintln(conn, k.id)
	case Silent, Busy:
		k.mu.Lock()
		since := k.silent
		if words[0] == Busy {
			since = k.busy
		}
		k.mu.Unlock()
		so := time.Duration(0)
		if !since.IsZero() {
			so = time.Since(since)
		}
		fmt.Fprintln(conn, so)
	case "hold": // HAProxy is being stopped and will be started again
		k.mu.Lock()
		// The next HAProxy would take a UNIX socket over with the mode and the owner that it has,
		// whatever the configuration says by then. Its clients find the new one by its path.
		k.held.Drop(func(addr net.Addr) bool {
			return addr.Network() == "unix" && filepath.IsAbs(addr.String())
		})
		k.holding, k.stopped = time.Now().Add(instance.HoldTime), true
		n := k.held.Len()
		k.mu.Unlock()
		k.wakeUp()
		fmt.Fprintln(conn, n)
	}
}

// wakeUp makes the loop check again.
func (k *keeper) wakeUp() { _, _ = unix.Write(k.wake, binary.NativeEndian.AppendUint64(nil, 1)) }

// refresh queries HAProxy and updates the held sockets if it has others now. A worker that is about
// to end has none to give.
func (k *keeper) refresh(ctx context.Context, anyway bool) (client.Info, error) {
	runtime := client.Runtime{Path: k.in.StatsSocket()}
	info, err := runtime.Info(ctx)
	if err != nil || info.Stopping {
		return info, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if info.Pid == k.from && !anyway {
		return info, nil
	}
	// A worker has the same sockets all its life: with expose-fd, HAProxy 2.6 keeps even those of a
	// frontend that was shut down.
	fresh, err := runtime.Sockets(ctx)
	if err != nil {
		return info, err
	}
	// Clients of the stats socket should notice at once that nobody is there.
	fresh.Drop(func(addr net.Addr) bool { return addr.String() == k.in.StatsSocket() })
	if k.held.Within(fresh) {
		k.held.Close()
	} else {
		// HAProxy 2.6 to 3.5 binds another socket beside its own for some IPv6 addresses without
		// v6only: it compares that option, which the kernel sets by itself at such a bind, with its
		// configuration, and does not recognise its own. What waits is to go there.
		migrate.Default(k.in.MigrateNote()).While(k.held.Close)
	}
	k.held, k.from = fresh, info.Pid
	return info, nil
}
