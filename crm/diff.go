package crm

// Spec is what the configuration should hold.
type Spec struct {
	Objects []Object
	// Owned says for which of the CIB's objects the spec answers: those that Objects lacks are deleted, those that differ are
	// changed. An object that is not owned is never deleted, and if it differs from the wanted one of the same id that is an
	// error; a Property is the exception (see Tag). Nil owns what the tag names.
	Owned func(id string) bool
	// Tag is the id of the tag in which Diff records what it makes. "" records nothing.
	//
	// A property that is not owned and has another value is taken over: its value is remembered in the property set
	// "<Tag>-before", and comes back when the property is no longer wanted.
	Tag string
}

// Edit is the spec that sets some objects and deletes others by their ids, and leaves the rest of the configuration alone. An id
// to delete that the CIB has not is an error. The id of a property set stands for all its properties.
func Edit(cur *CIB, set []Object, del []string) (Spec, error) { panic("not yet") }

// Diff compares the configuration with the wanted one. It is pure: the same arguments give the same plan, and the CIB is left as it
// is. All invalid objects are reported at once, as an *InvalidError.
func Diff(cur *CIB, want Spec) (Plan, error) { panic("not yet") }

// Change is one object created (Old is nil), deleted (New is nil) or changed.
type Change struct{ Old, New Object }

// Field is one thing that an object says, for people: "params conffile", "op monitor 15s timeout".
type Field struct{ Name, Value string }

// FieldChange is a field that differs; "" where the field is absent.
type FieldChange struct{ Name, Old, New string }

// Fields lists what differs between the old and the new object, in the order of the new one.
func (c Change) Fields() []FieldChange { panic("not yet") }

// Plan is a set of changes together with the configuration that they were computed from and the one they lead to.
type Plan struct {
	Changes []Change // deletions first, then in crmsh's order
	Base    *CIB
	New     *CIB
	*patch
}

// Empty says whether there is nothing to write.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Same says whether the two plans make the same changes, whatever configurations they start from.
func (p Plan) Same(q Plan) bool { panic("not yet") }

type patch struct{}
