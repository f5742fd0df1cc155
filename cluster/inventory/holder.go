package inventory

import "github.com/hawser-ha/hawser/crm"

// Holder is the node that has the cluster's addresses, or the first one of them; "" if none has one.
func Holder(cib *crm.CIB, status *crm.Status) string {
	for _, p := range Primitives(cib.Effective(), IsAddress) {
		for _, r := range status.Resources {
			if crm.ResourceOf(r.ID) == p.Name && r.Active && len(r.Nodes) > 0 {
				return r.Nodes[0]
			}
		}
	}
	return ""
}
