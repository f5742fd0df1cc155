package inventory

import (
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// LastApplied says from which file what hawser made in the configuration was last changed; false if
// that is not noted, or if hawser made nothing in it.
func LastApplied(cib *crm.CIB) (contract.Applied, bool) {
	if len(cib.Tagged(contract.TagID)) == 0 {
		return contract.Applied{}, false
	}
	for _, o := range cib.Objects() {
		if p, ok := o.(*crm.Property); ok && p.Set == contract.AppliedID &&
			p.Name == contract.AppliedName {
			return contract.ParseApplied(p.Value)
		}
	}
	return contract.Applied{}, false
}
