// Package node has the checks of one node, by that node: its HAProxy, agents, fence agents, token
// files, kernel parameters, watchdogs, disks, packet filter and clock; and the facts in which nodes
// ought not to differ.
//
// What the cluster's configuration demands of the node comes from cluster/inventory. What only an
// agent knows (how it runs HAProxy, how it reads a token) is passed in as a function: this package
// imports the engine (doctor), cluster/inventory, crm, haproxy and internal packages, never an
// agent or a command. Start with node.go: Node is where the checks get their facts from; each other
// file has one subject.
package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/systemd"
)

// Node is what the checks of this node query.
type Node struct {
	// Name is the node's name in the cluster.
	Name string
	// Version is that of the command line.
	Version string
	// Root is put before the path of each file that is read; tests set it.
	Root string
	// RunDir is the agents' runtime directory.
	RunDir string
	// Lingering is how long an old worker may take to end; 0 is a day and an hour.
	Lingering time.Duration
	// SavedCIB is where Pacemaker saves the cluster's configuration, "" if that is not on this
	// machine, and InForce asks for the version that is in force.
	SavedCIB string
	InForce  func(ctx context.Context) (crm.Version, error)
	// CIB reads the cluster's configuration.
	CIB func(ctx context.Context) (*crm.CIB, error)
	// Unit asks systemd for a unit.
	Unit func(ctx context.Context, name string) (systemd.Unit, error)
	// CheckConfig has HAProxy check a configuration; the error is its complaint.
	CheckConfig func(ctx context.Context, h inventory.HAProxy) error
	// UnitFiles says which files HAProxy reads here where systemd starts it and not under the
	// cluster, and what to do; "" if there are none.
	UnitFiles func(ctx context.Context, h inventory.HAProxy) (string, error)
	// Environment returns the HAWSER_ variables ("NAME=value") with which the agent runs HAProxy
	// here, or would start it.
	Environment func(ctx context.Context, h inventory.HAProxy) ([]string, error)
	// ReadToken reads a token file as the agents do, and refuses what they refuse.
	ReadToken func(path string) (string, error)
	// Droplet asks the metadata service, the cloud's own if origin is empty, which droplet this is.
	Droplet func(ctx context.Context, origin string) (id string, err error)
	// Rights asks the provider of an address, without changing anything, whether this node's token
	// may do what the agent needs.
	Rights func(ctx context.Context, a inventory.Address) (Right, error)
}

// Right is the answer to what a token may do.
type Right int

// The answers. NotKnown means no answer, or one that does not tell.
const (
	NotKnown Right = iota
	Granted
	Refused
)

// file returns a path on this node.
func (n Node) file(path string) string { return filepath.Join("/", n.Root, path) }

// declared reads what the configuration demands.
func (n Node) declared(ctx context.Context) (inventory.Declared, error) {
	cib, err := n.CIB(ctx)
	if err != nil {
		return inventory.Declared{}, fmt.Errorf(
			"the cluster's configuration cannot be read, so it is not known what this node "+
				"needs: %w",
			err)
	}
	return inventory.Read(cib)
}

// runFunc is a check's Run.
type runFunc = func(ctx context.Context) ([]doctor.Finding, error)

// demands runs a check of what the configuration demands of this node; without a configuration
// there is nothing to check.
func (n Node) demands(
	check func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error),
) runFunc {
	return func(ctx context.Context) ([]doctor.Finding, error) {
		d, err := n.declared(ctx)
		if err != nil {
			return nil, err
		}
		return check(ctx, d)
	}
}

// ofHAProxies runs a check of each HAProxy that the configuration demands. If one cannot be
// checked, the others still are.
func (n Node) ofHAProxies(
	check func(ctx context.Context, h inventory.HAProxy) ([]doctor.Finding, error),
) runFunc {
	return n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
		var found []doctor.Finding
		var errs []error
		for _, h := range d.HAProxies {
			f, err := check(ctx, h)
			found = append(found, f...)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", h.Resource, err))
			}
		}
		return found, errors.Join(errs...)
	})
}

// found returns a finding on this node.
func (n Node) found(s doctor.Severity, subject, what, why string, fix ...string) doctor.Finding {
	return doctor.Finding{
		Severity: s, Node: n.Name, Subject: subject, What: what, Why: why, Fix: fix,
	}
}

// Checks returns the checks of the node.
func (n Node) Checks() []doctor.Check {
	checks := []doctor.Check{
		n.unitCheck(), n.unitFilesCheck(), n.configCheck(), n.bindCheck(), n.reachCheck(),
		n.agentCheck(), n.fenceAgentCheck(), n.fenceDropletCheck(), n.tokenFileCheck(),
		n.tokenRightsCheck(), n.backlogCheck(), n.limitCheck(), n.oldWorkerCheck(),
		n.certificateCheck(), n.migrateCheck(), n.watchdogCheck(), n.diskCheck(), n.savedCheck(),
	}
	for i := range checks {
		checks[i].Node = n.Name
	}
	return checks
}
