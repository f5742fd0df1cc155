// Package pacemaker has the checks of what all nodes share under Pacemaker: the configuration of
// the cluster (fencing, quorum policy, constraints, clones, monitors, time-outs, agents) and its
// state (nodes, failures, what is not managed).
//
// A check judges a configuration and a status that were read once, and finds what is wrong in both.
// It imports the engine (doctor), cluster/inventory and crm; never another package of checks, an
// agent or a command. Start with pacemaker.go: it lists the checks; each other file has one
// subject.
package pacemaker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/once"
)

// Source is what the checks ask: crm.Tools, which only reads here.
type Source interface {
	crm.Source
	// Advertised returns the operations that an agent on this node advertises.
	Advertised(ctx context.Context, agent string) ([]crm.AgentAction, error)
}

// Cluster is what the checks of the cluster's configuration and state query.
type Cluster struct {
	Pacemaker Source
	// Files is the directory below which /etc, /proc and /usr are; "" is the root.
	Files string
	// Promise is how soon the cluster has to notice a dead HAProxy; 0 is 15 seconds.
	Promise time.Duration
	// Node is this node's name.
	Node string
	// Reported returns the facts that the other nodes have reported, by node; nil if there is no node
	// to ask.
	Reported func(ctx context.Context) (map[string]map[string]string, error)
}

// view is the cluster as it was read once, for all checks.
type view struct {
	*Cluster
	cib     *crm.CIB
	status  *crm.Status
	objects []crm.Object
	history history
}

func (c *Cluster) read(ctx context.Context) (*view, error) {
	read, err := crm.Read(ctx, c.Pacemaker)
	if err != nil {
		return nil, err
	}
	v := &view{Cluster: c, cib: read.CIB, status: read.Status, objects: read.CIB.Effective()}
	v.history, err = readHistory(v.cib.XML())
	return v, err
}

// Checks returns the checks of the cluster's configuration and state. If the cluster cannot be
// read, one finding reports that for all.
func (c *Cluster) Checks() []doctor.Check {
	read := once.New[*view]()
	var all []doctor.Check
	for _, k := range []struct {
		doctor.Check
		check func(ctx context.Context, v *view) ([]doctor.Finding, error)
	}{
		{
			doctor.Check{
				Name: "fencing",
				Short: "fencing that is off, has no device, whose device failed, or that leaves " +
					"a node out",
				Worst: doctor.Error,
				Why: "a node that hangs may keep an address while another takes it; without a " +
					"device nothing is started at all",
				Remedy: "fencing: in hawser.yaml, then hawser apply",
			}, checkFencing,
		},
		{
			doctor.Check{
				Name: "sbd",
				Short: "SBD timeouts on which Pacemaker, sbd and the nodes disagree " +
					"(SBD_WATCHDOG_TIMEOUT, stonith-watchdog-timeout)",
				Worst: doctor.Error,
				Why:   "Pacemaker would take a running node for dead, or refuses to start",
				Remedy: "the same SBD_WATCHDOG_TIMEOUT on every node, and a " +
					"stonith-watchdog-timeout of twice the largest",
			},
			checkSBD,
		},
		{
			doctor.Check{
				Name:  "quorum-policy",
				Short: "lost quorum, or a policy by which both halves of a split serve",
				Worst: doctor.Error, Why: "both parts of a split cluster would start everything",
				Remedy: "unset no-quorum-policy",
			}, quickly(checkQuorumPolicy),
		},
		{
			doctor.Check{
				Name:  "nodes",
				Short: "nodes that are offline, unclean, in standby or in maintenance",
				Worst: doctor.Error, Why: "the next failure has one node fewer to fail over to",
				Remedy: "start the cluster on the node, or take it out of standby or maintenance",
			},
			quickly(checkNodes),
		},
		{
			doctor.Check{
				Name:  "unmanaged",
				Short: "resources that Pacemaker does not manage, or keeps stopped",
				Worst: doctor.Error, Why: "nothing is done when they fail",
				Remedy: "unset maintenance-mode, is-managed, target-role or stop-all-resources",
			},
			quickly(checkUnmanaged),
		},
		{
			doctor.Check{
				Name:   "leftovers",
				Short:  "constraints that `crm_resource --move` and --ban left behind",
				Worst:  doctor.Warning,
				Why:    "the resource is tied to a node, or banned from one, for good",
				Remedy: "crm_resource --clear",
			}, quickly(checkLeftovers),
		},
		{
			doctor.Check{
				Name: "failures", Worst: doctor.Error,
				Short:  "addresses and HAProxies that run nowhere, failed actions and fail counts",
				Why:    "a resource that failed too often on a node does not run there",
				Remedy: "fix the cause, then crm_resource --cleanup",
			}, quickly(checkFailures),
		},
		{
			doctor.Check{
				Name:   "haproxy-clone",
				Short:  "HAProxy that is not a clone on every node, or one without interleave",
				Worst:  doctor.Error,
				Why:    "an address has nowhere to go, or one node's HAProxy disturbs the others'",
				Remedy: "clone it, with interleave=true",
			}, quickly(checkClone),
		},
		{
			doctor.Check{
				Name: "address-colocation", Short: "addresses that are not kept where HAProxy runs",
				Worst: doctor.Error, Why: "an address may be on a node where nothing answers",
				Remedy: "a colocation with score INFINITY: the address with HAProxy's clone",
			},
			quickly(checkColocation),
		},
		{
			doctor.Check{
				Name: "same-address", Short: "addresses that several resources hold",
				Worst: doctor.Error, Why: "two nodes have the address at once",
				Remedy: "target-role=Stopped for one of them, or another address",
			},
			quickly(checkSameAddress),
		},
		{
			doctor.Check{
				Name:   "check-preferences",
				Short:  "checks of HAProxy that nobody does, or that move no address",
				Worst:  doctor.Warning,
				Why:    "an address stays on a node from which its servers cannot be reached",
				Remedy: "a location rule on the check's node attribute; `hawser apply` writes it",
			}, quickly(checkPreferences),
		},
		{
			doctor.Check{
				Name:  "monitors",
				Short: "resources without a monitor, or with one that runs too rarely",
				Worst: doctor.Error, Why: "a failure is noticed too late, or not at all",
				Remedy: "give it a monitor operation",
			}, quickly(checkMonitors),
		},
		{
			doctor.Check{
				Name:  "operation-timeouts",
				Short: "time-outs shorter than what the agent advertises or has needed",
				Worst: doctor.Warning,
				Why: "an action that would have succeeded is counted as a failure, and the " +
					"resource is moved or its node fenced",
				Remedy: "give the operation a longer time-out",
			}, checkTimeouts,
		},
		{
			doctor.Check{
				Name:  "recovery",
				Short: "resources that fail back, or never come back after a failure",
				Worst: doctor.Note,
				Why: "an address moves more often than it must, or a temporary failure keeps " +
					"it away for good",
				Remedy: "set resource-stickiness and failure-timeout",
			}, quickly(checkRecovery),
		},
		{
			doctor.Check{
				Name: "resource-agents", Short: "HAProxy resources run by another agent",
				Worst:  doctor.Warning,
				Why:    "such an agent reports \"running\" for a HAProxy that serves nobody",
				Remedy: "use ocf:hawser:haproxy",
			}, quickly(checkAgents),
		},
	} {
		all = append(all, doctor.Judging(k.Check,
			func(ctx context.Context) (*view, error) { return read.Get(ctx, c.read) }, k.check))
	}
	return append([]doctor.Check{
		{Name: "cluster", Short: "a Pacemaker that answers", Worst: doctor.Unknown,
			Why: "the cluster's configuration and state cannot be checked",
			Remedy: "start " +
				"Pacemaker on this node",
			Run: func(ctx context.Context) ([]doctor.Finding, error) {
				if _, err := read.Get(ctx, c.read); err != nil {
					fix := []string{"systemctl start pacemaker", "crm_mon -1"}
					if errors.Is(err, crm.ErrNotInstalled) {
						fix = []string{
							"/usr/share/hawser/setup-balancer --help    # makes this machine a " +
								"member of the cluster",
						}
					}
					return []doctor.Finding{
						{
							Severity: doctor.Unknown,
							What: fmt.Sprintf(
								"the cluster's configuration and state could not be read: %v", err),
							Why: "none of this was checked: fencing, quorum, nodes, resources, " +
								"constraints",
							Fix: fix,
						},
					}, nil
				}
				return nil, nil
			}},
	}, all...)
}

// quickly makes a Run of a check that needs only what was already read.
func quickly(
	check func(v *view) []doctor.Finding,
) func(context.Context, *view) ([]doctor.Finding, error) {
	return func(_ context.Context, v *view) ([]doctor.Finding, error) { return check(v), nil }
}
