package corosync

import (
	"fmt"
	"net/netip"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
)

// checkNodeAddress looks for floating IPs that are the address of a node.
func checkNodeAddress(v *view) []doctor.Finding {
	if v.above == nil {
		return nil // another check reports that Pacemaker does not answer
	}
	holders := inventory.Holders(v.above.CIB.Effective())
	var found []doctor.Finding
	for _, m := range v.keys.Members() {
		for _, written := range m.Addresses {
			ip, err := netip.ParseAddr(written)
			if err != nil {
				continue // a name
			}
			for _, p := range holders[ip.Unmap()] {
				found = append(found, doctor.Finding{
					Severity: doctor.Error, Subject: p.Name,
					What: fmt.Sprintf("%s holds %s, at which Corosync reaches %s", p.Name, ip,
						m.Label()),
					Why: "another node that takes it is taken for that one, and where the resource " +
						"is stopped the node loses its own address",
					Fix: []string{"hawser apply    # with another ip of " + p.Name + " in hawser.yaml"},
				})
			}
		}
	}
	return found
}
