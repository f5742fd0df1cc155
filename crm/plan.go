package crm

import (
	"fmt"
	"slices"
	"strings"
)

// Plan is a set of changes together with the configuration that they were computed from and the one
// they lead to.
type Plan struct {
	Changes []Change // deletions first, then in crmsh's order
	Base    *CIB
	New     *CIB

	patch *patch
}

// Empty says whether there is nothing to write.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Same says whether the two plans make the same changes, whatever configurations they start from.
func (p Plan) Same(q Plan) bool {
	return slices.EqualFunc(p.Changes, q.Changes,
		func(a, b Change) bool { return sameObject(a.Old, b.Old) && sameObject(a.New, b.New) })
}

func sameObject(a, b Object) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return key(a) == key(b) && sameFields(a.fields(), b.fields())
}

// Change is one object created (Old is nil), deleted (New is nil) or changed.
type Change struct{ Old, New Object }

// Object returns the new object, or the old one if there is no new one.
func (c Change) Object() Object {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Field is one item of an object, for people: "params conffile", "op monitor 15s timeout".
type Field struct{ Name, Value string }

// FieldChange is a field that differs; "" if the field is absent.
type FieldChange struct{ Name, Old, New string }

// Fields lists what differs between the old and the new object: the new one's fields in its order,
// then those that are gone.
func (c Change) Fields() []FieldChange {
	var before, after []Field
	if c.Old != nil {
		before = c.Old.fields()
	}
	if c.New != nil {
		after = c.New.fields()
	}
	rest := slices.Clone(before)
	var out []FieldChange
	for _, f := range after {
		at := slices.Index(rest, f)
		if at < 0 {
			at = slices.IndexFunc(rest,
				func(o Field) bool { return o.Name == f.Name && !slices.Contains(after, o) })
		}
		old := ""
		if at >= 0 {
			old = rest[at].Value
			rest = slices.Delete(rest, at, at+1)
		}
		if old != f.Value || at < 0 {
			out = append(out, FieldChange{f.Name, old, f.Value})
		}
	}
	for _, f := range rest {
		out = append(out, FieldChange{f.Name, f.Value, ""})
	}
	return out
}

// differences describes the change in a few words.
func differences(c Change) string {
	const most = 4 // for two objects with nothing in common the first few are enough
	var parts []string
	fields := c.Fields()
	for i, f := range fields {
		if i == most && len(fields) > most+1 {
			parts = append(parts, fmt.Sprintf("and %d more", len(fields)-most))
			break
		}
		if secretName(f.Name) {
			parts = append(parts, f.Name+" differs")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s is %q instead of %q", f.Name, f.Old, f.New))
	}
	return strings.Join(parts, ", ")
}

// Title names an object in a sentence: "primitive haproxy", "property stonith-enabled".
func Title(o Object) string {
	if p, ok := o.(*Property); ok {
		return p.Keyword() + " " + p.Name
	}
	return o.Keyword() + " " + o.ID()
}

// Describe shows the old and the new value of a field of the object, or what a tag gains and loses.
func (f FieldChange) Describe(o Object) string {
	if _, ok := o.(*Tag); !ok {
		return fmt.Sprintf("%s: %s -> %s", f.Name, orNone(f.Old), orNone(f.New))
	}
	before, after := strings.Fields(f.Old), strings.Fields(f.New)
	line := f.Name + ":"
	for _, side := range []struct {
		sign       string
		these, not []string
	}{{"+", after, before}, {"-", before, after}} {
		only := slices.DeleteFunc(slices.Clone(side.these),
			func(id string) bool { return slices.Contains(side.not, id) })
		if len(only) > 0 {
			line += " " + side.sign + " " + strings.Join(only, " ")
		}
	}
	return line
}

func orNone(value string) string {
	if value == "" {
		return "(none)"
	}
	return value
}
