package keeper

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/instance"
	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/command"
)

// examineTime is how long a check of this node may take; the checks of `hawser doctor` have
// deadlines of their own.
const examineTime = time.Minute

// examine runs `hawser doctor --tell`, which checks this node and publishes the findings, with the
// lowest priority, and waits for it. The keeper ignores what it finds and whether it fails.
func examine(ctx context.Context, program string) {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	defer cancel()
	if !instance.Exists(program) {
		return
	}
	// With nice(1): a priority set afterwards would not apply to threads that exist by then.
	cmd := command.New(ctx, "/usr/bin/nice", "-n", "19", program, "doctor", "--tell")
	cmd.Env = append(pacemaker.Variables(), contract.SearchPath, "GOMAXPROCS=1",
		contract.RunDirVariable+"="+os.Getenv(contract.RunDirVariable))
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL // it does not outlive a keeper that is killed
	_ = cmd.Run()
}
