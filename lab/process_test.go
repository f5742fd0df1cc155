package lab

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// execsEnv makes this test a process that executes another program from a thread that is not its first, as a Go program may.
const execsEnv = "HAWSER_LAB_EXECS"

// TestAliveWhileItExecutes: a process is alive while another thread than its first becomes another program.
func TestAliveWhileItExecutes(t *testing.T) {
	if os.Getenv(execsEnv) != "" {
		executed := make(chan error)
		runtime.LockOSThread() // so that the other goroutine has another thread
		go func() {
			runtime.LockOSThread()
			executed <- unix.Exec("/bin/sleep", []string{"sleep", "60"}, nil)
		}()
		require.NoError(t, <-executed)
	}
	for range 100 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAliveWhileItExecutes$")
		cmd.Env = append(os.Environ(), execsEnv+"=1")
		require.NoError(t, cmd.Start())
		p, err := processOf(cmd.Process.Pid)
		require.NoError(t, err)
		for deadline := time.Now().Add(10 * time.Second); ; {
			require.True(t, p.alive())
			if name, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/comm"); string(name) == "sleep\n" {
				break
			}
			require.True(t, time.Now().Before(deadline), "it does not execute the program")
		}
		require.NoError(t, p.signal(unix.SIGKILL))
		require.NoError(t, p.waitGone(t.Context()))
		require.False(t, p.alive(), "it is a zombie")
		_ = cmd.Wait()
		require.False(t, p.alive())
	}
}
