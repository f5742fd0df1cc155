package crm

import (
	"context"
	"os"
	"sync"
)

// Snapshot is the configuration and the status of a cluster, read at the same time.
type Snapshot struct {
	CIB    *CIB
	Status *Status
}

// Source is something whose configuration and status can be read: a Cluster, or less.
type Source interface {
	Query(ctx context.Context) (*CIB, error)
	Status(ctx context.Context) (*Status, error)
}

// Read asks the cluster for both at once. If both fail, the configuration's error is returned.
func Read(ctx context.Context, c Source) (Snapshot, error) {
	var (
		s         Snapshot
		wait      sync.WaitGroup
		statusErr error
	)
	wait.Go(func() { s.Status, statusErr = c.Status(ctx) })
	var err error
	s.CIB, err = c.Query(ctx)
	wait.Wait()
	if err == nil {
		err = statusErr
	}
	if err != nil {
		return Snapshot{}, err
	}
	return s, nil
}

// Saved reads the configuration from the file in which Pacemaker saves it
// (/var/lib/pacemaker/cib/cib.xml) if that is what is in force, or else asks the cluster. After a
// disk was full once, Pacemaker does not save it any more until it is restarted. Where the version
// in force cannot be asked for, the file is the best there is. If file is "", the cluster is asked.
func Saved(ctx context.Context, file string, c Cluster) (*CIB, error) {
	if file != "" {
		if text, err := os.ReadFile(file); err == nil {
			if cib, err := ParseCIB(text); err == nil && !outdated(ctx, cib, c) {
				return cib, nil
			}
		}
	}
	return c.Query(ctx)
}

// outdated reports whether the cluster is known to have a newer configuration.
func outdated(ctx context.Context, saved *CIB, c Cluster) bool {
	v, ok := c.(versioned)
	if !ok {
		return false
	}
	now, err := v.Version(ctx)
	return err == nil && now.Newer(saved.Version)
}
