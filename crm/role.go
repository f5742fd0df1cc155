package crm

import "strings"

// TargetRole is the meta attribute by which an administrator has a resource stopped, and lets it start;
// RoleStopped and RoleStarted are what it says then.
const (
	TargetRole  = "target-role"
	RoleStopped = "Stopped"
	RoleStarted = "Started"
)

// IsStopped says whether a target role is Stopped, which Pacemaker takes in upper and lower case.
func IsStopped(role string) bool { return strings.EqualFold(role, RoleStopped) }

// KeptStopped says whether the object's own target role is Stopped.
func KeptStopped(o Object) bool {
	role, _ := MetaOf(o).Get(TargetRole)
	return IsStopped(role)
}

// WithMeta returns the resource with these meta attributes in place of its own; false for any other
// object.
func WithMeta(o Object, meta Attrs) (Object, bool) {
	switch o := o.(type) {
	case *Primitive:
		p := *o
		p.Meta = meta
		return &p, true
	case *Clone:
		c := *o
		c.Meta = meta
		return &c, true
	case *Group:
		g := *o
		g.Meta = meta
		return &g, true
	}
	return nil, false
}

// With returns the attributes with one set, and leaves these as they are.
func (a Attrs) With(name, value string) Attrs {
	next := append(Attrs{}, a...)
	next.Set(name, value)
	return next
}
