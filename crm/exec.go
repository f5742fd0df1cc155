package crm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/command"
)

// output is what one run of a tool left.
type output struct {
	stdout, stderr []byte
	code           int
}

// run starts one of Pacemaker's tools by its absolute path, without a shell. It fails only where
// the tool could not be run to its end; what the tool's exit code means is for the caller to say,
// through toolError.
func (t *Tools) run(ctx context.Context, stdin []byte, tool string, args ...string) (output, error) {
	dir := t.Dir
	if dir == "" {
		dir = "/usr/sbin"
	}
	// In a process group of its own: a Ctrl-C on the terminal is for hawser, which ends the tool
	// through ctx: a write that has begun is let finish.
	cmd := command.New(ctx, filepath.Join(dir, tool), args...)
	cmd.Dir = "" // a file that CIB_file or an argument names may be relative
	cmd.Env = t.environ()
	if slices.Contains(args, "--xml-file") {
		// a tool that works on a file would still prefer the shadow or the remote cluster
		cmd.Env = slices.DeleteFunc(cmd.Env,
			func(e string) bool { return strings.HasPrefix(e, "CIB_") })
	}
	if tool == "crm_mon" {
		cmd.Env = append(cmd.Env, "TZ=UTC") // its times say no zone
	}
	var stdout bytes.Buffer // a configuration is as long as it is
	var stderr command.Output
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if stdin != nil {
		cmd.Stdin = bytes.NewReader(stdin)
	}
	err := cmd.Run()
	out := output{stdout: stdout.Bytes(), stderr: stderr.Bytes()}
	var exit *exec.ExitError
	switch {
	case err == nil: // it was done before time ran out
		return out, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return out, &ToolError{
			Tool: tool, Code: -1,
			Message: "did not answer in time: Pacemaker may hang, see `journalctl -u pacemaker`",
			Err:     fmt.Errorf("%w: %w", ErrNotRunning, ctx.Err()),
		}
	case ctx.Err() != nil:
		return out, &ToolError{Tool: tool, Code: -1, Message: "was interrupted", Err: ctx.Err()}
	case errors.As(err, &exit):
		out.code = exit.ExitCode()
		return out, nil
	case errors.Is(err, os.ErrNotExist):
		return out, &ToolError{
			Tool: tool, Code: -1,
			Message: "is not at " + cmd.Path + ": install pacemaker and pacemaker-cli-utils",
			Err:     ErrNotInstalled,
		}
	}
	return out, &ToolError{Tool: tool, Code: -1, Message: err.Error(), Err: err}
}

func (t *Tools) environ() []string {
	if t.Env == nil {
		return os.Environ()
	}
	return append([]string(nil), t.Env...)
}
