package crm

import (
	"sort"
	"strings"

	"github.com/beevik/etree"
)

// sectionOf names the section of the configuration that an element belongs to. Elements that are
// not listed are inside others.
var sectionOf = map[string]string{
	"cluster_property_set": "crm_config",
	"node":                 "nodes",
	"primitive":            "resources", "clone": "resources", "group": "resources",
	"template": "resources", "master": "resources", "bundle": "resources",
	"rsc_location": "constraints", "rsc_colocation": "constraints", "rsc_order": "constraints",
	"rsc_ticket": "constraints",
	"acl_target": "acls", "acl_group": "acls", "acl_role": "acls",
	"fencing-topology": "fencing-topology",
	"tag":              "tags",
	"alert":            "alerts",
}

// extras are the parts of an object that the package does not model. They are kept as they were
// read.
type extras []*etree.Element

func (x extras) count(tag string) int {
	n := 0
	for _, el := range x {
		if el.Tag == tag {
			n++
		}
	}
	return n
}

// fields lists the extras, so that objects that differ only in them are not taken for the same.
func (x extras) fields() []Field {
	var out []Field
	for _, el := range x {
		out = append(out, Field{"xml", canonical(el)})
	}
	return out
}

// canonical is an element as one line, without ids, with its attributes sorted and its children
// grouped by kind: two elements that mean the same look the same. Ids that are themselves the
// meaning (of references) are kept.
func canonical(el *etree.Element) string {
	var b strings.Builder
	writeCanonical(&b, el)
	return b.String()
}

func writeCanonical(b *strings.Builder, el *etree.Element) {
	attrs := make([]string, 0, len(el.Attr))
	for _, a := range el.Attr {
		if a.Key == "id" && el.Tag != "resource_ref" && el.Tag != "obj_ref" {
			continue
		}
		if el.Tag == "rule" && a.Key == "boolean-op" && a.Value == "and" {
			continue // Pacemaker's default
		}
		attrs = append(attrs, a.FullKey()+`="`+a.Value+`"`)
	}
	sort.Strings(attrs)
	b.WriteString("<" + el.Tag)
	for _, a := range attrs {
		b.WriteString(" " + a)
	}
	b.WriteString(">" + strings.TrimSpace(el.Text()))
	children := el.ChildElements()
	sort.SliceStable(children, func(i, j int) bool { return children[i].Tag < children[j].Tag })
	for _, c := range children {
		writeCanonical(b, c)
	}
	b.WriteString("</" + el.Tag + ">")
}

// setAttr sets the attribute, or removes it if the value is "".
func setAttr(el *etree.Element, name, value string) {
	switch {
	case value == "":
		el.RemoveAttr(name)
	case el.SelectAttrValue(name, "") != value:
		el.CreateAttr(name, value)
	}
}

// plainSet says whether an attribute set is nothing but names and values.
func plainSet(set *etree.Element) bool {
	for _, a := range set.Attr {
		if a.Key != "id" {
			return false
		}
	}
	seen := map[string]bool{}
	for _, c := range set.ChildElements() {
		name := c.SelectAttrValue("name", "")
		if c.Tag != "nvpair" || c.SelectAttr("value") == nil || c.SelectAttr("id-ref") != nil ||
			name == "" || seen[name] {
			return false
		}
		seen[name] = true
	}
	return true
}

// modelledSet is the child set of that kind that the package models, or nil: the last one that says
// anything, if it is plain. The order matters to Pacemaker, which takes a value from the first set
// that has it and whose rule holds, so sets with rules come first.
func modelledSet(el *etree.Element, tag string) *etree.Element {
	sets := el.SelectElements(tag)
	for i := len(sets) - 1; i >= 0; i-- {
		switch {
		case !plainSet(sets[i]):
			return nil
		case i == 0 || !emptySet(sets[i]):
			return sets[i]
		}
	}
	return nil
}

// emptySet says whether a set has nothing but its id.
func emptySet(set *etree.Element) bool {
	return plainSet(set) && len(set.ChildElements()) == 0
}

// readSet lists the attributes of a plain set.
func readSet(set *etree.Element) Attrs {
	if set == nil {
		return nil
	}
	var out Attrs
	for _, nv := range set.ChildElements() {
		out = append(out, Attr{nv.SelectAttrValue("name", ""), nv.SelectAttrValue("value", "")})
	}
	return out
}

// idPool knows which ids a configuration uses.
type idPool map[string]bool

func poolOf(root *etree.Element) idPool {
	pool := idPool{}
	pool.addAll(root)
	return pool
}

func (p idPool) addAll(el *etree.Element) {
	switch el.Tag {
	case "resource_ref", "obj_ref", "node": // what they have is not an id of XML's
	default:
		if id := el.SelectAttrValue("id", ""); id != "" {
			p[id] = true
		}
	}
	for _, c := range el.Child {
		if c, ok := c.(*etree.Element); ok {
			p.addAll(c)
		}
	}
}

// take makes an id from the words as crmsh does: joined by hyphens, with what an id cannot hold
// replaced, and a number added if it is taken.
func (p idPool) take(words ...string) string {
	id := asID(strings.Join(words, "-"))
	for try, n := id, 0; ; n++ {
		if !p[try] {
			p[try] = true
			return try
		}
		try = id + "-" + itoa(n)
	}
}

// asID replaces what an id cannot hold by underscores.
func asID(s string) string {
	if isNCName(s) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if isNCName("_" + string(c)) {
			b.WriteRune(c)
		} else {
			b.WriteByte('_')
		}
	}
	if !isNCName(b.String()) {
		return "num-" + b.String()
	}
	return b.String()
}
