package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/command"
)

// nodePath is PATH inside the nodes. It is also used to find the machine's tools, since a user's
// own PATH may lack the sbin directories.
const nodePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookUp finds a program in nodePath as the calling thread sees it.
func lookUp(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	return lookUpBelow("", name)
}

// lookUpBelow finds a program in nodePath of another root file system, or of the calling thread's
// if root is empty, and returns its path there. The links of another one, which may be absolute,
// are not followed.
func lookUpBelow(root, name string) (string, error) {
	for _, dir := range filepath.SplitList(nodePath) {
		path := filepath.Join(dir, name)
		st, err := os.Stat(filepath.Join("/", root, path))
		if root != "" {
			st, err = os.Lstat(filepath.Join(root, path))
		}
		if err == nil && (st.Mode().IsRegular() && st.Mode()&0o111 != 0 ||
			st.Mode()&os.ModeSymlink != 0) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s: not found in %s", name, nodePath)
}

// tool runs a program of the machine with the input and returns its output; the error includes its
// complaint.
func tool(ctx context.Context, input, name string, args ...string) (string, error) {
	return toolBelow(ctx, "", input, name, args...)
}

// toolBelow is tool, with the program of another root file system if root is not empty.
func toolBelow(ctx context.Context, root, input, name string, args ...string) (string, error) {
	path, err := lookUpBelow(root, name)
	if err != nil {
		return "", fmt.Errorf("lab: %w: is its package installed?", err)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	if root != "" {
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: root}
	}
	cmd.Stdin = strings.NewReader(input)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("lab: %s %s: %w: %s", name, strings.Join(args, " "), err,
			strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// Command is a program to run in a node.
type Command struct {
	Args []string
	// Env is added to the node's environment (PATH, HOME, LANG), as KEY=VALUE.
	Env []string
	// Dir is the working directory in the node; /root if empty.
	Dir string
	// Stdin, Stdout and Stderr are used as os/exec uses them. A terminal is passed on when it is an
	// *os.File.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal leaves the program in the caller's process group, so that it can use the terminal.
	// Without it, a program is killed with its children when its context ends.
	Terminal bool
}

// ExitError says that a program in a node ended other than with 0.
type ExitError struct {
	Node string
	Args []string
	// Code is the exit code, or 128 plus the number of the signal that ended it, as in a shell.
	Code int
	// Stderr is what it wrote to stderr, unless Command.Stderr received that.
	Stderr string
}

func (e *ExitError) Error() string {
	s := fmt.Sprintf("lab: %s: %s: exit code %d", e.Node, strings.Join(e.Args, " "), e.Code)
	if text := strings.TrimSpace(e.Stderr); text != "" {
		s += ": " + text
	}
	return s
}

// Run runs the command in the node and waits for it. The error is an *ExitError when the command
// ran and failed.
func (l *Lab) Run(ctx context.Context, node string, c Command) error {
	if len(c.Args) == 0 {
		return fmt.Errorf("lab: %s: no command to run", node)
	}
	p, err := l.initOf(node)
	if err != nil {
		return err
	}
	return l.runIn(ctx, node, p, c,
		unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC|unix.CLONE_NEWNET|
			unix.CLONE_NEWCGROUP)
}

// runIn runs the command in those namespaces of the process, and otherwise in this program's own.
func (l *Lab) runIn(ctx context.Context, node string, p process, c Command, namespaces int) error {
	var complaint bytes.Buffer
	var cmd *exec.Cmd
	err := onThread(func() error {
		if err := enter(p, namespaces); err != nil {
			return fmt.Errorf("lab: enter %s: %w", node, err)
		}
		path, err := lookUp(c.Args[0])
		if err != nil {
			return &ExitError{Node: node, Args: c.Args, Code: 127, Stderr: err.Error()}
		}
		if c.Terminal {
			cmd = exec.CommandContext(ctx, path, c.Args[1:]...)
			cmd.WaitDelay = command.OutputTime
		} else {
			cmd = command.New(ctx, path, c.Args[1:]...)
		}
		cmd.Env = append([]string{
			"PATH=" + nodePath, "HOME=/root", "LANG=C.UTF-8", "TERM=" + os.Getenv("TERM"),
		}, c.Env...)
		if cmd.Dir = c.Dir; cmd.Dir == "" {
			cmd.Dir = "/root"
		}
		cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
		if c.Stderr == nil {
			cmd.Stderr = &complaint
		}
		if err := cmd.Start(); err != nil {
			return &ExitError{Node: node, Args: c.Args, Code: 126, Stderr: err.Error()}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok &&
			status.Signaled() { //nolint:misspell // package syscall's word
			code = 128 + int(status.Signal())
		}
		if ctx.Err() != nil {
			return fmt.Errorf("lab: %s: %s: %w: %s", node, strings.Join(c.Args, " "), ctx.Err(),
				strings.TrimSpace(complaint.String()))
		}
		return &ExitError{Node: node, Args: c.Args, Code: code, Stderr: complaint.String()}
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		// a daemon that it left behind holds the output: the program itself has ended
		return fmt.Errorf("lab: %s: %s: %w", node, strings.Join(c.Args, " "), err)
	}
	return nil
}

// Exec runs the command in the node and returns what it printed. The error is an *ExitError when
// the command ran and failed.
func (l *Lab) Exec(ctx context.Context, node string, args ...string) (stdout, stderr string, err error) {
	var out, complaint bytes.Buffer
	err = l.Run(ctx, node, Command{Args: args, Stdout: &out, Stderr: &complaint})
	var exit *ExitError
	if errors.As(err, &exit) && exit.Stderr == "" {
		exit.Stderr = complaint.String()
	}
	return out.String(), complaint.String(), err
}

// enter moves the calling thread into namespaces of the process.
func enter(p process, namespaces int) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return fmt.Errorf("process %d: %w", p.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !p.alive() {
		return fmt.Errorf("process %d has ended", p.PID)
	}
	if namespaces&unix.CLONE_NEWNS != 0 {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			// a thread that shares root and cwd cannot change mount namespaces
			return fmt.Errorf("unshare: %w", err)
		}
	}
	if err := unix.Setns(fd, namespaces); err != nil {
		return fmt.Errorf("setns to process %d: %w", p.PID, err)
	}
	return nil
}
