package checks

import (
	"context"
	"errors"
	"time"

	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/param"
)

const (
	// blink is for how long an interface must be without a carrier to count as such.
	blink = 200 * time.Millisecond
	// lookAgain is how often it is looked at meanwhile.
	lookAgain = 20 * time.Millisecond
)

// carrier looks whether an interface works, and again for a moment where it does not: a link that
// comes back within blink was never gone.
func (r *Runner) carrier(ctx context.Context, c *param.Check) error {
	for until := time.Now().Add(blink); ; {
		err := nic.Works(c.Interface)
		if err == nil || errors.Is(err, nic.ErrUnknown) || time.Now().After(until) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// Unknown reports whether a result says nothing about what was to be checked.
func Unknown(result error) bool { return errors.Is(result, nic.ErrUnknown) }
