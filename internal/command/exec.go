// Package command makes commands that die whole: when the context ends, the program is killed with
// everything that it has started, and what still holds its output open is not waited for. Only a
// file called exec.go may import it, as with os/exec. It imports nothing of hawser; there is only
// this file.
package command

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// OutputTime is how long a command's output is read after the program has ended. It is for a child
// that keeps the output open, and not shorter because a busy machine needs some time to read it all.
const OutputTime = 2 * time.Second

// New returns a command that runs the program, in the root directory, in a process group of its
// own. When the context ends, the whole group gets SIGKILL, which nothing ignores. A Ctrl-C on the
// terminal does not reach the group: whoever runs the command ends it through the context.
//
// Its Run is done at the latest OutputTime after the program; exec.ErrWaitDelay then says that the
// program succeeded and something else holds its output.
func New(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone // ended by itself just now: what it said counts
		}
		return err
	}
	cmd.WaitDelay = OutputTime
	return cmd
}

// outputLimit is far more than a person reads, in bytes.
const outputLimit = 1 << 20

// Output keeps the first MiB that is written to it and takes the rest without a word: a program
// that complains for ever must not fill the memory, nor stop because nobody listens.
type Output struct{ kept bytes.Buffer }

// Write never fails.
func (o *Output) Write(p []byte) (int, error) {
	if room := outputLimit - o.kept.Len(); room > 0 {
		_, _ = o.kept.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// Bytes returns what was kept.
func (o *Output) Bytes() []byte { return o.kept.Bytes() }

// String returns what was kept.
func (o *Output) String() string { return o.kept.String() }
