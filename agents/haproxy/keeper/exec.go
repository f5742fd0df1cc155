package keeper

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/contract"
)

// examineTime is how long a look at this node may take; the checks of `hawser doctor` have deadlines of their own.
const examineTime = time.Minute

// examine has `hawser doctor --tell` look at this node and tell the cluster, with the lowest priority, and waits for its end. What it finds, and
// that it fails, is nothing to the keeper.
func examine(ctx context.Context, program string) {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	if !instance.Exists(program) {
		return
	}
	// By nice(1), since a priority that is set afterwards is not that of the threads that are there by then.
	cmd := exec.CommandContext(ctx, "/usr/bin/nice", "-n", "19", program, "doctor", "--tell")
	cmd.Dir = "/"
	cmd.Env = []string{instance.SearchPath, "GOMAXPROCS=1", contract.RunDirVariable + "=" + os.Getenv(contract.RunDirVariable)}
	for _, entry := range os.Environ() { // which the tools need to talk to Pacemaker
		if strings.HasPrefix(entry, "PCMK_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // nothing of it outlives the keeper
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	_ = cmd.Run()
}
