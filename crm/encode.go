package crm

import (
	"slices"

	"github.com/beevik/etree"
)

// builder writes objects into a configuration: elements that are there are changed in place, so that their ids and
// whatever the package does not model stay.
type builder struct {
	config *etree.Element
	ids    idPool
}

func newBuilder(c *CIB) *builder {
	return &builder{config: c.configuration(), ids: poolOf(c.root)}
}

// section returns the section of the configuration, which it creates if it is missing.
func (b *builder) section(name string) *etree.Element {
	if el := b.config.SelectElement(name); el != nil {
		return el
	}
	return b.config.CreateElement(name)
}

// find returns the element of the kind with the id that stands in the section, at whatever depth, or nil.
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

// element finds or creates the element of an object that stands in a section.
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
		setAll(el, "score", o.Score, "rsc", o.Resource, "rsc-role", o.Role, "with-rsc", o.With, "with-rsc-role", o.WithRole,
			"node-attribute", o.NodeAttribute, "influence", o.Influence)
		b.putSets(el, o.Sets, o.Name)
		b.putExtras(el, o.extra, o.Name)
	case *Order:
		el := b.element("constraints", "rsc_order", o.Name)
		setAll(el, "kind", o.Kind, "score", o.Score, "symmetrical", o.Symmetrical, "first", o.First, "first-action", o.FirstAction,
			"then", o.Then, "then-action", o.ThenAction, "require-all", o.RequireAll)
		b.putSets(el, o.Sets, o.Name)
		b.putExtras(el, o.extra, o.Name)
	case *Location:
		el := b.element("constraints", "rsc_location", o.Name)
		setAll(el, "rsc", o.Resource, "rsc-pattern", o.Pattern, "role", o.Role, "resource-discovery", o.Discovery, "score", o.Score, "node", o.Node)
		b.putSets(el, o.Sets, o.Name)
		if o.extra.count("rule") == 0 {
			removeAll(el, "rule")
		}
		b.putExtras(el, o.extra, o.Name)
	case *Property:
		b.putProperty(o)
	case *Tag:
		b.putTag(o)
	case *Node:
		el := b.element("nodes", "node", o.NodeID)
		setAll(el, "uname", o.Uname, "type", o.Type, "description", o.Description)
		b.putSet(el, "instance_attributes", o.Attributes, o.NodeID)
		b.putSet(el, "utilization", o.Utilization, o.NodeID)
		b.putExtras(el, o.extra, o.NodeID)
	case *XML:
		b.putXML(o)
	}
}

func setAll(el *etree.Element, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		setAttr(el, pairs[i], pairs[i+1])
	}
}

func removeAll(el *etree.Element, tag string) {
	for _, c := range el.SelectElements(tag) {
		el.RemoveChild(c)
	}
}

func (b *builder) putPrimitive(o *Primitive) {
	el := b.element("resources", "primitive", o.Name)
	setAll(el, "class", o.Class, "provider", o.Provider, "type", o.Type, "template", o.Template, "description", o.Description)
	b.putSet(el, "instance_attributes", o.Params, o.Name)
	b.putOps(el, o)
	b.putSet(el, "meta_attributes", o.Meta, o.Name)
	b.putSet(el, "utilization", o.Utilization, o.Name)
	b.putExtras(el, o.extra, o.Name)
}

// putSet makes the element's plain set of that kind hold exactly the attributes. A set that empties goes, unless something refers to it.
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
func (b *builder) putPair(set *etree.Element, name, val string) *etree.Element {
	for _, nv := range set.SelectElements("nvpair") {
		if value(nv, "name") == name {
			if nv.SelectAttr("value") == nil || value(nv, "value") != val {
				nv.CreateAttr("value", val)
			}
			return nv
		}
	}
	nv := set.CreateElement("nvpair")
	nv.CreateAttr("id", b.ids.take(value(set, "id"), name))
	nv.CreateAttr("name", name)
	nv.CreateAttr("value", val)
	return nv
}

// referred says whether an id-ref somewhere names the id.
func (b *builder) referred(id string) bool { return refers(b.config, id) }

func refers(el *etree.Element, id string) bool {
	if value(el, "id-ref") == id {
		return true
	}
	return slices.ContainsFunc(el.ChildElements(), func(c *etree.Element) bool { return refers(c, id) })
}

// putOps makes the primitive's operations the wanted ones, in the wanted order; name and interval tell which is which.
func (b *builder) putOps(el *etree.Element, o *Primitive) {
	var parent *etree.Element
	for _, c := range el.SelectElements("operations") {
		if c.SelectAttr("id-ref") == nil {
			parent = c
			break
		}
	}
	if len(o.Ops) == 0 {
		if parent != nil {
			el.RemoveChild(parent)
		}
		return
	}
	if parent == nil {
		parent = el.CreateElement("operations")
	}
	old := parent.SelectElements("op")
	unused := slices.Clone(old)
	var wanted []*etree.Element
	for i := range o.Ops {
		op := &o.Ops[i]
		var opEl *etree.Element
		if at := slices.IndexFunc(unused, func(e *etree.Element) bool { return sameOp(e, op) }); at >= 0 {
			opEl = unused[at]
			unused = slices.Delete(unused, at, at+1)
		} else {
			opEl = etree.NewElement("op")
			opEl.CreateAttr("id", b.ids.take(o.Name, op.Name, op.interval()))
		}
		b.putOp(opEl, op)
		wanted = append(wanted, opEl)
	}
	if slices.Equal(old, wanted) {
		return
	}
	for _, e := range old {
		parent.RemoveChild(e)
	}
	for _, e := range wanted {
		parent.AddChild(e)
	}
}

func sameOp(el *etree.Element, op *Op) bool {
	role, _ := op.Attrs.Get("role")
	have := decodeOp(el)
	return have.Name == op.Name && have.period() == op.period() && value(el, "role") == role
}

func (b *builder) putOp(el *etree.Element, op *Op) {
	setAttr(el, "name", op.Name)
	if have := decodeOp(el); have.Interval == "" || have.period() != op.period() {
		setAttr(el, "interval", op.interval())
	}
	for _, a := range slices.Clone(el.Attr) {
		if _, keep := op.Attrs.Get(a.Key); !keep && a.Key != "id" && a.Key != "name" && a.Key != "interval" {
			el.RemoveAttr(a.Key)
		}
	}
	for _, a := range op.Attrs {
		setAttr(el, a.Name, a.Value)
	}
	id := value(el, "id")
	b.putSet(el, "instance_attributes", op.Params, id)
	b.putSet(el, "meta_attributes", op.Meta, id)
	b.putExtras(el, op.extra, id)
}

// putSets makes the constraint's resource sets the wanted ones. Sets have no names that people choose, so they are compared whole.
func (b *builder) putSets(el *etree.Element, sets []ResourceSet, owner string) {
	if sameFields(setFields(decodeSets(el)), setFields(sets)) {
		return
	}
	ids := []string{}
	for _, old := range el.SelectElements("resource_set") {
		ids = append(ids, value(old, "id"))
		el.RemoveChild(old)
	}
	for i, s := range sets {
		set := etree.NewElement("resource_set")
		switch {
		case s.Name != "":
			set.CreateAttr("id", s.Name)
		case i < len(ids):
			set.CreateAttr("id", ids[i])
		default:
			set.CreateAttr("id", b.ids.take(owner, itoa(i)))
		}
		for _, a := range s.Attrs {
			set.CreateAttr(a.Name, a.Value)
		}
		for _, id := range s.Resources {
			set.CreateElement("resource_ref").CreateAttr("id", id)
		}
		el.InsertChildAt(i, set)
	}
}

// putExtras puts unmodelled parts in, if the element has not the same already. An object without any leaves alone what is there.
func (b *builder) putExtras(el *etree.Element, want extras, owner string) {
	if len(want) == 0 {
		return
	}
	have := map[string]int{}
	for _, c := range el.ChildElements() {
		have[canonical(c)]++
	}
	var missing extras
	wanted := map[string]bool{}
	tags := map[string]bool{}
	for _, x := range want {
		key := canonical(x)
		wanted[key], tags[x.Tag] = true, true
		if have[key]--; have[key] < 0 {
			missing = append(missing, x)
		}
	}
	for _, c := range el.ChildElements() { // the unmodelled ones of the same kinds that are no longer wanted
		modelled := c == modelledSet(el, c.Tag) || c.Tag == "resource_set" || c.Tag == "operations" && c.SelectAttr("id-ref") == nil
		if tags[c.Tag] && !modelled && !wanted[canonical(c)] {
			el.RemoveChild(c)
		}
	}
	for _, x := range missing {
		c := x.Copy()
		b.fillIDs(c, owner)
		if set := modelledSet(el, c.Tag); set != nil {
			el.InsertChildAt(set.Index(), c)
		} else {
			el.AddChild(c)
		}
	}
}

// idWord is how crmsh ends the ids of elements that people do not name.
var idWord = map[string]string{"date_expression": "expression"}

// fillIDs gives ids to the elements that need one and have none.
func (b *builder) fillIDs(el *etree.Element, owner string) {
	id := value(el, "id")
	switch {
	case id != "":
		b.ids[id] = true
	case el.SelectAttr("id-ref") != nil || el.Tag == "operations":
		id = owner
	default:
		word := el.Tag
		if w := idWord[word]; w != "" {
			word = w
		}
		switch word {
		case "nvpair":
			word = value(el, "name")
		case "op":
			word = value(el, "name") + "-" + value(el, "interval")
		}
		id = b.ids.take(owner, word)
		el.CreateAttr("id", id)
	}
	for _, c := range el.ChildElements() {
		b.fillIDs(c, id)
	}
}

// putMembers makes the container hold exactly the resources, in that order. A resource that leaves it goes back to the top.
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

// release moves the resources inside a container to the top of the section.
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

// placeOf finds where an unmodelled element stands or belongs.
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
	var el *etree.Element
	switch o := o.(type) {
	case *Primitive:
		el = b.find("resources", "primitive", o.Name)
	case *Clone:
		el = b.find("resources", "clone", o.Name)
		b.release(el)
	case *Group:
		el = b.find("resources", "group", o.Name)
		b.release(el)
	case *Colocation:
		el = b.find("constraints", "rsc_colocation", o.Name)
	case *Order:
		el = b.find("constraints", "rsc_order", o.Name)
	case *Location:
		el = b.find("constraints", "rsc_location", o.Name)
	case *Tag:
		el = b.find("tags", "tag", o.Name)
	case *Node:
		el = b.find("nodes", "node", o.NodeID)
	case *XML:
		_, el = b.placeOf(o)
	case *Property:
		b.removeProperty(o)
	}
	if el != nil {
		b.drop(el)
	}
}

// drop removes an element, and the section that it was the last of where the section is optional.
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
