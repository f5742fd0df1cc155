package floatip

import (
	"fmt"
	"math"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/contract"
)

// detach runs this program as the watcher, in a session of its own, with nothing of this process,
// which it outlives.
func detach(program string, env []string) error {
	// What Pacemaker forgot to close must not stay open for as long as the watcher runs.
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	cmd := &exec.Cmd{
		Path: program, Args: []string{contract.WatcherProcess}, Env: env, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", contract.WatcherProcess, err)
	}
	go func() { _ = cmd.Wait() }() // if this process is still there when it ends
	return nil
}
