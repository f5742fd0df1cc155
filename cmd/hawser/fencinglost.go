package main

import (
	"context"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
)

// checkLost refuses a plan by which a lost node that has not been fenced would be taken for dead: without fencing its resources start elsewhere at
// once, and with SBD after stonith-watchdog-timeout, whether SBD runs on that node or not. Whoever looks for a way out of a fence that fails
// comes to it.
func (s *system) checkLost(ctx context.Context, c *config.File, p crm.Plan) error {
	_, relied := watchdog(p.Base)
	_, relies := watchdog(p.New)
	how := ""
	switch {
	case !s.running || s.remote || !fencingEnabled(p.Base):
	case !fencingEnabled(p.New):
		how = "without fencing their resources start elsewhere at once"
	case relies && !relied:
		how = "with `fencing: sbd` their resources start elsewhere after stonith-watchdog-timeout, and whether SBD runs there is not known"
	}
	if how == "" {
		return nil
	}
	status, err := s.cluster.Status(ctx)
	if err != nil {
		return err
	}
	if !status.Quorum {
		return nil // Pacemaker takes no change, and says so; that the others are unclean is nothing new then
	}
	if !slices.ContainsFunc(status.Resources, func(r crm.ResourceStatus) bool { return r.Active && !isFencing(r) }) {
		return nil // as in a new cluster, of which not every node has been seen: nothing runs that could be held twice
	}
	var lost, confirm []string
	for _, n := range status.Nodes {
		if n.Unclean {
			lost = append(lost, n.Name)
			confirm = append(confirm, "`stonith_admin --confirm="+n.Name+"`")
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return usagef("%s: lost and not fenced yet: %s; %s, while they may still hold an address. `stonith_admin --history='*' --verbose` says why fencing fails. "+
		"If you have made sure that they are down, tell the cluster: %s; then run this again; nothing was changed", c.Path, strings.Join(lost, ", "), how, strings.Join(confirm, ", "))
}
