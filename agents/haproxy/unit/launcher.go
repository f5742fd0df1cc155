package unit

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// LauncherName is the name of this program while it is about to become HAProxy. HAProxy's arguments
// arrive on standard input, so that it is not mistaken for HAProxy meanwhile.
const LauncherName = contract.LauncherProcess

// LaunchOrder is what the launcher is to become.
type LaunchOrder struct {
	Settings  systemd.Settings
	Path      string
	Args, Env []string
}

// LaunchReport is what the launcher reports on descriptor 3, which HAProxy does not inherit.
type LaunchReport struct {
	// Problems are settings that could not be applied; Fatal is why HAProxy was not executed.
	Problems []string
	Fatal    string
}

// IsLauncher reports whether this process was started to become HAProxy.
func IsLauncher(args []string) bool { return len(args) == 1 && args[0] == LauncherName }

// BecomeHAProxy applies the settings of HAProxy's unit and becomes HAProxy. It returns only if it
// failed.
func BecomeHAProxy() int {
	unix.CloseOnExec(3)
	report := os.NewFile(3, "report")
	fail := func(r LaunchReport, err error) int {
		r.Fatal = err.Error()
		_ = json.NewEncoder(report).Encode(r)
		return 1
	}
	var order LaunchOrder
	if err := json.NewDecoder(os.Stdin).Decode(&order); err != nil {
		return fail(LaunchReport{}, fmt.Errorf("the launcher did not receive what to run: %w", err))
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		err = unix.Dup2(int(null.Fd()), 0)
	}
	if err != nil {
		return fail(LaunchReport{}, err)
	}
	problems, err := order.Settings.Apply()
	var r LaunchReport
	for _, problem := range problems {
		r.Problems = append(r.Problems, problem.Error())
	}
	if err != nil {
		return fail(r, err)
	}
	_ = json.NewEncoder(report).Encode(r)
	err = syscall.Exec(order.Path, order.Args, order.Env)
	return fail(r, fmt.Errorf("cannot execute %s: %w", order.Path, err))
}
