package protect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Exit codes as env(1), nice(1), nohup(1) and timeout(1) have them.
const (
	ExitOwn         = 125 // hawser itself failed; COMMAND was not run, or succeeded
	ExitCannotRun   = 126
	ExitNotFound    = 127
	exitSignalledBy = 128
)

// CommandError says that COMMAND cannot be run.
type CommandError struct {
	Code int // ExitCannotRun or ExitNotFound
	Err  error
}

func (e *CommandError) Error() string { return e.Err.Error() }
func (e *CommandError) Unwrap() error { return e.Err }

// find returns the program of a command, before anything is held for it.
func find(name string) (string, error) {
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path, nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return "", &CommandError{ExitNotFound, fmt.Errorf("%s: there is no such command", name)}
	case errors.Is(err, exec.ErrDot):
		return "", &CommandError{ExitNotFound,
			fmt.Errorf("%s: it is only in this directory: write ./%s", name, name)}
	}
	return "", &CommandError{ExitCannotRun, fmt.Errorf("%s: it cannot be run: %w", name, err)}
}

// child is the running COMMAND.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func start(path string, args []string, stdin io.Reader, stdout, stderr io.Writer) (*child, error) {
	cmd := &exec.Cmd{Path: path, Args: args, Stdin: stdin, Stdout: stdout, Stderr: stderr}
	if err := cmd.Start(); err != nil {
		return nil, &CommandError{ExitCannotRun, fmt.Errorf("%s: it cannot be run: %w", args[0],
			err)}
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		_ = cmd.Wait() // the result is in ProcessState
	}()
	return c, nil
}

// code returns COMMAND's exit code as a shell would show it, once it is done.
func (c *child) code() int {
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signal() > 0 { // -1 if none ended it
		return exitSignalledBy + int(status.Signal())
	}
	return c.cmd.ProcessState.ExitCode()
}

// forward passes a signal on. COMMAND may already be gone.
func (c *child) forward(s os.Signal) { _ = c.cmd.Process.Signal(s) }

// guard is the guard as the first process sees it.
type guard struct {
	cmd  *exec.Cmd
	talk *os.File
}

// startGuard runs this program with the arguments that make it call Guard, and returns when the
// guard is ready.
func startGuard(command []string, g guarded, l *lock, patience time.Duration) (*guard, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "guard"), os.NewFile(uintptr(pair[1]), "guard")
	defer func() { _ = theirs.Close() }()
	// A dead guard must not keep this process waiting.
	limit := unix.NsecToTimeval(kernelPatience.Nanoseconds())
	if err := unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO,
		&limit); err != nil {
		_ = ours.Close()
		return nil, os.NewSyscallError("setsockopt", err)
	}
	args := append(slices.Clone(command), g.kind, strconv.FormatUint(uint64(g.number), 10),
		patience.String())
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: args, Dir: "/",
		ExtraFiles: []*os.File{theirs, l.file}}
	for _, s := range g.sockets {
		// os.NewFile would close the socket when it is collected: the guard gets copies.
		copied, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			_ = ours.Close()
			return nil, os.NewSyscallError("dup", err)
		}
		file := os.NewFile(uintptr(copied), "netlink")
		defer func() { _ = file.Close() }()
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	}
	// A session of its own: neither Ctrl-C on the terminal nor a hang-up ends it, nor a signal to
	// the first process's group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("start the guard, which would release what is held if this "+
			"process is killed: %w", err)
	}
	watch := &guard{cmd, ours}
	ready := make([]byte, 1)
	if _, err := io.ReadFull(ours, ready); err != nil {
		_ = cmd.Process.Kill()
		watch.leave()
		return nil, fmt.Errorf("the guard, which would release what is held if this process is "+
			"killed, did not start: %w", err)
	}
	return watch, nil
}

// leave ends the guard, by force if it is not gone in time.
func (g *guard) leave() {
	_, _ = g.talk.Write([]byte{guardLeave})
	_ = g.talk.Close()
	late := time.AfterFunc(kernelPatience, func() { _ = g.cmd.Process.Kill() })
	defer late.Stop()
	_ = g.cmd.Wait()
}
