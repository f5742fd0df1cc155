package crm

import (
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

func itoa(n int) string { return strconv.Itoa(n) }

// decode turns a top-level element of a section into objects. A clone or a group gives several, the
// resources inside first.
func decode(el *etree.Element) []Object {
	switch el.Tag {
	case "primitive":
		return []Object{decodePrimitive(el)}
	case "clone", "group":
		return decodeContainer(el)
	case "rsc_colocation":
		return []Object{decodeColocation(el)}
	case "rsc_order":
		return []Object{decodeOrder(el)}
	case "rsc_location":
		return []Object{decodeLocation(el)}
	case "cluster_property_set":
		return decodeProperties(el, ClusterProperty)
	case "tag":
		return []Object{decodeTag(el)}
	case "node":
		return []Object{decodeNode(el)}
	}
	return []Object{&XML{element: el}}
}

func value(el *etree.Element, name string) string { return el.SelectAttrValue(name, "") }

// attrsBut lists an element's attributes except those with the names.
func attrsBut(el *etree.Element, names ...string) Attrs {
	var out Attrs
	for _, a := range el.Attr {
		if !slices.Contains(names, a.Key) {
			out = append(out, Attr{a.Key, a.Value})
		}
	}
	return out
}

// takeSets reads the modelled attribute sets among the children; every other child is an extra.
// modelled are the tags of children that the caller reads itself.
func takeSets(el *etree.Element, sets map[string]*Attrs, modelled ...string) extras {
	rest := extras{} // not nil: what was read is complete
children:
	for _, c := range el.ChildElements() {
		for _, m := range modelled {
			if c.Tag == m {
				continue children
			}
		}
		if into := sets[c.Tag]; into != nil && c == modelledSet(el, c.Tag) {
			*into = readSet(c)
			continue
		} else if into != nil && emptySet(c) {
			continue // it says nothing
		}
		rest = append(rest, c)
	}
	return rest
}

func decodePrimitive(el *etree.Element) *Primitive {
	o := &Primitive{
		Name: value(el, "id"), Class: value(el, "class"), Provider: value(el, "provider"),
		Type:     value(el, "type"),
		Template: value(el, "template"), Description: value(el, "description"),
	}
	o.extra = takeSets(el, map[string]*Attrs{
		"instance_attributes": &o.Params, "meta_attributes": &o.Meta, "utilization": &o.Utilization,
	}, "operations")
	for _, ops := range el.SelectElements("operations") {
		if ops.SelectAttr("id-ref") != nil {
			o.extra = append(o.extra, ops)
			continue
		}
		if o.opsID == "" {
			o.opsID = value(ops, "id")
		}
		for _, op := range ops.SelectElements("op") {
			o.Ops = append(o.Ops, decodeOp(op))
		}
	}
	return o
}

func decodeOp(el *etree.Element) Op {
	op := Op{Name: value(el, "name"), Interval: value(el, "interval"),
		Attrs: attrsBut(el, "id", "name", "interval")}
	op.extra = takeSets(el, map[string]*Attrs{
		"instance_attributes": &op.Params, "meta_attributes": &op.Meta,
	})
	return op
}

func decodeContainer(el *etree.Element) []Object {
	var inside []Object
	var members []string
	for _, c := range el.ChildElements() {
		switch c.Tag {
		case "primitive", "group", "template":
			inside = append(inside, decode(c)...)
			members = append(members, value(c, "id"))
		case memberTag:
			members = append(members, value(c, "id"))
		}
	}
	if el.Tag == "group" {
		o := &Group{Name: value(el, "id"), Members: members, Description: value(el, "description")}
		o.extra = takeSets(el, map[string]*Attrs{
			"instance_attributes": &o.Params, "meta_attributes": &o.Meta,
		}, "primitive", memberTag)
		return append(inside, o)
	}
	o := &Clone{
		Name: value(el, "id"), Resource: strings.Join(members, " "),
		Description: value(el, "description"),
	}
	o.extra = takeSets(el, map[string]*Attrs{
		"instance_attributes": &o.Params, "meta_attributes": &o.Meta,
	}, "primitive", "group", memberTag)
	return append(inside, o)
}

// memberTag is the element that stands for a resource which is defined elsewhere, in a clone or
// group that is printed as XML: crmsh has it too.
const memberTag = "crmsh-ref"

func decodeColocation(el *etree.Element) *Colocation {
	return &Colocation{
		Name: value(el, "id"), Score: value(el, "score"), Resource: value(el, "rsc"),
		With: value(el, "with-rsc"),
		Role: value(el, "rsc-role"), WithRole: value(el, "with-rsc-role"),
		NodeAttribute: value(el, "node-attribute"),
		Influence:     value(el, "influence"), Sets: decodeSets(el),
		extra: takeSets(el, nil, "resource_set"),
		more: attrsBut(el, "id", "score", "rsc", "with-rsc", "rsc-role", "with-rsc-role",
			"node-attribute", "influence"),
	}
}

func decodeOrder(el *etree.Element) *Order {
	return &Order{
		Name: value(el, "id"), Kind: value(el, "kind"), Score: value(el, "score"),
		First: value(el, "first"), Then: value(el, "then"),
		FirstAction: value(el, "first-action"), ThenAction: value(el, "then-action"),
		Symmetrical: value(el, "symmetrical"),
		RequireAll:  value(el, "require-all"), Sets: decodeSets(el),
		extra: takeSets(el, nil, "resource_set"),
		more: attrsBut(el, "id", "kind", "score", "first", "then", "first-action", "then-action",
			"symmetrical", "require-all"),
	}
}

func decodeLocation(el *etree.Element) *Location {
	return &Location{
		Name: value(el, "id"), Resource: value(el, "rsc"), Pattern: value(el, "rsc-pattern"),
		Sets: decodeSets(el),
		Node: value(el, "node"), Score: value(el, "score"), Role: value(el, "role"),
		Discovery: value(el, "resource-discovery"),
		extra:     takeSets(el, nil, "resource_set"),
	}
}

func decodeSets(el *etree.Element) []ResourceSet {
	var out []ResourceSet
	for _, s := range el.SelectElements("resource_set") {
		set := ResourceSet{Name: value(s, "id"), Attrs: attrsBut(s, "id")}
		for _, r := range s.SelectElements("resource_ref") {
			set.Resources = append(set.Resources, value(r, "id"))
		}
		out = append(out, set)
	}
	return out
}

// decodeProperties turns each option of a plain set into a Property; a set with a rule or a score
// stays XML.
func decodeProperties(set *etree.Element, section Section) []Object {
	if !plainSet(set) {
		return []Object{&XML{element: set, section: section}}
	}
	var out []Object
	for _, nv := range set.ChildElements() {
		out = append(out, &Property{
			Section: section, Set: value(set, "id"), Name: value(nv, "name"),
			Value: value(nv, "value"), id: value(nv, "id"),
		})
	}
	return out
}

func decodeTag(el *etree.Element) *Tag {
	o := &Tag{Name: value(el, "id")}
	for _, r := range el.SelectElements("obj_ref") {
		o.Refs = append(o.Refs, value(r, "id"))
	}
	return o
}

func decodeNode(el *etree.Element) *Node {
	o := &Node{
		NodeID: value(el, "id"), Uname: value(el, "uname"), Type: value(el, "type"),
		Description: value(el, "description"),
		more:        attrsBut(el, "id", "uname", "type", "description"),
	}
	o.extra = takeSets(el, map[string]*Attrs{
		"instance_attributes": &o.Attributes, "utilization": &o.Utilization,
	})
	return o
}
