package pacemaker

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkSameAddress looks for addresses that several resources hold.
func checkSameAddress(v *view) []doctor.Finding {
	var found []doctor.Finding
	for ip, all := range inventory.Holders(v.objects) {
		all = slices.DeleteFunc(all, func(p *crm.Primitive) bool {
			return inventory.KeptStopped(v.objects, p.Name)
		})
		if len(all) < 2 {
			continue
		}
		var fix []string
		for _, p := range other(all) {
			fix = append(fix, "crm_resource --resource "+doctor.Quote(p.Name)+
				" --meta --set-parameter target-role --parameter-value Stopped    # or another "+
				"address for one of them")
		}
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: ip.String(),
			What: fmt.Sprintf("%s is the address of several resources: %s", ip,
				strings.Join(inventory.Names(all), ", ")),
			Why: "each puts it on a node of its own: two nodes have it at once, and each visitor " +
				"reaches one of them by chance",
			Fix: fix,
		})
	}
	slices.SortFunc(found, func(a, b doctor.Finding) int { return cmp.Compare(a.Subject, b.Subject) })
	return found
}

// other returns all but one, which is hawser's if there is one among them.
func other(all []*crm.Primitive) []*crm.Primitive {
	keep := slices.IndexFunc(all, func(p *crm.Primitive) bool {
		return inventory.IsFloatIP(p.Agent())
	})
	keep = max(keep, 0)
	return slices.Delete(slices.Clone(all), keep, keep+1)
}
