package crm

import "slices"

// Retarget returns those constraints among the objects that name the resource from, each with the
// resource to in its place. The objects themselves stay as they are.
func Retarget(objects []Object, from, to string) []Object {
	var out []Object
	for _, o := range objects {
		var named []*string // where a constraint names its resources
		var sets *[]ResourceSet
		switch c := o.(type) {
		case *Colocation:
			n := *c
			o, named, sets = &n, []*string{&n.Resource, &n.With}, &n.Sets
		case *Order:
			n := *c
			o, named, sets = &n, []*string{&n.First, &n.Then}, &n.Sets
		case *Location:
			n := *c
			o, named, sets = &n, []*string{&n.Resource}, &n.Sets
		default:
			continue
		}
		*sets = slices.Clone(*sets)
		for i := range *sets {
			s := &(*sets)[i]
			s.Resources = slices.Clone(s.Resources)
			for j := range s.Resources {
				named = append(named, &s.Resources[j])
			}
		}
		changed := false
		for _, name := range named {
			if *name == from {
				*name, changed = to, true
			}
		}
		if changed {
			out = append(out, o)
		}
	}
	return out
}
