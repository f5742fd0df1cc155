package instance

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/ocf"
)

// The time that a stop reserves for the phases after the grace.
const (
	termTime = 2 * time.Second
	killTime = time.Second
	// stopAgain is how long to wait before the same signal is sent again.
	stopAgain = 500 * time.Millisecond
)

// End ends all processes of the instance and returns when they are dead.
func (in *Instance) End(ctx context.Context, grace time.Duration) error {
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		left := deadline.Sub(now)
		// With little time left each phase gets a share of it, so that the last one is reached.
		grace = max(0, min(grace, left-min(termTime+killTime, left/2)))
	}
	softUntil := now.Add(grace)
	hardUntil := softUntil.Add(termTime)
	if deadline, ok := ctx.Deadline(); ok {
		hardUntil = earlierOf(hardUntil, softUntil.Add(deadline.Sub(softUntil)/2))
	}

	if alike := in.finder().Lookalikes(); len(alike) > 0 {
		ocf.CallFrom(ctx).Warnf("these processes look like this HAProxy's, but root did not start "+
			"them, so they are left alone: %v", alike)
	}
	var sent syscall.Signal
	var at time.Time
	for {
		fam, err := in.findLeft()
		if err != nil || fam.Empty() {
			return err
		}
		signal, until := syscall.SIGKILL, time.Now().Add(100*time.Millisecond)
		switch now := time.Now(); {
		case fam.Deaf():
		case now.Before(softUntil) && !fam.AnyStopped():
			signal, until = syscall.SIGUSR1, softUntil
		case now.Before(hardUntil) && !fam.AnyStopped():
			signal, until = syscall.SIGTERM, hardUntil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("these processes of HAProxy are still there: %s: %w", fam, err)
		}
		if sent != signal && signal != syscall.SIGUSR1 && grace > 0 {
			ocf.CallFrom(ctx).Infof("HAProxy has not ended; sending %s to %s",
				unix.SignalName(signal), fam)
		}
		// The signal is repeated: a master that is executing itself again does not receive it. A
		// second one means nothing new to HAProxy.
		if sent != signal || signal == syscall.SIGKILL || time.Since(at) >= stopAgain {
			fam.Signal(signal)
			if signal == syscall.SIGKILL {
				in.killScope(fam)
			}
			if sent == signal && signal == syscall.SIGUSR1 {
				Family{Others: fam.Others}.Signal(signal) // whose master may hear nothing any more
			}
			sent, at = signal, time.Now()
		}
		fam.Wait(ctx, earlierOf(until, at.Add(stopAgain)))
	}
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// killScope kills everything in HAProxy's control group at once, so that what forks all the time
// does not get away. Without systemd there is none, and the signals of the loop have to do.
func (in *Instance) killScope(fam Family) {
	if !in.Systemd.Booted() {
		return
	}
	for _, m := range fam.All() {
		if in.Scope().Kill(m.PID) {
			return
		}
	}
}
