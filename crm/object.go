package crm

import "github.com/beevik/etree"

// Object is one thing in the configuration with an id of its own. The set is closed: Primitive,
// Clone, Group, Colocation, Order, Location, Property, Tag, Node and XML, always used as pointers.
type Object interface {
	// ID is the object's id in the CIB. It is unique among all objects but nodes, which only have to
	// differ from each other.
	ID() string
	// Keyword is the word that begins the object's definition in crmsh's grammar, such as
	// "primitive" or "rsc_defaults".
	Keyword() string
	// String is the object's definition in crmsh's grammar, without a final newline.
	String() string

	// validate reports everything about the object that the CIB could not hold, without considering
	// other objects.
	validate(r *report)
	// refs lists the resources that the object needs to exist.
	refs() []ref
	// fields lists the object's content, flat, for comparison and for showing a change.
	fields() []Field
}

// Attr is a name with a value: a resource's parameter, a meta attribute, an attribute of an
// operation.
type Attr struct{ Name, Value string }

// Attrs is an ordered list of attributes whose names are unique.
type Attrs []Attr

// Get returns the value of the attribute, and whether there is one.
func (a Attrs) Get(name string) (string, bool) {
	for _, at := range a {
		if at.Name == name {
			return at.Value, true
		}
	}
	return "", false
}

// Set replaces the attribute's value, or appends the attribute.
func (a *Attrs) Set(name, value string) {
	for i := range *a {
		if (*a)[i].Name == name {
			(*a)[i].Value = value
			return
		}
	}
	*a = append(*a, Attr{name, value})
}

// Primitive is one resource. Class and Type are required; Provider only with class "ocf".
type Primitive struct {
	Name                  string // the id
	Class, Provider, Type string // "ocf", "hawser", "haproxy"
	// instead of class, provider and type: the id of a resource template
	Template    string
	Description string
	Params      Attrs // instance attributes
	Ops         []Op
	Meta        Attrs
	Utilization Attrs

	opsID string // the id of the operations, by which other primitives may refer to them
	extra extras
}

// Op is one operation of a primitive: how often Pacemaker runs it and how long it may take.
type Op struct {
	Name string // "monitor", "start", "stop", …
	// as Pacemaker reads it: "15s", "0"; "" is written as "0s", which does not recur
	Interval string
	Attrs    Attrs // further attributes of the operation: timeout, role, on-fail, start-delay, …
	Params   Attrs // instance attributes of the operation, such as OCF_CHECK_LEVEL
	Meta     Attrs

	extra extras
}

// Clone runs a primitive or a group on several nodes.
type Clone struct {
	Name        string // the id
	Resource    string // the id of the primitive or group
	Description string
	Params      Attrs
	Meta        Attrs // interleave, clone-max, promotable, …

	extra extras
}

// Group is primitives that start in order and run on the same node.
type Group struct {
	Name        string   // the id
	Members     []string // ids of primitives
	Description string
	Params      Attrs
	Meta        Attrs

	extra extras
}

// Colocation keeps resources together (positive score) or apart (negative score): Resource is
// placed where With is. With Sets, Resource and With are empty.
type Colocation struct {
	Name           string // the id
	Score          string // "INFINITY", "-INFINITY" or an integer
	Resource, With string
	Role, WithRole string // "Started", "Promoted", …; "" is any
	NodeAttribute  string // place by the value of this node attribute instead of by node
	Influence      string // "true", "false" or "": Pacemaker's default
	Sets           []ResourceSet

	extra extras
	more  Attrs // attributes that have no field, such as score-attribute
}

// Order starts First before Then. With Sets, First and Then are empty.
type Order struct {
	Name        string // the id
	Kind        string // "Mandatory", "Optional", "Serialize" or ""
	Score       string // the older form of Kind; only one of them is set
	First, Then string
	FirstAction string // "start", "promote", …; "" is Pacemaker's default
	ThenAction  string
	Symmetrical string // "true", "false" or "": Pacemaker's default
	RequireAll  string // likewise
	Sets        []ResourceSet

	extra extras
	more  Attrs // attributes that have no field, such as first-instance
}

// Location says how much a resource prefers (positive score) or avoids (negative score) a node.
// Either Node and Score are set, or rules, which are kept as they were read.
type Location struct {
	Name      string // the id
	Resource  string
	Pattern   string        // instead of Resource: a regular expression of resource ids
	Sets      []ResourceSet // instead of Resource: several resources
	Node      string
	Score     string // "INFINITY", "-INFINITY" or an integer
	Role      string
	Discovery string // resource-discovery: "always", "never", "exclusive" or ""

	extra extras // rules
}

// ResourceSet is a set of resources inside a constraint.
type ResourceSet struct {
	Name      string // the id; "" is made from the constraint's
	Resources []string
	Attrs     Attrs // sequential, require-all, role, action, score, …
}

// Section is where a Property is in the configuration.
type Section string

// The sections, named as in crmsh's grammar.
const (
	ClusterProperty Section = "property"
	RscDefaults     Section = "rsc_defaults"
	OpDefaults      Section = "op_defaults"
)

// Property is one option of the cluster, or one default of all resources or operations. Each is an
// object of its own, although many share a set: hawser is responsible for the options that it set,
// and for no others of the same set.
type Property struct {
	Section Section // "" is ClusterProperty
	// the id of the set; "" is "cib-bootstrap-options", "rsc-options" or "op-options"
	Set   string
	Name  string
	Value string

	id string // if the CIB has a different id from the one that set and name make
}

// Tag names a group of objects. Pacemaker lets it name anything.
type Tag struct {
	Name string // the id
	Refs []string
}

// Node is a node that the configuration knows.
type Node struct {
	NodeID      string // the id: "1"; "" is that of the node called Uname
	Uname       string // "lb-1"
	Type        string // "member", "remote", "ping" or ""
	Description string
	Attributes  Attrs // "standby", "maintenance", and the user's own
	Utilization Attrs

	extra extras
	more  Attrs // attributes that have no field, such as score
}

// XML is an object that the package does not model, kept as it was read. crmsh's grammar has it as
// `xml <element …>`.
type XML struct {
	element *etree.Element
	section Section // if the element is a set of properties or defaults
}
