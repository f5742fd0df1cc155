package crm

import (
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// ID implements Object.
func (o *Primitive) ID() string { return o.Name }

// ID implements Object.
func (o *Clone) ID() string { return o.Name }

// ID implements Object.
func (o *Group) ID() string { return o.Name }

// ID implements Object.
func (o *Colocation) ID() string { return o.Name }

// ID implements Object.
func (o *Order) ID() string { return o.Name }

// ID implements Object.
func (o *Location) ID() string { return o.Name }

// ID implements Object.
func (o *Tag) ID() string { return o.Name }

// ID implements Object. A node's id is among other nodes' only: a remote node and the resource that
// connects it have the same.
func (o *Node) ID() string {
	if o.NodeID == "" {
		return o.Uname
	}
	return o.NodeID
}

// ID is the id of the option itself, the one that a tag may name: the set's id and the option's
// name, unless the CIB has another.
func (o *Property) ID() string {
	if o.id != "" {
		return o.id
	}
	return asID(o.set() + "-" + o.Name)
}

// ID implements Object. There is only one fencing topology; it has the name that crmsh gives it.
func (o *XML) ID() string {
	if o.element == nil {
		return ""
	}
	if o.element.Tag == "fencing-topology" {
		return "fencing_topology"
	}
	return o.element.SelectAttrValue("id", "")
}

// set is the id of the set that contains the property.
func (o *Property) set() string {
	if o.Set != "" {
		return o.Set
	}
	return defaultSet[o.section()]
}

// DefaultSet is the set of the cluster's own options.
const DefaultSet = "cib-bootstrap-options"

// defaultSet names the set in which crmsh keeps a section's options.
var defaultSet = map[Section]string{
	ClusterProperty: DefaultSet, RscDefaults: "rsc-options", OpDefaults: "op-options",
}

func (o *Property) section() Section {
	if o.Section == "" {
		return ClusterProperty
	}
	return o.Section
}

// Keyword implements Object.
func (*Primitive) Keyword() string { return "primitive" }

// Keyword implements Object.
func (*Clone) Keyword() string { return "clone" }

// Keyword implements Object.
func (*Group) Keyword() string { return "group" }

// Keyword implements Object.
func (*Colocation) Keyword() string { return "colocation" }

// Keyword implements Object.
func (*Order) Keyword() string { return "order" }

// Keyword implements Object.
func (*Location) Keyword() string { return "location" }

// Keyword implements Object.
func (*Tag) Keyword() string { return "tag" }

// Keyword implements Object.
func (*Node) Keyword() string { return "node" }

// Keyword implements Object.
func (o *XML) Keyword() string {
	if o.element != nil && elementWords[o.element.Tag] != "" {
		return elementWords[o.element.Tag]
	}
	if o.section != "" {
		return string(o.section)
	}
	return "xml"
}

// Keyword is the section's name.
func (o *Property) Keyword() string { return string(o.section()) }

// agentName is the agent in the form class:provider:type.
func agentName(o *Primitive) string {
	var parts []string
	for _, p := range []string{o.Class, o.Provider, o.Type} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ":")
}

// Agent is the resource agent in the form class:provider:type, or, if a template defines it, "@"
// and the template.
func (o *Primitive) Agent() string {
	if o.Template != "" && o.Class == "" {
		return "@" + o.Template
	}
	return agentName(o)
}

// interval is the text that is written for the operation.
func (op *Op) interval() string {
	if op.Interval == "" {
		return "0s"
	}
	return op.Interval
}

// period is the interval in one normal form, so that 15, 15s and 15000ms are the same.
func (op *Op) period() string {
	d, err := parseInterval(op.interval())
	switch {
	case err != nil || d < 0 || d%time.Millisecond != 0:
		return op.interval()
	case d%time.Second != 0:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// label names the operation among the primitive's others.
func (op *Op) label() string {
	label := "op " + op.Name
	if p := op.period(); p != "0s" {
		label += " " + p
	}
	if role, ok := op.Attrs.Get("role"); ok {
		label += " " + role
	}
	return label
}

func attrFields(prefix string, attrs Attrs) []Field {
	var out []Field
	for _, a := range attrs {
		out = append(out, Field{prefix + " " + a.Name, a.Value})
	}
	return out
}

// textFields leaves out what is "".
func textFields(fields ...Field) []Field {
	var out []Field
	for _, f := range fields {
		if f.Value != "" {
			out = append(out, f)
		}
	}
	return out
}

func (o *Primitive) fields() []Field {
	out := textFields(Field{"agent", o.Agent()}, Field{"description", o.Description},
		Field{"operations $id", o.opsID})
	out = append(out, attrFields("params", o.Params)...)
	for i := range o.Ops {
		out = append(out, o.Ops[i].fields()...)
	}
	out = append(out, attrFields("meta", o.Meta)...)
	out = append(out, attrFields("utilization", o.Utilization)...)
	return append(out, o.extra.fields()...)
}

func (op *Op) fields() []Field {
	label := op.label()
	out := []Field{{label, "interval=" + op.period()}}
	out = append(out, attrFields(label, op.Attrs)...)
	out = append(out, attrFields(label+" op_params", op.Params)...)
	out = append(out, attrFields(label+" op_meta", op.Meta)...)
	return append(out, op.extra.fields()...)
}

func (o *Clone) fields() []Field {
	out := textFields(Field{"resource", o.Resource}, Field{"description", o.Description})
	out = append(out, attrFields("params", o.Params)...)
	out = append(out, attrFields("meta", o.Meta)...)
	return append(out, o.extra.fields()...)
}

func (o *Group) fields() []Field {
	out := textFields(Field{
		"members", strings.Join(o.Members, " "),
	}, Field{"description", o.Description})
	out = append(out, attrFields("params", o.Params)...)
	out = append(out, attrFields("meta", o.Meta)...)
	return append(out, o.extra.fields()...)
}

func (o *Colocation) fields() []Field {
	out := textFields(Field{
		"score", o.Score,
	}, Field{"resource", o.Resource}, Field{"role", o.Role}, Field{"with", o.With},
		Field{"with-role", o.WithRole},
		Field{"node-attribute", o.NodeAttribute}, Field{"influence", o.Influence})
	out = append(out, attrFields("attribute", o.more)...)
	return append(append(out, setFields(o.Sets)...), o.extra.fields()...)
}

func (o *Order) fields() []Field {
	out := textFields(Field{
		"kind", o.Kind,
	}, Field{"score", o.Score}, Field{"first", o.First}, Field{"first-action", o.FirstAction},
		Field{"then", o.Then},
		Field{"then-action", o.ThenAction}, Field{"symmetrical", o.Symmetrical},
		Field{"require-all", o.RequireAll})
	out = append(out, attrFields("attribute", o.more)...)
	return append(append(out, setFields(o.Sets)...), o.extra.fields()...)
}

func (o *Location) fields() []Field {
	out := textFields(Field{
		"resource", o.Resource,
	}, Field{"pattern", o.Pattern}, Field{"role", o.Role}, Field{"score", o.Score},
		Field{"node", o.Node},
		Field{"resource-discovery", o.Discovery})
	return append(append(out, setFields(o.Sets)...), o.extra.fields()...)
}

func setFields(sets []ResourceSet) []Field {
	var out []Field
	for i, s := range sets {
		el := etree.NewElement("resource_set")
		for _, a := range s.Attrs {
			el.CreateAttr(a.Name, a.Value)
		}
		for _, id := range s.Resources {
			el.CreateElement("resource_ref").CreateAttr("id", id)
		}
		out = append(out, Field{"set " + itoa(i+1), canonical(el)})
	}
	return out
}

func (o *Property) fields() []Field { return []Field{{o.Name, o.Value}} }

func (o *Tag) fields() []Field { return []Field{{"refs", strings.Join(o.Refs, " ")}} }

func (o *Node) fields() []Field {
	out := textFields(Field{
		"uname", o.Uname,
	}, Field{"type", o.Type}, Field{"description", o.Description})
	out = append(out, attrFields("attribute", o.more)...)
	out = append(out, attrFields("attributes", o.Attributes)...)
	out = append(out, attrFields("utilization", o.Utilization)...)
	return append(out, o.extra.fields()...)
}

func (o *XML) fields() []Field { return []Field{{"xml", canonical(o.element)}} }

// sameFields says whether two lists hold the same fields, in any order.
func sameFields(a, b []Field) bool {
	if len(a) != len(b) {
		return false
	}
	count := map[Field]int{}
	for _, f := range a {
		count[f]++
	}
	for _, f := range b {
		if count[f]--; count[f] < 0 {
			return false
		}
	}
	return true
}
