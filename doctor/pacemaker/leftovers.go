package pacemaker

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkLeftovers finds the constraints by which crm_resource, crm and pcs move and ban resources.
// They stay until they are cleared.
func checkLeftovers(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, o := range v.objects {
		l, ok := o.(*crm.Location)
		if !ok {
			continue
		}
		f := doctor.Finding{
			Severity: doctor.Warning, Subject: l.Resource, Node: l.Node,
			Fix: []string{"crm_resource --clear --resource " + doctor.Quote(l.Resource)},
		}
		where := l.Node
		if where == "" {
			where = "a node that a rule names" // with a lifetime, until it is over
		}
		switch {
		case strings.HasPrefix(l.Name, crm.PreferPrefix):
			f.What = fmt.Sprintf("%s has been bound to %s since somebody moved it there "+
				"(constraint %s)",
				l.Resource, where, l.Name)
			f.Why = "it moves back as soon as that node returns, which is one move too many"
			if isRunningElsewhere(v, l) {
				f.Why += "; now it is elsewhere"
			}
		case strings.HasPrefix(l.Name, crm.BanPrefix),
			strings.HasPrefix(l.Name, crm.StandbyPrefix):
			f.What = fmt.Sprintf(
				"%s has been banned from %s since somebody moved it away (constraint "+
					"%s)", l.Resource,
				where, l.Name)
			f.Why = "it never runs there, not even when no other node is left"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

func isRunningElsewhere(v *view, l *crm.Location) bool {
	for _, r := range v.status.Resources {
		if crm.ResourceOf(r.ID) == l.Resource && r.Active {
			return r.Node != l.Node
		}
	}
	return false
}
