package haproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	client "github.com/hawser-ha/hawser/haproxy"
)

// launch runs HAProxy, which goes into the background (-D) and leaves a process that ends when the master's sockets are bound.
// Its error is HAProxy's own complaint.
//
// Nothing of the agent must live on in a process that outlives it: the standard streams are files, all others are closed, the
// working directory is the root. HAProxy makes a session of its own.
func (a *agent) launch(ctx context.Context, f files, env, args []string) error {
	output, err := os.OpenFile(f.log(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot keep HAProxy's messages: %w", err)
	}
	defer func() { _ = output.Close() }()
	closeOnExec()

	cmd := exec.CommandContext(ctx, a.binpath, args...)
	cmd.Env, cmd.Dir = append([]string{searchPath, familyVariable + "=" + f.dir}, env...), "/"
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s did not go into the background: %w", a.binpath, ctx.Err())
	}
	return errors.New("HAProxy did not start: " + f.lastWords(err.Error()))
}

// lastWords is what HAProxy had to say when it started, or else the fallback.
func (f files) lastWords(fallback string) string {
	text, _ := os.ReadFile(f.log())
	if complaint := client.Complaint(string(text)); complaint != "" {
		return complaint
	}
	return fallback
}

// closeOnExec marks every descriptor that this process was given: what Pacemaker forgot to close must not stay open for as long
// as HAProxy runs. Kernels before 5.11 cannot do it at once; those that Go opened are marked anyway.
func closeOnExec() {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
}

// attrdTimeout is how long a monitor waits for the cluster to take a value. What takes longer goes on without it.
const attrdTimeout = time.Second

// attrd runs attrd_updater in a session of its own, so that the end of this process is not its end. Its input is nobody's terminal.
func (a *agent) attrd(args ...string) error {
	cmd := exec.Command(a.tools.attrdUpdater, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("%s: %w", a.tools.attrdUpdater, err)
		}
		return nil
	case <-time.After(attrdTimeout):
		return fmt.Errorf("%s has not ended after %s", a.tools.attrdUpdater, attrdTimeout)
	}
}

// ask runs one of Pacemaker's tools and returns what it wrote.
func ask(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	var output, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 100 * time.Millisecond
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return output.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%s did not answer in time: %w", program, ctx.Err())
	case errors.As(err, &exit):
		said := strings.TrimSpace(complaint.String())
		if said == "" {
			said = strings.TrimSpace(output.String())
		}
		return nil, &exitError{program, exit.ExitCode(), said}
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s", errNoCluster, program)
	}
	return nil, fmt.Errorf("cannot run %s: %w", program, err)
}

// detach runs a program of ours in a session of its own, with nothing of this process: it is to live on. ended gets its end, should this
// process still be there then.
func detach(program, name string, env []string) (pid int, ended <-chan struct{}, err error) {
	closeOnExec()
	cmd := &exec.Cmd{
		Path: program, Args: []string{name}, Env: env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = cmd.Wait()
	}()
	return cmd.Process.Pid, over, nil
}
