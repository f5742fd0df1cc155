package haproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Config is a configuration as it is given to HAProxy.
type Config struct {
	// Binary is HAProxy's program.
	Binary string
	// Files are configuration files and directories, each given with -f, in this order.
	Files []string
	// Args are further arguments.
	Args []string
	// Env is the whole environment, "NAME=value".
	Env []string
}

// CheckError is a configuration that HAProxy refuses.
type CheckError struct {
	// Complaint is HAProxy's own, in one line: the alerts with file and line.
	Complaint string
}

// Error returns the complaint.
func (e *CheckError) Error() string { return "HAProxy refuses the configuration: " + e.Complaint }

// outputLimit bounds what is kept of HAProxy's output.
const outputLimit = 1 << 20

// Check has HAProxy read the configuration (`haproxy -c`). A *CheckError says that it is refused;
// an error that wraps os.ErrNotExist says that there is no such program.
func (c Config) Check(ctx context.Context) error {
	args := []string{"-c"}
	for _, file := range c.Files {
		args = append(args, "-f", file)
	}
	cmd := exec.CommandContext(ctx, c.Binary, append(args, c.Args...)...)
	cmd.Env, cmd.Dir = c.Env, "/"
	var output limited
	cmd.Stdout, cmd.Stderr = &output, &output
	// Binary may be a script: what it started must end with it, and must not keep the pipe open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	// after the end of the program; a busy machine needs some time to read what it said
	cmd.WaitDelay = time.Second

	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s did not finish: %w", strings.Join(cmd.Args, " "), ctx.Err())
	case !errors.As(err, &exit):
		return fmt.Errorf("cannot run %s: %w", c.Binary, err)
	}
	complaint := Complaint(output.String())
	if complaint == "" {
		complaint = fmt.Sprintf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	return &CheckError{Complaint: complaint}
}

// limited keeps the first outputLimit bytes.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := outputLimit - l.Len(); room > 0 {
		_, _ = l.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
