package crm

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// Select picks the objects by their ids, or by "type:" and their keyword.
func Select(objects []Object, words []string) ([]Object, error) {
	var out []Object
	for _, w := range words {
		kind, byKind := strings.CutPrefix(w, "type:")
		found := false
		for _, o := range objects {
			p, isProperty := o.(*Property)
			set := isProperty && p.Set != "" && p.Set == w
			node, isNode := o.(*Node)
			if byKind && o.Keyword() == kind ||
				!byKind && (o.ID() == w || set || isNode && node.Uname == w) {
				found = true
				if !slices.Contains(out, o) {
					out = append(out, o)
				}
			}
		}
		if !found && !byKind {
			return nil, outcome.Usagef("the configuration has no object %s", w)
		}
	}
	return out, nil
}
