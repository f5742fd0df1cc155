package pacemaker

import (
	"slices"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// primitives lists the resources.
func (v *view) primitives() []*crm.Primitive {
	return inventory.Primitives(v.objects, func(string) bool { return true })
}

func (v *view) haproxies() []*crm.Primitive {
	return inventory.Primitives(v.objects, inventory.RunsHAProxy)
}

func (v *view) addresses() []*crm.Primitive {
	return inventory.Primitives(v.objects, inventory.IsAddress)
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, x := range all {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// cloneOf returns the clone of a resource, which may be in a group of it; nil if it is in none.
func (v *view) cloneOf(id string) *crm.Clone {
	for _, o := range v.objects {
		if c, ok := o.(*crm.Clone); ok && slices.Contains(inventory.Family(v.objects, id), c.Name) {
			return c
		}
	}
	return nil
}

// meta returns a meta attribute of the resource as it is in effect: its own, or else that of its
// group or clone, or else the default.
func (v *view) meta(id, name string) (value string, ok bool) {
	for _, in := range inventory.Family(v.objects, id) {
		for _, o := range v.objects {
			if o.ID() != in {
				continue
			}
			if value, ok := crm.MetaOf(o).Get(name); ok {
				return value, true
			}
		}
	}
	for _, o := range v.objects {
		if p, ok := o.(*crm.Property); ok && p.Section == crm.RscDefaults && p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// yesProperty reports whether a cluster option is set and true.
func (v *view) yesProperty(name string) bool {
	value, ok := v.cib.Property(name)
	return ok && crm.IsTrue(value)
}

// unset returns the command that resets an option of the cluster to its default.
func unset(property string) string { return "crm_attribute --name " + property + " --delete" }

// setMeta returns the command that sets a meta attribute of a resource.
func setMeta(id, name, value string) string {
	return "crm_resource --resource " + doctor.Quote(id) + " --meta --set-parameter " + name +
		" --parameter-value " + doctor.Quote(value)
}

func unsetMeta(id, name string) string {
	return "crm_resource --resource " + doctor.Quote(id) + " --meta --delete-parameter " + name
}
