package change

import (
	"context"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// stopEnded says what is left after a wait for resources to stop has ended too early. If it was
// interrupted, what was ordered to stop is started again: whoever gives up a removal wants to be
// served.
func stopEnded(ctx context.Context, c crm.Cluster, stop crm.Plan, ids []string, why error) error {
	names := strings.Join(outermost(stop, ids), ", ")
	if outcome.Of(why) != outcome.Interrupted || stop.Empty() {
		return outcome.Errorf(outcome.Of(why), "%w\nNothing was deleted, and THEY ARE BEING STOPPED AND "+
			"STAY STOPPED: %s\n%s", why, names, onward)
	}
	err := Undo(ctx, c, func(cib *crm.CIB) (crm.Plan, error) { return starting(cib, stop) })
	if err != nil {
		return outcome.Errorf(outcome.Interrupted, "interrupted: nothing was deleted, and THEY ARE BEING "+
			"STOPPED AND STAY STOPPED: %s\nthey could not be started again: %w\n%s", names, err,
			onward)
	}
	return outcome.Errorf(outcome.Interrupted, "interrupted: nothing was deleted, and what had been told "+
		"to stop starts again: %s (`hawser status` shows when it runs)", names)
}

const onward = "the same command again goes on; `hawser start ID` starts one again"

// outermost lists what the plan stops, or the ids if that was ordered before.
func outermost(stop crm.Plan, ids []string) []string {
	if stop.Empty() {
		return ids
	}
	var all []string
	for _, c := range stop.Changes {
		all = append(all, c.Object().ID())
	}
	return all
}

// starting gives what a plan has stopped the target role that it had, unless somebody else has
// given it another one meanwhile.
func starting(cib *crm.CIB, stop crm.Plan) (crm.Plan, error) {
	var all []crm.Object
	for _, c := range stop.Changes {
		now, ok := cib.Object(c.Object().ID())
		if !ok || c.Old == nil {
			continue
		}
		meta := crm.MetaOf(now)
		if role, _ := meta.Get(crm.TargetRole); role != crm.RoleStopped {
			continue
		}
		meta = meta.Without(crm.TargetRole)
		if role, ok := crm.MetaOf(c.Old).Get(crm.TargetRole); ok {
			meta.Set(crm.TargetRole, role)
		}
		if next, ok := crm.WithMeta(now, meta); ok {
			all = append(all, next)
		}
	}
	return Edit(cib, all, nil)
}
