package crm

import "slices"

// Spec is what the configuration should hold.
type Spec struct {
	Objects []Object
	// Owned says which of the CIB's objects the spec owns: those that Objects lacks are deleted,
	// those that differ are changed. An object that is not owned is never deleted, and it is an
	// error if it differs from the wanted one of the same id; a Property is the exception (see
	// Tag). Nil owns what the tag names. What it owns and Objects has is recorded in Tag, whoever
	// made it.
	Owned func(id string) bool
	// Tag is the id of the tag in which Diff records what it makes: the ids of the objects that it
	// creates and of the options that it sets. "" records nothing.
	//
	// An option that is not owned and has another value is taken over: its value is remembered in
	// the property set "<Tag>-before", under the option's id, and comes back when the option is no
	// longer wanted.
	Tag string
	// Adoptable says which objects that are not owned may be taken over, nil none: with Adopt they
	// are changed, and recorded in the tag like those that Diff creates; without it the error says
	// that they could be.
	Adoptable func(Object) bool
	Adopt     bool
}

// Edit is the spec that sets some objects and deletes others by their ids, and leaves the rest of
// the configuration alone. Deleting an id that the CIB does not have is an error. The id of a
// property set stands for all its properties. A parameter whose value is Hidden keeps the value
// that it has.
func Edit(cur *CIB, set []Object, del []string) (Spec, error) {
	r := &report{}
	owned := map[string]bool{}
	present := map[string]bool{}
	for _, o := range cur.objects() {
		present[o.ID()] = true
		if p, ok := o.(*Property); ok {
			present[p.set()] = true
			if slices.Contains(del, p.set()) {
				owned[p.ID()] = true
			}
		}
	}
	for _, id := range del {
		if !present[id] {
			r.add("", "", "%q cannot be deleted: the configuration has no such object", id)
		}
		owned[id] = true
	}
	keys := map[string]bool{}
	set = slices.Clone(set)
	for i, o := range set {
		set[i] = reveal(cur, o, r)
		keys[key(o)] = true
	}
	for _, o := range cur.objects() {
		if keys[key(o)] {
			owned[o.ID()] = true
		}
	}
	return Spec{Objects: set, Owned: func(id string) bool { return owned[id] }}, r.err()
}
