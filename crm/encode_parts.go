package crm

import (
	"slices"

	"github.com/beevik/etree"
)

// putOps makes the primitive's operations the wanted ones, in the wanted order; name and interval
// tell which is which.
func (b *builder) putOps(el *etree.Element, o *Primitive) {
	var parent *etree.Element
	for _, c := range el.SelectElements("operations") {
		if c.SelectAttr("id-ref") == nil {
			parent = c
			break
		}
	}
	if len(o.Ops) == 0 && o.opsID == "" {
		if parent != nil {
			el.RemoveChild(parent)
		}
		return
	}
	if parent == nil {
		parent = el.CreateElement("operations")
	}
	if o.opsID != "" {
		setAttr(parent, "id", o.opsID)
		b.ids[o.opsID] = true
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
		if _, keep := op.Attrs.Get(a.Key); !keep && a.Key != "id" && a.Key != "name" &&
			a.Key != "interval" {
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

// putSets makes the constraint's resource sets the wanted ones. Sets have no names that people
// choose, so they are compared whole.
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

// putExtras makes the element's unmodelled parts the wanted ones; those that it already has stay as
// they are.
func (b *builder) putExtras(el *etree.Element, want extras, owner string) {
	have := map[string]int{}
	for _, c := range el.ChildElements() {
		have[canonical(c)]++
	}
	var missing extras
	wanted := map[string]bool{}
	for _, x := range want {
		key := canonical(x)
		wanted[key] = true
		if have[key]--; have[key] < 0 {
			missing = append(missing, x)
		}
	}
	for _, c := range el.ChildElements() {
		if !isModelled(el, c) && !wanted[canonical(c)] {
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

// isModelled says whether a child of an object's element is one that the package models.
func isModelled(el, child *etree.Element) bool {
	switch child.Tag {
	case "instance_attributes", "meta_attributes", "utilization":
		return child == modelledSet(el, child.Tag) || emptySet(child)
	case "operations":
		return child.SelectAttr("id-ref") == nil
	case "resource_set", "primitive", "group":
		return true
	}
	return false
}

// idWord is the suffix that crmsh gives the ids of elements that people do not name.
var idWord = map[string]string{"date_expression": "expression"}

// withoutID are the elements of the schema that have no id; with one the whole configuration is
// refused.
var withoutID = []string{
	"operations", "fencing-topology", "docker", "podman", "rkt", "network", "storage", "lifetime",
	"select", "select_attributes", "select_fencing", "select_nodes", "select_resources",
}

// fillIDs gives ids to the elements that need one and have none.
func (b *builder) fillIDs(el *etree.Element, owner string) {
	id := value(el, "id")
	switch {
	case id != "":
		b.ids[id] = true
	case el.SelectAttr("id-ref") != nil || slices.Contains(withoutID, el.Tag):
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
