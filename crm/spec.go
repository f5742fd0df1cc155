package crm

// Spec is what the configuration should hold.
type Spec struct {
	Objects []Object
	// Owned says which of the CIB's objects the spec owns: those that Objects lacks are deleted,
	// those that differ are changed. An object that is not owned is never deleted, and it is an
	// error if it differs from the wanted one of the same id; a Property is the exception (see
	// Tag). Nil owns what the tag names. What it owns and Objects has is recorded in Tag, whoever
	// made it.
	Owned func(id string) bool
	// owns is Owned for a caller who tells a node from another object of its id.
	owns func(Object) bool
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
	// Note is an option that is written with the changes if there are any, and deleted with the last
	// of what the tag names. It is no change by itself: Changes lacks it, and a plan with another
	// note is the same plan. Nil notes nothing.
	Note *Property
}

// Edit is the spec that sets some objects and deletes others by their ids, and leaves the rest of
// the configuration alone. Deleting an id that the CIB does not have is an error. The id of a
// property set stands for all its properties; an id that a node and another object have is that of
// the other object. A parameter whose value is Hidden keeps the value that it has.
func Edit(cur *CIB, set []Object, del []string) (Spec, error) {
	r := &report{}
	owned := map[string]bool{} // by key
	for _, id := range del {
		found := false
		if o, ok := cur.Object(id); ok {
			found = true
			owned[key(o)] = true
		}
		for _, o := range cur.objects() {
			if p, ok := o.(*Property); ok && p.set() == id {
				found = true
				owned[key(p)] = true
			}
		}
		if !found {
			r.add("", "", "%q cannot be deleted: the configuration has no such object", id)
		}
	}
	set = cur.identified(set)
	for i, o := range set {
		set[i] = reveal(cur, o, r)
		owned[key(o)] = true
	}
	return Spec{Objects: set, owns: func(o Object) bool { return owned[key(o)] }}, r.err()
}
