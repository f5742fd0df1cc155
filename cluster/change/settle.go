package change

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// Progress is called each time what we wait for changes, with a description for a person.
type Progress func(what string)

// Settling is the description until Pacemaker has said more.
const Settling = "waiting for the cluster to settle"

// Written is what was done when Settle begins after a change.
const Written = "the configuration is written"

// Settle waits until the cluster has nothing left to do, at most for the timeout. done is what was
// done before, for the error of a wait that ends too early.
func Settle(ctx context.Context, c crm.Cluster, timeout time.Duration, done string,
	progress Progress) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	progress(Settling)
	var last crm.Progress
	err := c.Wait(limited, func(p crm.Progress) {
		last = p
		progress(Describe(p))
	})
	switch {
	case ctx.Err() != nil:
		return outcome.Errorf(outcome.Interrupted,
			"interrupted while the cluster settles: %s, `hawser status` shows what becomes of it",
			done)
	case errors.Is(err, context.DeadlineExceeded) || limited.Err() != nil && err != nil:
		return outcome.Errorf(outcome.Timeout,
			"the cluster has not settled within %v, %s: %s, `hawser status` shows what becomes "+
				"of it", timeout, Describe(last), done)
	}
	return err
}

// Describe names what is still to be done: starts and stops, and monitors only if there is nothing
// else.
func Describe(p crm.Progress) string {
	var pending []string
	monitors := 0
	for _, a := range p.Pending {
		if a.Task == "monitor" {
			monitors++
			continue
		}
		pending = append(pending, a.String())
	}
	const most = 4
	if len(pending) > most {
		pending = append(pending[:most], fmt.Sprintf("%d more", len(pending)-most))
	}
	switch {
	case len(pending) > 0:
		return "waiting for " + strings.Join(pending, ", ")
	case monitors > 0:
		return "waiting for " + words.Count(monitors, "monitor")
	}
	return Settling
}
