package companion

import (
	"fmt"
	"math"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Detach runs a program of ours in its own session, with nothing of this process, which it is to
// outlive. ended is closed when it exits, if this process is still there.
func Detach(program, name string, env []string) (pid int, ended <-chan struct{}, err error) {
	CloseOnExec()
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

// CloseOnExec marks every descriptor that this process inherited: what Pacemaker forgot to close
// must not stay open for as long as what is run next does. Kernels before 5.11 cannot do this at once;
// descriptors that Go opened are marked anyway.
func CloseOnExec() { _ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) }
