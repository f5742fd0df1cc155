package doctor

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// checkLeftovers finds the constraints by which crm_resource, crm and pcs move and ban resources, and which stay until they are cleared.
func checkLeftovers(v *clusterView) []Finding {
	var found []Finding
	for _, o := range v.objects {
		l, ok := o.(*crm.Location)
		if !ok {
			continue
		}
		f := Finding{Severity: Warning, Subject: l.Resource, Node: l.Node, Fix: []string{"crm_resource --clear --resource " + quote(l.Resource)}}
		where := l.Node
		if where == "" {
			where = "a node that a rule names" // with a lifetime, until it is over
		}
		switch {
		case strings.HasPrefix(l.Name, "cli-prefer-"):
			f.What = fmt.Sprintf("%s is bound to %s since somebody moved it there (constraint %s)", l.Resource, where, l.Name)
			f.Why = "it moves back as soon as that node is there again, once more than it must"
			if isRunningElsewhere(v, l) {
				f.Why += "; now it is elsewhere"
			}
		case strings.HasPrefix(l.Name, contract.BanPrefix), strings.HasPrefix(l.Name, "cli-standby-"):
			f.What = fmt.Sprintf("%s is banned from %s since somebody moved it away (constraint %s)", l.Resource, where, l.Name)
			f.Why = "it never runs there, not even when no other node is left"
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}

func isRunningElsewhere(v *clusterView, l *crm.Location) bool {
	for _, r := range v.status.Resources {
		if withoutInstance(r.ID) == l.Resource && r.Active {
			return r.Node != l.Node
		}
	}
	return false
}
