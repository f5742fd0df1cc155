package crm

import (
	"slices"

	"github.com/beevik/etree"
)

// putMembers makes the container hold exactly the resources, in that order. A resource that leaves
// it goes back to the top level.
func (b *builder) putMembers(container *etree.Element, want []string) {
	var have []string
	for _, c := range container.ChildElements() {
		if c.Tag == "primitive" || c.Tag == "group" {
			have = append(have, value(c, "id"))
		}
	}
	if slices.Equal(have, want) {
		return
	}
	b.release(container)
	for _, id := range want {
		el := b.find("resources", "primitive", id)
		if el == nil {
			el = b.find("resources", "group", id)
		}
		if el != nil {
			el.Parent().RemoveChild(el)
			container.AddChild(el)
		}
	}
}

// release moves the resources inside a container to the top level of the section.
func (b *builder) release(container *etree.Element) {
	for _, c := range container.ChildElements() {
		if c.Tag == "primitive" || c.Tag == "group" {
			container.RemoveChild(c)
			b.section("resources").AddChild(c)
		}
	}
}

func (b *builder) propertySet(o *Property, create bool) *etree.Element {
	section, tag := "crm_config", "cluster_property_set"
	if o.section() != ClusterProperty {
		section, tag = string(o.section()), "meta_attributes"
	}
	set := b.find(section, tag, o.set())
	if set == nil && create {
		set = b.section(section).CreateElement(tag)
		set.CreateAttr("id", o.set())
		b.ids[o.set()] = true
	}
	return set
}

func (b *builder) putProperty(o *Property) {
	b.putPair(b.propertySet(o, true), o.Name, o.Value)
}

func (b *builder) putTag(o *Tag) {
	el := b.element("tags", "tag", o.Name)
	have := el.SelectElements("obj_ref")
	kept := map[string]bool{}
	for _, r := range have {
		id := value(r, "id")
		if kept[id] || !slices.Contains(o.Refs, id) {
			el.RemoveChild(r)
		}
		kept[id] = true
	}
	for _, id := range o.Refs {
		if !kept[id] {
			el.CreateElement("obj_ref").CreateAttr("id", id)
			kept[id] = true
		}
	}
}

// putXML replaces the element with the id, or appends a new one to its section.
func (b *builder) putXML(o *XML) {
	el := o.element.Copy()
	parent, old := b.placeOf(o)
	if old != nil {
		for id := range poolOf(old) {
			delete(b.ids, id)
		}
	}
	b.fillIDs(el, o.ID())
	if old != nil {
		at := old.Index()
		parent.RemoveChildAt(at)
		parent.InsertChildAt(at, el)
		return
	}
	parent.AddChild(el)
}

// placeOf finds where an unmodelled element is or belongs.
func (b *builder) placeOf(o *XML) (parent, old *etree.Element) {
	switch {
	case o.element.Tag == "fencing-topology":
		return b.config, b.config.SelectElement("fencing-topology")
	case o.section == RscDefaults || o.section == OpDefaults:
		return b.section(string(o.section)), b.find(string(o.section), "meta_attributes", o.ID())
	}
	section := sectionOf[o.element.Tag]
	if section == "" { // an element that this version of the package has never heard of
		section = o.element.Parent().Tag
	}
	return b.section(section), b.find(section, o.element.Tag, o.ID())
}

// remove deletes the object. The resources of a clone or group stay.
func (b *builder) remove(o Object) {
	el := b.elementOf(o)
	switch o := o.(type) {
	case *Clone, *Group:
		b.release(el)
	case *Property:
		b.removeProperty(o)
	}
	if el != nil {
		b.drop(el)
	}
}

// elementOf finds the element of an object, nil if there is none: an option is only a part of one.
func (b *builder) elementOf(o Object) *etree.Element {
	switch o := o.(type) {
	case *Primitive:
		return b.find("resources", "primitive", o.Name)
	case *Clone:
		return b.find("resources", "clone", o.Name)
	case *Group:
		return b.find("resources", "group", o.Name)
	case *Colocation:
		return b.find("constraints", "rsc_colocation", o.Name)
	case *Order:
		return b.find("constraints", "rsc_order", o.Name)
	case *Location:
		return b.find("constraints", "rsc_location", o.Name)
	case *Tag:
		return b.find("tags", "tag", o.Name)
	case *Node:
		return b.find("nodes", "node", o.ID())
	case *XML:
		_, el := b.placeOf(o)
		return el
	}
	return nil
}

// drop removes an element, and with the last one the section, if that is optional.
func (b *builder) drop(el *etree.Element) {
	parent := el.Parent()
	parent.RemoveChild(el)
	switch parent.Tag {
	case "tags", "rsc_defaults", "op_defaults", "acls", "alerts", "fencing-topology":
		if len(parent.ChildElements()) == 0 {
			parent.Parent().RemoveChild(parent)
		}
	}
}

func (b *builder) removeProperty(o *Property) {
	set := b.propertySet(o, false)
	if set == nil {
		return
	}
	for _, nv := range set.SelectElements("nvpair") {
		if value(nv, "name") == o.Name {
			set.RemoveChild(nv)
		}
	}
	if len(set.ChildElements()) == 0 && !b.referred(o.set()) {
		b.drop(set)
	}
}
