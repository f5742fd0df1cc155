package status

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

// ends names the command that ends what an administrator has begun on the node, "" if nobody has.
func (n Node) ends() string {
	var all []string
	if slices.Contains(n.Is, InStandby) {
		all = append(all, "`hawser online "+n.Name+"`")
	}
	if slices.Contains(n.Is, InMaintenance) {
		all = append(all, "`hawser maintenance off "+n.Name+"`")
	}
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, ", ") + " ends it"
}

// endsMaintenance names the command that ends the maintenance of the cluster.
const endsMaintenance = "`hawser maintenance off` ends it"

// starts names the command that starts an address which an administrator has stopped, "" for others.
func (ip FloatingIP) starts() string {
	if ip.Is != StoppedOnPurpose {
		return ""
	}
	return "`hawser start " + ip.Resource + "` starts it"
}

// keptStopped is why a HAProxy runs nowhere although nothing has failed.
const keptStopped = "its target role is Stopped"

// startsHAProxy completes keptStopped with the command that starts HAProxy again.
func startsHAProxy(cib *crm.CIB, id string) string {
	if cib == nil {
		return ""
	}
	if slices.Contains(cib.Tagged(contract.TagID), id) {
		return ": `hawser apply` starts it"
	}
	objects := cib.Objects()
	family := inventory.Family(objects, id)
	for _, o := range objects {
		role, _ := crm.MetaOf(o).Get("target-role")
		if slices.Contains(family, o.ID()) && strings.EqualFold(role, "Stopped") {
			return ": `crm_resource --resource " + o.ID() + " --meta --delete-parameter target-role` " +
				"starts it"
		}
	}
	return ""
}
