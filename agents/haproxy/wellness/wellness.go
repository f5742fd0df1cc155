// Package wellness counts for how long HAProxy has served on this node without a failing check, and
// tells the cluster by node attributes when that has been so for certain times. Addresses that are to
// go back to a better node only then compare them: docs/decisions/0077-well-for-long.md.
//
// What is counted outlives the process that counts: it is in a file, by the clock that begins with the
// boot and that nobody sets. A start of HAProxy removes the file, and so begins anew; a crash after
// which HAProxy was brought back does not.
//
// It imports contract, pacemaker's errors and leaves of internal. Start reading here; note.go is the file.
package wellness

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hawser-ha/hawser/agents/pacemaker"
	"github.com/hawser-ha/hawser/contract"
)

// Together is how long an attribute may wait to be written for those of other nodes that come at the same
// moment. Nodes that were ill for the same reason are well again at nearly the same time, and an address
// must not move to the one that was faster, and back.
const Together = 5 * time.Second

// never is when the next step is due that nothing is to come for.
const never = time.Hour

// Cluster is what is told.
type Cluster interface {
	SetAttributeWithin(ctx context.Context, name, value string, delay time.Duration) error
	// SetOrDelete deletes where the value is "".
	SetOrDelete(ctx context.Context, name, value string) error
}

// Counter counts for one resource.
type Counter struct {
	// File is where it is noted.
	File     string
	Resource contract.ResourceID
	// Times are those after which the cluster is told.
	Times   []time.Duration
	Cluster Cluster
	// Clock returns the boot, "" if it is not known, and the time since then.
	Clock func() (boot string, up time.Duration)

	// unsaved is what could not be noted, because /run is full.
	unsaved *note
}

// Now is how HAProxy is.
type Now struct {
	// Well is set where no check fails.
	Well bool
	// Already is for how long that has been so by what else is known, where nothing was counted.
	Already time.Duration
}

// Idle reports whether there is nothing to count and nothing to take back.
func (c *Counter) Idle() bool {
	n, _ := c.read()
	return len(c.Times) == 0 && len(n.Told) == 0
}

var errNoClock = errors.New("the time since this node's boot is not known")

// Step tells the cluster what has changed, and returns when the next step is due at the latest. It is to
// be called while HAProxy serves, and whenever Now may have changed.
func (c *Counter) Step(ctx context.Context, now Now) (next time.Duration, err error) {
	boot, up := c.Clock()
	if boot == "" {
		return never, errNoClock
	}
	n, there := c.read()
	if !there || n.Boot != boot {
		// What an earlier HAProxy has left is not known, and may be there.
		n = note{Boot: boot, Since: max(up-now.Already, 0), Ill: !now.Well, Told: c.Times, Forgotten: true}
	}
	if n.Ill && now.Well || n.Since > up {
		n.Since = up
	}
	n.Ill = !now.Well
	err = c.tell(ctx, &n, up)
	next = never
	for _, t := range c.Times {
		if left := n.Since + t - up; !n.Ill && left > 0 {
			next = min(next, left)
		}
	}
	return next, errors.Join(err, c.write(n))
}

// tell brings the attributes in line with the note.
func (c *Counter) tell(ctx context.Context, n *note, up time.Duration) error {
	var errs pacemaker.Errors
	again := n.Forgotten
	all := slices.Concat(c.Times, n.Told)
	slices.Sort(all)
	for _, t := range slices.Compact(all) {
		due := slices.Contains(c.Times, t) && !n.Ill && up-n.Since >= t
		told := slices.Contains(n.Told, t)
		name := contract.WellAttribute(c.Resource, t)
		var err error
		switch {
		case due && (!told || again):
			// noted before it is done, so that a stop knows what there may be to withdraw
			n.Forgotten = true
			n.add(t)
			_ = c.write(*n) // the step tries once more, and says so
			err = c.Cluster.SetAttributeWithin(ctx, name, contract.WellYes, Together)
		case !due && told:
			if err = c.Cluster.SetOrDelete(ctx, name, ""); err == nil {
				n.remove(t)
			}
		}
		if errs.Add(err) {
			break
		}
	}
	n.Forgotten = errs.Err() != nil
	return errs.Err()
}

// Forget has the next step tell the cluster once more what it has been told: it may have lost it.
func (c *Counter) Forget() error {
	n, there := c.read()
	if !there || len(n.Told) == 0 || n.Forgotten {
		return nil
	}
	n.Forgotten = true
	return c.write(n)
}

// Withdraw takes back what the cluster was told, since HAProxy is being stopped. It does not wait for
// other nodes: HAProxy may be started again in a moment, and would seem to have been well for long.
func (c *Counter) Withdraw(ctx context.Context) error {
	n, _ := c.read()
	var errs pacemaker.Errors
	for _, t := range n.Told {
		name := contract.WellAttribute(c.Resource, t)
		// The deletion alone would be as slow as the attribute was set (attrd_updater(8), --delay).
		if errs.Add(c.Cluster.SetAttributeWithin(ctx, name, "no", 0)) ||
			errs.Add(c.Cluster.SetOrDelete(ctx, name, "")) {
			break
		}
	}
	return errs.Err()
}
