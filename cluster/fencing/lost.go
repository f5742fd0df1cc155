package fencing

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// takenForDead says why the cluster would take an unreachable, unfenced node for down after this
// plan; "" if it would not.
func takenForDead(p crm.Plan) string {
	_, relied := p.Base.Watchdogs()
	_, relies := p.New.Watchdogs()
	switch {
	case !p.Base.FencingEnabled():
	case !p.New.FencingEnabled():
		return "without fencing their resources start elsewhere at once"
	case relies && !relied:
		return "with `fencing: sbd` their resources start elsewhere after " +
			"stonith-watchdog-timeout, and whether SBD runs there is not known"
	}
	return ""
}

// checkUnfenced refuses a plan after which the cluster would take an unreachable, unfenced node for
// down: without fencing its resources start elsewhere at once, and with SBD after
// stonith-watchdog-timeout, whether SBD runs on that node or not. An operator whose fence keeps
// failing is likely to try just that.
func checkUnfenced(c *config.File, p crm.Plan, f Facts) error {
	how := takenForDead(p)
	if how == "" || !f.Live {
		return nil
	}
	status := f.Status
	switch {
	case f.StatusErr != nil:
		return f.StatusErr
	case !status.Quorum:
		// Pacemaker accepts no change then, and says so; that the others are unclean is nothing new
		return nil
	case !slices.ContainsFunc(status.Resources,
		func(r crm.ResourceStatus) bool { return r.Active && !r.IsFencing() }):
		// as in a new cluster whose nodes have not all been seen: nothing runs that could be held
		// twice
		return nil
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
	return outcome.Usagef(
		"%s: lost and not fenced yet: %s; %s, while they may still hold an address. "+
			"`stonith_admin --history='*' --verbose` says why fencing fails. "+
			"If you have made sure that they are down, tell the cluster: %s; then run this "+
			"again; nothing was changed",
		c.Path, strings.Join(lost, ", "), how, strings.Join(confirm, ", "))
}
