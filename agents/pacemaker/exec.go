package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/internal/command"
)

// attrdTimeout is how long Pacemaker may take to accept a value.
const attrdTimeout = time.Second

// attrd runs attrd_updater. It is killed with its second, and with this process: one that hung with
// Pacemaker, and went on with it, would overtake what was published later, and each monitor and each
// of a keeper's attempts would leave one behind.
func (t Tools) attrd(ctx context.Context, args ...string) error {
	if err := t.hangs.check(); err != nil {
		return err
	}
	brief, cancel := context.WithTimeout(ctx, attrdTimeout)
	defer cancel()
	cmd := command.New(brief, t.AttrdUpdater, args...)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	_, err := outputOf(brief, cmd)
	if err != nil && brief.Err() != nil && ctx.Err() == nil {
		t.hangs.note()
		return fmt.Errorf("%s had not ended after %s and was killed: %w", t.AttrdUpdater,
			attrdTimeout, context.DeadlineExceeded)
	}
	return err
}

// runTool runs one of Pacemaker's tools and returns what it wrote.
func runTool(ctx context.Context, program string, args ...string) ([]byte, error) {
	return outputOf(ctx, command.New(ctx, program, args...))
}

// outputOf runs one of Pacemaker's tools that was made with the context.
func outputOf(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	program := cmd.Path
	var output, complaint command.Output
	cmd.Stdout, cmd.Stderr = &output, &complaint
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
		return nil, fmt.Errorf("%w: there is no %s", ErrNoCluster, program)
	}
	return nil, fmt.Errorf("cannot run %s: %w", program, err)
}
