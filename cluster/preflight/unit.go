package preflight

import (
	"context"
	"fmt"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
)

// checkUnit warns if systemd runs or would start a HAProxy of its own on this node, "" if not.
// Stopping it is left to the operator: on a node that does not run the resource yet, that HAProxy
// is the one that serves.
func (n Node) checkUnit(ctx context.Context) string {
	if !n.Live || n.Unit == nil {
		return ""
	}
	unit, err := n.Unit(ctx, contract.DefaultUnit)
	switch {
	case err != nil:
		return fmt.Sprintf(
			"whether systemd runs a HAProxy of its own on this node is not known: %v", err)
	case unit.Runs():
		return fmt.Sprintf(
			"systemd runs a HAProxy of its own on %s (%s, pid %d), on whose addresses the "+
				"cluster's cannot start: `%s` on every node",
			n.Name, unit.Name, unit.MainPID, unit.Disable())
	case unit.Enabled():
		return fmt.Sprintf(
			"systemd starts a HAProxy of its own at the next boot of %s (%s is enabled), and it "+
				"can be there before the cluster's: `%s` on every node",
			n.Name, unit.Name, unit.Disable())
	}
	return ""
}

// checkUnitFiles warns of files that HAProxy would no longer read under the cluster.
func (n Node) checkUnitFiles(ctx context.Context, h *config.HAProxy) string {
	if !n.Live || n.UnitFiles == nil {
		return ""
	}
	missing, err := n.UnitFiles(ctx, h)
	if err != nil {
		return err.Error()
	}
	return missing
}
