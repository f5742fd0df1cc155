package haproxy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/hawser-ha/hawser/internal/command"
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
	// Unresolved is set if all that is wrong are names that could not be resolved.
	Unresolved bool
}

// Error returns the complaint.
func (e *CheckError) Error() string { return "HAProxy refuses the configuration: " + e.Complaint }

// Check has HAProxy read the configuration (`haproxy -c`). A *CheckError says that it is refused;
// an error that wraps os.ErrNotExist says that there is no such program.
func (c Config) Check(ctx context.Context) error {
	args := []string{"-c", "-V"} // `quiet` in the configuration would have it say nothing
	for _, file := range c.Files {
		args = append(args, "-f", file)
	}
	// Binary may be a script: what it started must end with it, and must not keep the pipe open.
	cmd := command.New(ctx, c.Binary, append(args, c.Args...)...)
	cmd.Env = c.Env
	var output command.Output
	cmd.Stdout, cmd.Stderr = &output, &output

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
	said := output.String()
	refused := &CheckError{Complaint: Complaint(said), Unresolved: messagesOf(said).unresolved()}
	if refused.Complaint == "" {
		refused.Complaint = fmt.Sprintf("%s: %v", strings.Join(cmd.Args, " "), err)
	}
	return refused
}
