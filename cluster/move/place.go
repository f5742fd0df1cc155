package move

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// whereIs finds the floating IP. It is an error if it does not run or is not managed.
func whereIs(now crm.Snapshot, resource string) (crm.ResourceStatus, error) {
	var reasons []string
	for _, r := range now.Status.Resources {
		if crm.ResourceOf(r.ID) != resource {
			continue
		}
		switch {
		case !r.Managed:
			return r, cannot("%s is not managed (maintenance mode, or is-managed=false), so "+
				"Pacemaker does not move it", resource)
		case r.Active && len(r.Nodes) > 1:
			return r, cannot("%s is on %s at once, which Pacemaker has to fix first",
				resource, strings.Join(r.Nodes, " and "))
		case !r.Active && crm.IsStopped(r.Target):
			return r, cannot("%s was stopped by an administrator (target-role=Stopped): "+
				"`hawser start %[1]s` starts it", resource)
		case r.Pending != "" || r.Role == "Starting" || r.Role == "Stopping":
			return r, cannot("%s is just %s", resource, strings.ToLower(cmp.Or(r.Pending, r.Role)))
		case r.Active && !r.Failed && r.Node != "":
			return r, nil
		}
		if r.Reason != "" {
			reasons = append(reasons, r.Reason)
		}
	}
	why := ""
	if len(reasons) > 0 {
		why = ": " + strings.Join(reasons, "; ")
	}
	return crm.ResourceStatus{}, cannot("%s is not running on any node, so it cannot be "+
		"moved%s: see `hawser status`", resource, why)
}

// cannot is the error for a move that the cluster's state does not allow.
func cannot(format string, args ...any) error {
	return outcome.Errorf(outcome.Resource, "%w; nothing was changed", fmt.Errorf(format, args...))
}

// fit is an error if the address cannot go to the node; "" is any node.
func fit(status *crm.Status, resource, from, node string) error {
	if node == "" {
		return nil
	}
	n, err := inventory.FindNode(status, node)
	if err != nil || node == from {
		return err
	}
	for _, state := range []struct {
		is   bool
		what string
	}{
		{!n.Online, "is offline"}, {n.Unclean, "is lost, and has not been fenced"},
		{n.Pending, "is still joining the cluster"},
		{n.Shutdown, "is shutting down"}, {n.Standby,
			"is in standby: `hawser online " + node + "` ends that"},
		{n.Maintenance, "is in maintenance: `hawser maintenance off " + node + "` ends that"},
	} {
		if state.is {
			return cannot("%s cannot move to %s, which %s", resource, node, state.what)
		}
	}
	return servesOn(status, resource, node)
}

// servesOn is an error if the cluster runs HAProxy, but not on this node. A HAProxy that is only
// degraded still serves.
func servesOn(status *crm.Status, resource, node string) error {
	runs, reason := false, ""
	for _, r := range status.Resources {
		if !inventory.IsHAProxy(r.Agent) {
			continue
		}
		runs = true
		if r.Active && !r.Failed && !r.Blocked && r.Role == "Started" && r.Node == node {
			return nil
		}
		if r.Node == node && r.Reason != "" {
			reason = ": " + r.Reason
		}
	}
	if !runs {
		return nil // something else serves the address
	}
	for _, f := range status.Failures {
		if f.Node == node && reason == "" && strings.Contains(f.Resource, contract.HAProxyID) {
			reason = ": " + f.String()
		}
	}
	return cannot("%s cannot move to %s, where HAProxy is not running as it should%s", resource,
		node, reason)
}

// refused is the error that says why the scheduler does not send the address to the node.
func refused(now crm.Snapshot, resource, node, to string) error {
	if node == "" {
		return cannot("Pacemaker has no other node for %s%s", resource,
			locations(now.CIB, resource))
	}
	why := locations(now.CIB, resource)
	for _, banned := range []string{resource, leader(now.CIB, resource)} {
		b, ok := now.Status.BanOf(node, banned)
		if !ok {
			continue
		}
		why = ": the constraint " + b.ID + " keeps it off that node"
		if banned != resource {
			why = ": the constraint " + b.ID + " keeps " + banned + ", with which it moves, off that node"
		}
		if b.ByCommand() {
			why += "; `crm resource clear " + banned + "` ends that"
		}
	}
	would := "would leave it where it is"
	if to != "" {
		would = "would move it to " + to
	}
	return cannot("%s cannot move to %s: Pacemaker %s%s", resource, node, would, why)
}

// locations names the constraints that say where the resource should be, or the one that its group is
// placed by.
func locations(cib *crm.CIB, resource string) string {
	var ids []string
	first := leader(cib, resource)
	for _, o := range cib.Objects() {
		l, ok := o.(*crm.Location)
		if ok && (l.Resource == resource || l.Resource == first) &&
			!strings.HasPrefix(l.Name, contract.MovePrefix) &&
			l.Name != contract.WhereServedID(l.Resource) {
			ids = append(ids, l.Name)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return " (see the location constraints " + strings.Join(ids, ", ") + ")"
}

// goesBack reports whether the address, or the one that its group is placed by, goes back to better
// nodes.
func goesBack(cib *crm.CIB, resource string) bool {
	_, ok := cib.Object(contract.ReturnsID(leader(cib, resource)))
	return ok
}

// leader returns the address that the address's group is placed by, or itself.
func leader(cib *crm.CIB, resource string) string {
	for _, o := range cib.Objects() {
		c, ok := o.(*crm.Colocation)
		if ok && c.Resource == resource && c.Name == contract.WithID(resource, c.With) {
			return c.With
		}
	}
	return resource
}
