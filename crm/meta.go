package crm

import "slices"

// MetaOf returns the meta attributes of a resource, nil for any other object.
func MetaOf(o Object) Attrs {
	switch o := o.(type) {
	case *Primitive:
		return o.Meta
	case *Clone:
		return o.Meta
	case *Group:
		return o.Meta
	}
	return nil
}

// Without returns the attributes except those with the names.
func (a Attrs) Without(names ...string) Attrs {
	return slices.DeleteFunc(slices.Clone(a),
		func(at Attr) bool { return slices.Contains(names, at.Name) })
}
