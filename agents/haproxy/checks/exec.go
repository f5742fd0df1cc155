package checks

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/command"
	"github.com/hawser-ha/hawser/param"
)

// mostReason is how much of a program's output is kept as the reason, in bytes.
const mostReason = 1 << 10

// leastOutputTime is how long the output of a program that has ended is read at least.
const leastOutputTime = 50 * time.Millisecond

// execute runs a program as its user, with HAProxy's variables and nothing else of this process.
// It is killed with its children when its time is over, or when this process is killed.
func execute(ctx context.Context, c *param.Check, env []string) error {
	who, err := credential(c.User)
	if err != nil {
		return err
	}
	cmd := command.New(ctx, c.Exec[0], c.Exec[1:]...)
	cmd.Env = append([]string{contract.SearchPath, "LANG=C.UTF-8", "HAWSER_CHECK=" + c.Name}, env...)
	var out command.Output
	cmd.Stdout, cmd.Stderr = &out, &out
	// Otherwise a daemon that it starts, and that keeps its output, would make it late.
	cmd.WaitDelay = min(command.OutputTime, max(c.Timeout/4, leastOutputTime))
	cmd.SysProcAttr.Credential, cmd.SysProcAttr.Pdeathsig = who, syscall.SIGKILL
	err = cmd.Run()
	if cmd.Process != nil { // a child that it has left behind
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
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

// credential returns the user's ids, with all the groups that the user is in.
func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the id %q", name, u.Uid)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s has the group %q", name, u.Gid)
	}
	who := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of the user %s: %w", name, err)
	}
	for _, text := range groups {
		if id, err := strconv.ParseUint(text, 10, 32); err == nil {
			who.Groups = append(who.Groups, uint32(id))
		}
	}
	return who, nil
}
