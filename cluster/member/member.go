// Package member adds a node to a running cluster, and removes one: corosync.conf on every node,
// Corosync's key, the reload, and what Pacemaker remembers.
//
// What is there already is not done again, so that a change that was interrupted goes on when it is
// ordered again. It imports machines, quorum, crm, internal/corosync and outcome. Open this file
// first; add.go and remove.go have the changes.
package member

import (
	"context"
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

const qdevice = "corosync-qdevice"

// Orders plans changes of the nodes.
type Orders struct {
	machines.Reach
	// Pacemaker is what is asked before a node is removed.
	Pacemaker crm.Source
}

// Add plans a node's entry. by hand nobody but this machine is asked.
func (o Orders) Add(ctx context.Context, m corosync.Member, byHand bool) (machines.Plan, error) {
	self, nodes, err := o.Self(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	if err := sensible(m, nodes); err != nil {
		return machines.Plan{}, err
	}
	if byHand {
		c, err := machines.Assumed(self, nodes)
		if err != nil {
			return machines.Plan{}, err
		}
		return addByHand(c, m)
	}
	c, err := o.Find(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	machine := machines.AskNode(ctx, o.Shell(self.Name), m.Name)
	machine.Expect(m)
	return add(c, machine, m)
}

// Remove plans a node's leave. by hand nobody but this machine is asked.
func (o Orders) Remove(ctx context.Context, name string, byHand bool) (machines.Plan, error) {
	self, nodes, err := o.Self(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	if byHand {
		c, err := machines.Assumed(self, nodes)
		if err != nil {
			return machines.Plan{}, err
		}
		return removeByHand(c, name)
	}
	now, err := crm.Read(ctx, o.Pacemaker)
	if err != nil {
		return machines.Plan{}, err
	}
	c, err := o.Find(ctx)
	if err != nil {
		return machines.Plan{}, err
	}
	return remove(c, name, now)
}

// ours says which settings a change of the nodes changes; NAME is the node.
func ours(name string) func(key string) bool {
	return func(key string) bool {
		return key == "quorum.two_node" || key == "totem.config_version" || key == "nodelist.node "+name
	}
}

// refuse is the error of what is not begun.
func refuse(format string, args ...any) error {
	return outcome.Usagef("%w; nothing was changed", fmt.Errorf(format, args...))
}

// inForce succeeds once Corosync has the file with this version in force.
func inForce(d corosync.Keys) string {
	const key = "totem.config_version"
	return "[ \"$(corosync-cmapctl -g " + key + ")\" = " +
		machines.Quote(key+" (u64) = "+d[key]) + " ]"
}

// deviceVotes are the votes of a quorum device that this node hears from.
func deviceVotes(c machines.Cluster, of corosync.Tally) int {
	if here := c.Node(c.Here); here != nil && corosync.DeviceOf(here.Running, here.Votes).Votes {
		return of.Device
	}
	return 0
}

// halves says what a number of nodes means for ffsplit.
func halves(keys corosync.Keys, nodes int) []string {
	d := corosync.DeviceOf(keys, corosync.Votes{})
	if !d.Configured || d.Algorithm != corosync.FFSplit || nodes%2 == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the quorum device at %s uses ffsplit, which is for an even number of "+
		"nodes, and there are %d then: it works, but the device helps little until there is one more or "+
		"one less", d.Host, nodes)}
}

// counts says how many votes there are afterwards.
func counts(t corosync.Tally) string {
	device := ""
	if t.Device > 0 {
		device = fmt.Sprintf(", %d of them the quorum device's", t.Device)
	}
	return fmt.Sprintf("%d votes then%s, and %d make a quorum", t.Expected, device, t.Needed)
}

func list(names []string) string { return strings.Join(names, ", ") }
