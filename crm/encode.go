package crm

import "github.com/beevik/etree"

// builder writes objects into a configuration: elements that are there are changed in place, so
// that their ids and whatever the package does not model stay.
type builder struct {
	config *etree.Element
	ids    idPool
}

// newBuilder returns a builder for a configuration that uses those ids; it adds new ones to them.
func newBuilder(c *CIB, ids idPool) *builder {
	return &builder{config: c.configuration(), ids: ids}
}

// section returns the section of the configuration, which it creates if it is missing.
func (b *builder) section(name string) *etree.Element {
	if el := b.config.SelectElement(name); el != nil {
		return el
	}
	return b.config.CreateElement(name)
}

// find returns the section's element of the kind with the id, at any depth, or nil.
func (b *builder) find(section, tag, id string) *etree.Element {
	el := b.config.SelectElement(section)
	if el == nil {
		return nil
	}
	return findID(el, tag, id)
}

func findID(el *etree.Element, tag, id string) *etree.Element {
	for _, c := range el.ChildElements() {
		if c.Tag == tag && value(c, "id") == id {
			return c
		}
		if found := findID(c, tag, id); found != nil {
			return found
		}
	}
	return nil
}

// element finds or creates the element of an object in a section.
func (b *builder) element(section, tag, id string) *etree.Element {
	el := b.find(section, tag, id)
	if el == nil {
		el = b.section(section).CreateElement(tag)
		el.CreateAttr("id", id)
		b.ids[id] = true
	}
	return el
}

// put writes the object, new or changed.
func (b *builder) put(o Object) {
	switch o := o.(type) {
	case *Primitive:
		b.putPrimitive(o)
	case *Clone:
		el := b.element("resources", "clone", o.Name)
		setAttr(el, "description", o.Description)
		b.putSet(el, "instance_attributes", o.Params, o.Name)
		b.putSet(el, "meta_attributes", o.Meta, o.Name)
		b.putExtras(el, o.extra, o.Name)
		b.putMembers(el, []string{o.Resource})
	case *Group:
		el := b.element("resources", "group", o.Name)
		setAttr(el, "description", o.Description)
		b.putSet(el, "instance_attributes", o.Params, o.Name)
		b.putSet(el, "meta_attributes", o.Meta, o.Name)
		b.putExtras(el, o.extra, o.Name)
		b.putMembers(el, o.Members)
	case *Colocation:
		el := b.element("constraints", "rsc_colocation", o.Name)
		setAll(el, "score", o.Score, "rsc", o.Resource, "rsc-role", o.Role, "with-rsc", o.With,
			"with-rsc-role", o.WithRole, "node-attribute", o.NodeAttribute, "influence",
			o.Influence)
		setMore(el, o.more, decodeColocation(el).more)
		b.putSets(el, o.Sets, o.Name)
		b.putExtras(el, o.extra, o.Name)
	case *Order:
		el := b.element("constraints", "rsc_order", o.Name)
		setAll(el, "kind", o.Kind, "score", o.Score, "symmetrical", o.Symmetrical, "first", o.First,
			"first-action", o.FirstAction, "then", o.Then, "then-action", o.ThenAction,
			"require-all", o.RequireAll)
		setMore(el, o.more, decodeOrder(el).more)
		b.putSets(el, o.Sets, o.Name)
		b.putExtras(el, o.extra, o.Name)
	case *Location:
		el := b.element("constraints", "rsc_location", o.Name)
		setAll(el, "rsc", o.Resource, "rsc-pattern", o.Pattern, "role", o.Role,
			"resource-discovery", o.Discovery, "score", o.Score, "node", o.Node)
		b.putSets(el, o.Sets, o.Name)
		b.putExtras(el, o.extra, o.Name)
	case *Property:
		b.putProperty(o)
	case *Tag:
		b.putTag(o)
	case *Node:
		el := b.element("nodes", "node", o.ID())
		setAll(el, "uname", o.Uname, "type", o.Type, "description", o.Description)
		setMore(el, o.more, decodeNode(el).more)
		b.putSet(el, "instance_attributes", o.Attributes, o.ID())
		b.putSet(el, "utilization", o.Utilization, o.ID())
		b.putExtras(el, o.extra, o.ID())
	case *XML:
		b.putXML(o)
	}
}

func setAll(el *etree.Element, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		setAttr(el, pairs[i], pairs[i+1])
	}
}

// setMore makes the attributes that have no field the wanted ones.
func setMore(el *etree.Element, want, have Attrs) {
	for _, a := range have {
		if _, keep := want.Get(a.Name); !keep {
			el.RemoveAttr(a.Name)
		}
	}
	for _, a := range want {
		setAttr(el, a.Name, a.Value)
	}
}

func removeAll(el *etree.Element, tag string) {
	for _, c := range el.SelectElements(tag) {
		el.RemoveChild(c)
	}
}

func (b *builder) putPrimitive(o *Primitive) {
	el := b.element("resources", "primitive", o.Name)
	setAll(el, "class", o.Class, "provider", o.Provider, "type", o.Type, "template", o.Template,
		"description", o.Description)
	b.putSet(el, "instance_attributes", o.Params, o.Name)
	b.putOps(el, o)
	b.putSet(el, "meta_attributes", o.Meta, o.Name)
	b.putSet(el, "utilization", o.Utilization, o.Name)
	b.putExtras(el, o.extra, o.Name)
}

// putSet makes the element's plain set of that kind hold exactly the attributes. A set that becomes
// empty is removed, unless something refers to it.
func (b *builder) putSet(el *etree.Element, tag string, attrs Attrs, owner string) {
	set := modelledSet(el, tag)
	if len(attrs) == 0 {
		if set != nil && !b.referred(value(set, "id")) {
			el.RemoveChild(set)
		} else if set != nil {
			removeAll(set, "nvpair")
		}
		return
	}
	if set == nil {
		set = el.CreateElement(tag)
		set.CreateAttr("id", b.ids.take(owner, tag))
	}
	for _, nv := range set.ChildElements() {
		if _, keep := attrs.Get(value(nv, "name")); !keep {
			set.RemoveChild(nv)
		}
	}
	for _, a := range attrs {
		b.putPair(set, a.Name, a.Value)
	}
}

// putPair sets one option of a set. An empty value is a value here.
func (b *builder) putPair(set *etree.Element, name, val string) {
	for _, nv := range set.SelectElements("nvpair") {
		if value(nv, "name") == name {
			if nv.SelectAttr("value") == nil || value(nv, "value") != val {
				nv.CreateAttr("value", val)
			}
			return
		}
	}
	nv := set.CreateElement("nvpair")
	nv.CreateAttr("id", b.ids.take(value(set, "id"), name))
	nv.CreateAttr("name", name)
	nv.CreateAttr("value", val)
}

// referred says whether an id-ref somewhere names the id.
func (b *builder) referred(id string) bool { return refers(b.config, id) }

// referredIn says whether something in the configuration that the element is part of refers to it.
func referredIn(el *etree.Element) bool {
	root := el
	for root.Parent() != nil {
		root = root.Parent()
	}
	return refers(root, value(el, "id"))
}

// refers allocates nothing: it is asked once for each rule, about the whole configuration.
func refers(el *etree.Element, id string) bool {
	for i := range el.Attr {
		if el.Attr[i].Key == "id-ref" && el.Attr[i].Value == id {
			return true
		}
	}
	for _, c := range el.Child {
		if c, ok := c.(*etree.Element); ok && refers(c, id) {
			return true
		}
	}
	return false
}
