package deploy

import (
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/cluster/fencing"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// onlyOurs refuses a plan that deletes what hawser never makes, unless that is taken over. The tag
// says what hawser made; but a tag of that name may be somebody else's, and anybody may add anything
// to it, even a node.
func onlyOurs(p crm.Plan, taken []string) error {
	var foreign []string
	for _, c := range p.Changes {
		if c.New == nil && !couldBeOurs(c.Old) && !slices.Contains(taken, c.Old.ID()) {
			foreign = append(foreign, crm.Title(c.Old))
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	return outcome.Usagef("the tag %s, in which hawser lists what it made, names something that "+
		"hawser does not make: %s; somebody else added it. Take it out of the tag, or remove the "+
		"tag if it is not hawser's (`crm configure edit %s`), then run the command again; "+
		"nothing was changed",
		contract.TagID, strings.Join(foreign, ", "), contract.TagID)
}

// couldBeOurs says whether the object is of a kind that hawser makes.
func couldBeOurs(o crm.Object) bool {
	switch o := o.(type) {
	case *crm.Primitive:
		return inventory.IsHAProxy(o.Agent()) || inventory.IsFloatIP(o.Agent()) ||
			o.Name == contract.FenceID && o.Agent() == contract.FenceDropletAgent
	case *crm.Clone:
		return o.Name == contract.CloneID
	case *crm.Colocation:
		return strings.HasSuffix(o.Name, contract.ColocationID("")) ||
			strings.Contains(o.Name, contract.ApartID("", "")) ||
			strings.Contains(o.Name, contract.WithID("", ""))
	case *crm.Location:
		return strings.HasSuffix(o.Name, contract.WhereServedID("")) ||
			strings.Contains(o.Name, contract.CheckedID("", "")) ||
			strings.HasSuffix(o.Name, contract.PrefersID("")) ||
			strings.HasSuffix(o.Name, contract.ReturnsID(""))
	case *crm.Order:
		return strings.HasSuffix(o.Name, contract.LeavesFirstID("")) ||
			strings.Contains(o.Name, contract.AfterID("", ""))
	case *crm.Property:
		return o.Set == contract.BeforeID || slices.Contains(fencing.Options(), o.Name)
	case *crm.Tag:
		return o.Name == contract.TagID
	}
	return false
}
