package checks

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/command"
	"github.com/hawser-ha/hawser/internal/procfs"
	"github.com/hawser-ha/hawser/param"
)

// mostReason is how much of a program's output is kept as the reason, in bytes.
const mostReason = 1 << 10

// leastOutputTime is how long the output of a program that has ended is read at least.
const leastOutputTime = 50 * time.Millisecond

// execute runs a program as its user, with HAProxy's variables and nothing else of this process.
// It is killed with its children when its time is over, or when this process is killed.
func (r *Runner) execute(ctx context.Context, c *param.Check) error {
	who, err := r.Users.User(ctx, c.User)
	if err != nil {
		return err
	}
	cmd := command.New(ctx, c.Exec[0], c.Exec[1:]...)
	cmd.Env = append([]string{contract.SearchPath, "LANG=C.UTF-8", "HAWSER_CHECK=" + c.Name}, r.Env...)
	var out command.Output
	cmd.Stdout, cmd.Stderr = &out, &out
	// Otherwise a daemon that it starts, and that keeps its output, would make it late.
	cmd.WaitDelay = min(command.OutputTime, max(c.Timeout/4, leastOutputTime))
	// A session is a group of its own, too, and timeout(1) makes one more in it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL,
		Credential: &syscall.Credential{Uid: who.UID, Gid: who.GID, Groups: who.Groups}}
	err = cmd.Run()
	if cmd.Process != nil { // a child that it has left behind
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if cmd.Process != nil && ctx.Err() != nil {
		killSession(cmd.Process.Pid, who.UID)
	}
	var exit *exec.ExitError
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case errors.As(err, &exit):
		said := strings.TrimSpace(out.String())
		if said == "" {
			return fmt.Errorf("%s: %w", c.Exec[0], err)
		}
		return fmt.Errorf("%s: %w: %s", c.Exec[0], err, said[:min(len(said), mostReason)])
	}
	return fmt.Errorf("cannot run %s: %w", c.Exec[0], err)
}

// killTries is how often a session is searched for processes that were forked meanwhile.
const killTries = 10

// killSession kills what is left of a session that had this leader, of the user's.
func killSession(leader int, uid uint32) {
	for range killTries {
		pids, err := procfs.Default.PIDs()
		if err != nil {
			return
		}
		left := false
		for _, pid := range pids {
			v, err := procfs.Default.Stat(pid)
			if err == nil && v.Session == leader && !v.Dead() && procfs.Default.OwnedBy(pid, uid) {
				left = syscall.Kill(pid, syscall.SIGKILL) == nil || left
			}
		}
		if !left {
			return
		}
	}
}
