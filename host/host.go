// Package host is this machine and its cluster, wired once: what the command line, a page and the keeper
// ask is asked here, and what a test replaces is a field of Host. It may import everything but cmd.
// Open this file first.
package host

import (
	"context"
	"time"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// Host is what there is to know of this machine and its cluster. Its functions are never nil unless they
// say so.
type Host struct {
	Cluster crm.Cluster
	Running bool   // a cluster runs behind the configuration: it is not a file or a shadow copy
	Remote  bool   // the configuration is another machine's: files named in hawser.yaml are not here
	RunDir  string // the agents' runtime files
	Node    string // this machine's name in the cluster
	Now     func() time.Time
	// SavedCIB is where Pacemaker keeps its configuration, "" if it is not this machine's or not to be read
	// there.
	SavedCIB string
	// CheckHAProxy has HAProxy check a configuration.
	CheckHAProxy func(ctx context.Context, h *config.HAProxy) error
}

// Live says whether the configuration is that of the cluster of this machine.
func (h *Host) Live() bool { return h.Running && !h.Remote }
