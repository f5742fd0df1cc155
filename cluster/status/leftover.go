package status

import (
	"strings"

	"github.com/hawser-ha/hawser/crm"
)

// Leftover is a constraint by which a command bound a resource to a node, and which is still there.
type Leftover struct {
	// Resource is what is bound.
	Resource string `json:"resource"`
	// Node is what it is bound to.
	Node string `json:"node"`
	// Constraint is the id of the constraint.
	Constraint string `json:"constraint"`
}

// addLeftovers adds what `crm resource move` and the like have left behind. One with a rule ends by
// itself.
func (r *Report) addLeftovers(cib *crm.CIB) {
	if cib == nil {
		return
	}
	for _, o := range cib.Objects() {
		l, ok := o.(*crm.Location)
		if ok && strings.HasPrefix(l.Name, crm.PreferPrefix) && l.Node != "" {
			r.Leftovers = append(r.Leftovers, Leftover{l.Resource, l.Node, l.Name})
		}
	}
}
