package crm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// Hidden replaces a secret where one would be shown. crmsh's show prints the same for a password.
const Hidden = "******"

// secretEnds lists the endings of the names of parameters that may hold secrets. The name of a file
// with a secret, such as token_file, is not one.
var secretEnds = []string{"token", "passwd", "password", "secret", "api_key", "secret_key"}

// secretName says whether a field may hold a secret, which must not get into what somebody pastes
// elsewhere.
func secretName(field string) bool {
	name := strings.ToLower(field[strings.LastIndexByte(field, ' ')+1:])
	return slices.ContainsFunc(secretEnds,
		func(end string) bool { return strings.HasSuffix(name, end) })
}

// secretPair is an option with a secret, in the form of canonical.
var secretPair = regexp.MustCompile(
	`(?i)(<nvpair name="[^"]*(?:` + strings.Join(secretEnds, "|") + `)" value=").*?("></nvpair>)`)

// WithoutSecrets is Fields with Hidden in place of what may be a secret, for plans that people read
// and paste elsewhere.
func (c Change) WithoutSecrets() []FieldChange {
	fields := c.Fields()
	for i := range fields {
		f := &fields[i]
		for _, text := range []*string{&f.Old, &f.New} {
			if f.Name == "xml" {
				*text = secretPair.ReplaceAllString(*text, "${1}"+Hidden+"${2}")
			} else if *text != "" && secretName(f.Name) {
				*text = Hidden
			}
		}
	}
	return fields
}

// WithoutSecrets is the object with Hidden in place of what may be a secret, for showing.
func WithoutSecrets(o Object) Object {
	shown, params := paramsOf(o)
	for _, p := range params {
		if secretName(p.name) {
			p.set(Hidden)
		}
	}
	return shown
}

// Shown is WithoutSecrets of each object.
func Shown(objects []Object) []Object {
	out := make([]Object, len(objects))
	for i, o := range objects {
		out[i] = WithoutSecrets(o)
	}
	return out
}

// parameter is a value of an object that may be a secret, and how to replace it.
type parameter struct {
	name, value string
	set         func(value string)
}

// paramsOf returns a copy of the object and all the parameters in it, wherever they stand, in an
// order that depends on nothing but where they stand.
func paramsOf(o Object) (Object, []parameter) {
	var found parameters
	switch o := o.(type) {
	case *Primitive:
		n := *o
		n.Params, n.extra = found.attrs(o.Params), found.extras(o.extra)
		n.Ops = slices.Clone(o.Ops)
		for i := range n.Ops {
			n.Ops[i].Params = found.attrs(n.Ops[i].Params)
			n.Ops[i].extra = found.extras(n.Ops[i].extra)
		}
		return &n, found
	case *Clone:
		n := *o
		n.Params, n.extra = found.attrs(o.Params), found.extras(o.extra)
		return &n, found
	case *Group:
		n := *o
		n.Params, n.extra = found.attrs(o.Params), found.extras(o.extra)
		return &n, found
	case *XML:
		if o.element == nil {
			return o, nil
		}
		n := *o
		n.element = o.element.Copy()
		found.pairs(n.element)
		return &n, found
	}
	return o, nil
}

// parameters collects what paramsOf finds.
type parameters []parameter

// attrs copies the attributes.
func (p *parameters) attrs(attrs Attrs) Attrs {
	out := slices.Clone(attrs)
	for i := range out {
		a := &out[i]
		*p = append(*p, parameter{a.Name, a.Value, func(v string) { a.Value = v }})
	}
	return out
}

// extras copies the elements.
func (p *parameters) extras(x extras) extras {
	out := slices.Clone(x)
	for i := range out {
		out[i] = out[i].Copy()
		p.pairs(out[i])
	}
	return out
}

func (p *parameters) pairs(el *etree.Element) {
	if el.Tag == "nvpair" && el.SelectAttr("value") != nil {
		*p = append(*p, parameter{value(el, "name"), value(el, "value"),
			func(v string) { el.CreateAttr("value", v) }})
	}
	for _, c := range el.ChildElements() {
		p.pairs(c)
	}
}

// reveal restores the configuration's value where a definition that was shown has Hidden, which
// nobody means literally: otherwise loading what was shown would replace each password with six
// asterisks.
func reveal(cur *CIB, o Object, r *report) Object {
	revealed, params := paramsOf(o)
	isHidden := func(p parameter) bool { return p.value == Hidden }
	if !slices.ContainsFunc(params, isHidden) {
		return o
	}
	known := map[string][]string{}
	if old, ok := cur.Counterpart(o); ok && sameKind(old, o) {
		_, before := paramsOf(old)
		for _, p := range before {
			known[p.name] = append(known[p.name], p.value)
		}
	}
	wanted := map[string]int{}
	for _, p := range params {
		wanted[p.name]++
	}
	at := map[string]int{}
	for _, p := range params {
		values := known[p.name]
		n := at[p.name]
		at[p.name]++
		switch {
		case !isHidden(p):
		case len(values) > 0 && len(slices.Compact(slices.Clone(values))) == 1:
			p.set(values[0])
		case len(values) == wanted[p.name] && len(values) > 0:
			p.set(values[n])
		default:
			r.object = Title(o)
			r.add("params "+p.name, Hidden,
				"stands for a hidden secret, but the configuration has none to keep: write the "+
					"value itself (`hawser configure show --secrets` prints it where it is known)")
		}
	}
	return revealed
}
