package host

import (
	"context"
	"slices"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	ring "github.com/hawser-ha/hawser/doctor/corosync"
	"github.com/hawser-ha/hawser/doctor/node"
	"github.com/hawser-ha/hawser/doctor/pacemaker"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/firewall"
)

// Doctor examines this machine and its cluster. It makes each query to Pacemaker once, for all
// checks: if Pacemaker hangs, each query lasts until its deadline.
type Doctor struct {
	host    Host
	once    *crm.Once
	version string
	// seldom is described with Seldom.
	seldom bool
}

// Doctor returns the doctor of this machine. version is that of the program.
func (h *Host) Doctor(version string) *Doctor {
	d := &Doctor{host: *h, once: crm.NewOnce(h.Cluster), version: version}
	d.host.Cluster = d.once
	return d
}

// Checks returns all checks: of this node, of the nodes compared with each other, and of the
// cluster.
func (d *Doctor) Checks() []doctor.Check {
	return slices.Concat(d.NodeChecks(), d.sharedChecks(), d.clusterChecks())
}

// NodeChecks returns the checks of this node, which only the node itself can run. Its keeper runs
// them too.
func (d *Doctor) NodeChecks() []doctor.Check {
	filter := &node.Firewall{
		Node: d.host.Node, Rules: firewall.Read, NICs: nics, Links: ringLinks,
		Listeners: d.listeners,
	}
	return slices.Concat(d.node().Checks(), filter.Checks())
}

// clusterChecks returns the checks of what all nodes share: Pacemaker's configuration and state,
// Corosync, the clocks.
func (d *Doctor) clusterChecks() []doctor.Check {
	cluster := &pacemaker.Cluster{Node: d.host.Node, Pacemaker: d.host.Cluster, Reported: d.facts}
	messages := &ring.Ring{
		Node: d.host.Node, Keys: corosync.AskKeys, Stats: corosync.AskStats,
		Votes:  corosync.AskVotes,
		Timing: d.host.Timing, Pacemaker: d.host.Cluster,
		QDevice: corosync.AskQDevice, Unit: d.host.Unit,
	}
	clock := &node.Clock{
		Node: d.host.Node, Peers: peers, Offset: node.ICMPOffset,
		Synchronised: node.KernelSynchronised,
	}
	return slices.Concat(cluster.Checks(), messages.Checks(), clock.Checks())
}

// inForce asks for the version of the cluster's configuration.
func (d *Doctor) inForce(ctx context.Context) (crm.Version, error) { return d.once.Version(ctx) }

// configuration reads the cluster's configuration, from the file in which Pacemaker saves it if
// there is one.
func (d *Doctor) configuration(ctx context.Context) (*crm.CIB, error) {
	return crm.Saved(ctx, d.host.SavedCIB, d.host.Cluster)
}
