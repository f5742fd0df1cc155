package host

import (
	"context"
	"fmt"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/doctor/pacemaker"
)

// sharedChecks returns the checks of nodes compared with each other, and of what they share.
func (d *Doctor) sharedChecks() []doctor.Check {
	return []doctor.Check{d.otherNodes(), d.nodesDiffer(), pacemaker.TokenInCIB(d.declared)}
}

// declared reads what the cluster's configuration demands of every node.
func (d *Doctor) declared(ctx context.Context) (inventory.Declared, error) {
	cib, err := d.configuration(ctx)
	if err != nil {
		return inventory.Declared{}, err
	}
	return inventory.Read(cib)
}

// listeners returns the addresses that the configurations of the cluster's HAProxies bind.
func (d *Doctor) listeners(ctx context.Context) ([]inventory.Listener, error) {
	declared, err := d.declared(ctx)
	if err != nil {
		return nil, err
	}
	return declared.Listeners()
}

// otherNodes returns the check of what the other nodes have reported about themselves.
func (d *Doctor) otherNodes() doctor.Check {
	return doctor.Check{
		Name: "other-nodes", Worst: doctor.Unknown,
		Short:  "findings that other nodes reported, and nodes without a report",
		Why:    "a node is needed when another fails, and then at the latest its problems show",
		Remedy: "what the finding says, on that node; hawser doctor --tell reports again",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			if !d.host.Live() {
				return nil, nil // a file or a shadow has no nodes to ask
			}
			status, err := d.host.Cluster.Status(ctx)
			if err != nil {
				return nil, fmt.Errorf("which nodes there are: %w", err)
			}
			reports, err := d.reports(ctx)
			if err != nil {
				return nil, err
			}
			var found []doctor.Finding
			for _, n := range status.Nodes {
				switch {
				case n.Name == status.NodeOf(d.host.Node) || n.Remote():
				case !n.Online:
					found = append(found, doctor.Finding{
						Severity: doctor.Unknown, Node: n.Name,
						What: "it is offline: its state " +
							"is not known",
						Why: "it cannot take over anything",
						Fix: []string{"systemctl start pacemaker.service   # on " + n.Name},
					})
				default:
					_, findings := doctor.FindingsFrom(n.Name, reports[n.Name], d.host.Now(),
						d.NodeChecks())
					found = append(found, findings...)
				}
			}
			return found, nil
		},
	}
}

// nodesDiffer compares the nodes. otherNodes reports those about which nothing is known.
func (d *Doctor) nodesDiffer() doctor.Check {
	return doctor.Check{
		Name: "nodes-differ", Worst: doctor.Warning,
		Short: "nodes that differ in what they should have in common: versions, HAProxy's " +
			"configuration, " +
			"tokens, kernel parameters",
		Why: "after a failover clients get a different configuration, or one that this node's " +
			"HAProxy refuses",
		Remedy: "hawser reload --push, or the same packages on every node",
		Run: func(ctx context.Context) ([]doctor.Finding, error) {
			facts, err := d.facts(ctx)
			if err != nil || facts == nil {
				return nil, err
			}
			for name := range facts {
				if crm.SameHost(name, d.host.Node) {
					delete(facts, name) // its report is older than the facts at hand
				}
			}
			facts[d.host.Node] = d.node().Facts(ctx)
			conffiles := map[string]string{}
			if declared, err := d.declared(ctx); err == nil {
				for _, h := range declared.HAProxies {
					conffiles[h.Resource] = h.Config
				}
			}
			return doctor.Compare(facts, conffiles), nil
		},
	}
}
