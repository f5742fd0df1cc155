package crm

import (
	"slices"
	"strings"
)

// key identifies an object. Options are identified by their set and name, whatever ids the CIB
// gives them; nodes have ids of their own.
func key(o Object) string {
	switch o := o.(type) {
	case *Property:
		return strings.Join([]string{string(o.section()), o.set(), o.Name}, "\x00")
	case *Node:
		return "node\x00" + o.ID()
	}
	return o.ID()
}

// Diff compares the configuration with the wanted one. It is pure: the same arguments give the same
// plan, and the CIB is left as it is. All invalid objects are reported at once, as an
// *InvalidError.
func Diff(cur *CIB, want Spec) (Plan, error) {
	d := newDiffer(cur, want)
	d.validate()
	if err := d.r.err(); err != nil {
		return Plan{}, err
	}
	d.compare()
	d.remember()
	d.checkRefs()
	if err := d.r.err(); err != nil {
		return Plan{}, err
	}
	return d.plan(), nil
}

// differ holds the state of one comparison.
type differ struct {
	cur     *CIB
	want    Spec
	r       report
	have    []Object
	byKey   map[string]Object
	ids     idPool // the ids that the configuration uses
	owned   func(Object) bool
	deletes []Change
	puts    []Change
	made    []string // the ids that the tag will name
}

func newDiffer(cur *CIB, want Spec) *differ {
	d := &differ{
		cur: cur, want: want, have: cur.objects(), byKey: map[string]Object{},
		ids: poolOf(cur.configuration()), owned: want.owns,
	}
	d.want.Objects = cur.identified(want.Objects)
	for _, o := range d.have {
		d.byKey[key(o)] = o
	}
	tagged := cur.Tagged(want.Tag)
	if d.owned == nil {
		byID := want.Owned
		if byID == nil {
			byID = func(id string) bool { return slices.Contains(tagged, id) }
		}
		d.owned = func(o Object) bool { return byID(o.ID()) && !d.namesake(o) }
	}
	if want.Tag != "" {
		d.made = slices.Clone(tagged)
	}
	return d
}

// validate reports what is wrong with each wanted object by itself, and ids that two of them share.
func (d *differ) validate() {
	if d.want.Tag != "" {
		d.r.object = "tag " + d.want.Tag
		d.r.checkID("id", d.want.Tag)
	}
	seen := map[string]Object{}
	for _, o := range d.want.Objects {
		d.r.object = o.Keyword() + " " + o.ID()
		if p, ok := o.(*Property); ok {
			d.r.object = p.Keyword() + " " + p.Name
		}
		if !d.unchanged(o) { // what Pacemaker lives with is not judged
			o.validate(&d.r)
		}
		if other := seen[key(o)]; other != nil {
			d.r.add("id", o.ID(), "is also the id of a %s", other.Keyword())
		}
		seen[key(o)] = o
		if cur := d.byKey[key(o)]; cur != nil && !sameKind(cur, o) {
			d.r.add("id", o.ID(), "is the id of a %s in the cluster's configuration", kindOf(cur))
		} else if _, isNode := o.(*Node); cur == nil && !isNode && d.ids[o.ID()] {
			d.r.add("id", o.ID(), "is the id of something else in the cluster's configuration")
		}
		if o.ID() == d.want.Tag && d.want.Tag != "" {
			d.r.add("id", o.ID(), "is reserved for the tag that lists what was made")
		}
	}
}

// unchanged says whether the configuration has the object as it is wanted.
func (d *differ) unchanged(o Object) bool {
	cur := d.byKey[key(o)]
	return cur != nil && sameKind(cur, o) && sameFields(cur.fields(), adopt(cur, o).fields())
}

func kindOf(o Object) string {
	if x, ok := o.(*XML); ok {
		return x.element.Tag
	}
	return o.Keyword()
}

func sameKind(a, b Object) bool { return kindOf(a) == kindOf(b) }

// compare finds what must be created, changed and deleted.
func (d *differ) compare() {
	wanted := map[string]bool{}
	for _, o := range d.want.Objects {
		wanted[key(o)] = true
		cur := d.byKey[key(o)]
		if cur == nil {
			d.puts = append(d.puts, Change{New: o})
			d.record(o.ID())
			continue
		}
		if d.owned(cur) {
			d.record(cur.ID()) // which may have been somebody else's until now
		}
		next := adopt(cur, o)
		if sameFields(cur.fields(), next.fields()) {
			if d.adopts(cur) {
				d.record(cur.ID())
			}
			continue
		}
		if !d.owned(cur) {
			p, isProperty := next.(*Property)
			switch {
			case d.adopts(cur):
				d.record(cur.ID())
			case !isProperty || d.want.Tag == "":
				d.foreign(cur, next)
				continue
			default:
				d.puts = append(d.puts, Change{New: d.memory(cur.(*Property))})
				d.record(p.ID())
			}
		}
		d.puts = append(d.puts, Change{Old: cur, New: next})
	}
	for _, o := range d.have {
		if wanted[key(o)] || !d.owned(o) || o.ID() == d.want.Tag {
			continue
		}
		d.forget(o)
	}
	d.forgetMemories()
}

// adopts reports whether an object of somebody else's is taken over.
func (d *differ) adopts(cur Object) bool {
	_, isProperty := cur.(*Property)
	return d.want.Adopt && !isProperty && d.want.Tag != "" && d.want.Adoptable != nil &&
		d.want.Adoptable(cur)
}

// foreign reports an object of somebody else's in the place of a wanted one.
func (d *differ) foreign(cur, next Object) {
	d.r.object = next.Keyword() + " " + next.ID()
	what := "exists already, is not what is wanted, and was made by someone else (%s): "
	if d.want.Adoptable != nil && d.want.Adoptable(cur) {
		d.r.add("", "", what+"`hawser plan --adopt` shows what taking it over changes, `hawser adopt` "+
			"makes a hawser.yaml of what there is; or rename one of the two",
			differences(Change{cur, next}))
		return
	}
	d.r.add("", "", what+"rename one of the two; or have hawser take over the set-up with HAProxy that "+
		"it is a part of (`hawser adopt`); or delete it, which stops it where it runs",
		differences(Change{cur, next}))
}

// forgetMemories deletes the remembered values of options that no longer exist to get them back.
func (d *differ) forgetMemories() {
	if d.want.Tag == "" {
		return
	}
	present := map[string]bool{}
	for _, o := range d.have {
		present[o.ID()] = true
	}
	for _, o := range d.have {
		if p, ok := o.(*Property); ok && p.section() == ClusterProperty &&
			p.set() == d.want.Tag+"-before" && !present[p.Name] {
			d.deletes = append(d.deletes, Change{Old: p})
		}
	}
}

// memory is the option that keeps the value of another that is taken over.
func (d *differ) memory(p *Property) *Property {
	return &Property{Set: d.want.Tag + "-before", Name: p.ID(), Value: p.Value}
}

// forget deletes an owned object that is no longer wanted, or restores an option's previous value.
func (d *differ) forget(o Object) {
	d.made = slices.DeleteFunc(d.made, func(id string) bool { return id == o.ID() })
	if p, ok := o.(*Property); ok && d.want.Tag != "" {
		if before, ok := d.byKey[key(d.memory(p))].(*Property); ok {
			d.deletes = append(d.deletes, Change{Old: before})
			if before.Value != p.Value {
				restored := *p
				restored.Value = before.Value
				d.puts = append(d.puts, Change{Old: p, New: &restored})
			}
			return
		}
	}
	d.deletes = append(d.deletes, Change{Old: o})
}

// record adds an id to the tag.
func (d *differ) record(id string) {
	if d.want.Tag != "" && !slices.Contains(d.made, id) {
		d.made = append(d.made, id)
	}
}

// remember updates the tag with what was made and what is gone.
func (d *differ) remember() {
	if d.want.Tag == "" {
		return
	}
	present := map[string]bool{}
	for _, o := range d.final() {
		present[o.ID()] = true
	}
	d.made = slices.DeleteFunc(d.made, func(id string) bool { return !present[id] })
	cur, had := d.byKey[d.want.Tag].(*Tag)
	switch {
	case had && len(d.made) == 0:
		d.deletes = append(d.deletes, Change{Old: cur})
	case had && !slices.Equal(cur.Refs, d.made):
		d.puts = append(d.puts, Change{Old: cur, New: &Tag{Name: d.want.Tag, Refs: d.made}})
	case !had && len(d.made) > 0:
		d.puts = append(d.puts, Change{New: &Tag{Name: d.want.Tag, Refs: d.made}})
	}
}

// final lists the objects of the new configuration.
func (d *differ) final() []Object {
	gone := map[string]bool{}
	for _, c := range d.deletes {
		gone[key(c.Old)] = true
	}
	next := map[string]Object{}
	for _, c := range d.puts {
		next[key(c.New)] = c.New
	}
	var out []Object
	for _, o := range d.have {
		if n := next[key(o)]; n != nil {
			out = append(out, n)
			delete(next, key(o))
		} else if !gone[key(o)] {
			out = append(out, o)
		}
	}
	for _, c := range d.puts {
		if next[key(c.New)] != nil {
			out = append(out, c.New)
		}
	}
	return out
}

// checkRefs reports references to what the new configuration lacks, and resources that are in two
// containers at once. Existing faults in what is left alone are not reported.
func (d *differ) checkRefs() {
	objects := d.final()
	d.checkNames(objects)
	before := resourceIDs(d.have)
	after := resourceIDs(objects)
	inside := map[string]Object{}
	for _, o := range objects {
		d.r.object = o.Keyword() + " " + o.ID()
		for _, ref := range o.refs() {
			cur := d.byKey[key(o)]
			untouched := cur != nil && slices.Contains(cur.refs(), ref)
			switch kind := after[ref.id]; {
			case kind == "" && before[ref.id] != "":
				d.r.add(ref.field, ref.id, "is needed here, but would be deleted")
			case kind == "" && !untouched:
				d.r.add(ref.field, ref.id, "names a resource that does not exist")
			case kind != "":
				d.checkMember(o, ref, kind, inside)
			}
		}
	}
}

// checkMember reports what cannot be in a clone or group.
func (d *differ) checkMember(o Object, ref ref, kind string, inside map[string]Object) {
	var accepted []string
	switch o.(type) {
	case *Clone:
		accepted = []string{"primitive", "group"}
	case *Group:
		accepted = []string{"primitive"}
	default:
		return
	}
	if !slices.Contains(accepted, kind) {
		d.r.add(ref.field, ref.id, "is a %s; a %s takes a %s", kind, o.Keyword(), orList(accepted))
	}
	if other := inside[ref.id]; other != nil {
		d.r.add(ref.field, ref.id, "is already in the %s %s", other.Keyword(), other.ID())
	}
	inside[ref.id] = o
}

// resourceIDs says what each id that a constraint can name is.
func resourceIDs(objects []Object) map[string]string {
	ids := map[string]string{}
	for _, o := range objects {
		switch o := o.(type) {
		case *Primitive, *Clone, *Group, *Tag:
			ids[o.ID()] = o.Keyword()
		case *XML:
			pool := idPool{}
			pool.addAll(o.element)
			for id := range pool {
				ids[id] = "part of a " + o.element.Tag
			}
			ids[o.ID()] = o.element.Tag
		}
	}
	return ids
}

// plan writes the changes into a copy of the configuration.
func (d *differ) plan() Plan {
	p := Plan{Base: d.cur, New: d.cur, patch: &patch{}}
	if len(d.deletes)+len(d.puts) == 0 {
		return p
	}
	sortChanges(d.deletes)
	sortChanges(d.puts)
	p.Changes = slices.Concat(d.deletes, d.puts)
	p.New = d.cur.next()
	b := newBuilder(p.New, d.ids)
	for _, c := range d.deletes {
		b.remove(c.Old)
	}
	for _, c := range d.puts {
		b.put(c.New)
	}
	d.note(b)
	return p
}

// note writes the note, or deletes it if nothing that was made is left. Where its ids are somebody
// else's it stays away.
func (d *differ) note(b *builder) {
	n := d.want.Note
	if n == nil || d.want.Tag == "" {
		return
	}
	cur, there := d.byKey[key(n)].(*Property)
	switch {
	case len(d.made) == 0 && there:
		b.remove(cur)
	case len(d.made) > 0 && (there || !d.ids[n.ID()] && !d.ids[n.set()]):
		b.put(n)
	}
}

func sortChanges(changes []Change) {
	slices.SortStableFunc(changes, func(a, b Change) int {
		x, y := a.Object(), b.Object()
		if rx, ry := rankOf(x), rankOf(y); rx != ry {
			return rx - ry
		}
		return strings.Compare(sortName(x), sortName(y))
	})
}

// adopt returns the wanted object together with those parts of the current one that the package
// does not model and the wanted one does not mention.
func adopt(cur, want Object) Object {
	switch w := want.(type) {
	case *Primitive:
		c, n := cur.(*Primitive), *w
		n.extra = inherit(n.extra, c.extra)
		if n.opsID == "" {
			n.opsID = c.opsID
		}
		n.Ops = slices.Clone(n.Ops)
		for i := range n.Ops {
			for j := range c.Ops {
				if n.Ops[i].label() == c.Ops[j].label() {
					n.Ops[i].extra = inherit(n.Ops[i].extra, c.Ops[j].extra)
				}
			}
		}
		return &n
	case *Clone:
		n := *w
		n.extra = inherit(n.extra, cur.(*Clone).extra)
		return &n
	case *Group:
		n := *w
		n.extra = inherit(n.extra, cur.(*Group).extra)
		return &n
	case *Node:
		n := *w
		n.extra = inherit(n.extra, cur.(*Node).extra)
		if n.more == nil { // no statement can say them
			n.more = cur.(*Node).more
		}
		return &n
	case *Colocation:
		n := *w
		if n.extra == nil {
			n.extra, n.more = cur.(*Colocation).extra, cur.(*Colocation).more
		}
		return &n
	case *Order:
		n := *w
		if n.extra == nil {
			n.extra, n.more = cur.(*Order).extra, cur.(*Order).more
		}
		return &n
	case *Location:
		n := *w
		if n.Node == "" {
			n.extra = inherit(n.extra, cur.(*Location).extra)
		}
		return &n
	case *Property:
		n := *w
		n.id = cur.(*Property).id
		return &n
	}
	return want
}

// inherit is what an object made by a program (nil) keeps; one that was read from text or a CIB is
// complete by itself.
func inherit(want, cur extras) extras {
	if want != nil {
		return want
	}
	return cur
}
