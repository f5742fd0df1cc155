package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// savingTime is how long Pacemaker may take to save a change: it does so within a moment.
const savingTime = 3 * time.Second

// savedCheck finds a Pacemaker that has given up saving its configuration.
func (n Node) savedCheck() doctor.Check {
	return doctor.Check{
		Name:  "cib-saved",
		Short: "a Pacemaker that does not save the cluster's configuration on this node any more",
		Worst: doctor.Error,
		Why: "after one failed save, such as on a full disk, it saves no more until it is restarted: " +
			"what has been changed since is lost when the last node stops",
		Remedy: "free some space, then restart Pacemaker on the node",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			if n.SavedCIB == "" || n.InForce == nil {
				return nil, nil // the configuration is not this machine's cluster's
			}
			saved, inForce, err := n.behind(ctx)
			if err != nil || !inForce.Newer(saved) {
				return nil, err
			}
			f := n.found(doctor.Error, n.SavedCIB,
				fmt.Sprintf("Pacemaker does not save the cluster's configuration here any more: %s is of "+
					"version %s, %s is in force", n.SavedCIB, saved, inForce),
				"what has been changed since is lost when the last node that has it stops",
				"df -h "+doctor.Quote(n.SavedCIB))
			f.Todo = []string{"once there is room: `systemctl restart pacemaker` on this node; what runs " +
				"here moves away meanwhile"}
			return []doctor.Finding{f}, nil
		},
	}
}

// behind compares what is saved with what is in force, until they are equal or time is over.
func (n Node) behind(ctx context.Context) (saved, inForce crm.Version, err error) {
	deadline := time.Now().Add(savingTime)
	for {
		if inForce, err = n.InForce(ctx); err != nil {
			return saved, inForce, fmt.Errorf("the version in force cannot be asked for: %w", err)
		}
		saved, err = crm.SavedVersion(n.SavedCIB)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return saved, inForce, fmt.Errorf("what Pacemaker has saved cannot be read: %w", err)
		}
		if !inForce.Newer(saved) || time.Now().After(deadline) {
			return saved, inForce, nil
		}
		select {
		case <-ctx.Done():
			return saved, inForce, ctx.Err()
		case <-time.After(savingTime / 10):
		}
	}
}
