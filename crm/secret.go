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
	switch o := o.(type) {
	case *Primitive:
		n := *o
		n.Params, n.extra = o.Params.hidden(), o.extra.hidden()
		n.Ops = slices.Clone(o.Ops)
		for i := range n.Ops {
			n.Ops[i].Params, n.Ops[i].extra = n.Ops[i].Params.hidden(), n.Ops[i].extra.hidden()
		}
		return &n
	case *Clone:
		n := *o
		n.Params, n.extra = o.Params.hidden(), o.extra.hidden()
		return &n
	case *Group:
		n := *o
		n.Params, n.extra = o.Params.hidden(), o.extra.hidden()
		return &n
	case *XML:
		if o.element == nil {
			return o
		}
		n := *o
		n.element = o.element.Copy()
		hidePairs(n.element)
		return &n
	}
	return o
}

func (a Attrs) hidden() Attrs {
	out := slices.Clone(a)
	for i := range out {
		if secretName(out[i].Name) {
			out[i].Value = Hidden
		}
	}
	return out
}

func (x extras) hidden() extras {
	out := slices.Clone(x)
	for i := range out {
		out[i] = out[i].Copy()
		hidePairs(out[i])
	}
	return out
}

func hidePairs(el *etree.Element) {
	if el.Tag == "nvpair" && secretName(value(el, "name")) && el.SelectAttr("value") != nil {
		el.CreateAttr("value", Hidden)
	}
	for _, c := range el.ChildElements() {
		hidePairs(c)
	}
}

// reveal restores the configuration's value where a definition shown by crmsh or a plan has Hidden,
// which nobody means literally: otherwise loading what `crm configure show` printed would replace
// each password with six asterisks.
func reveal(cur *CIB, o Object, r *report) Object {
	p, ok := o.(*Primitive)
	if !ok || !slices.ContainsFunc(p.Params, isHidden) {
		return o
	}
	n := *p
	n.Params = slices.Clone(p.Params)
	old, _ := cur.Object(p.Name)
	was, _ := old.(*Primitive)
	for i, a := range n.Params {
		if !isHidden(a) {
			continue
		}
		var known bool
		if was != nil {
			n.Params[i].Value, known = was.Params.Get(a.Name)
		}
		if !known {
			r.object = p.Keyword() + " " + p.Name
			r.add("params "+a.Name, a.Value,
				"stands for a hidden secret, but the configuration has none to keep: write the "+
					"value itself")
		}
	}
	return &n
}

func isHidden(a Attr) bool { return a.Value == Hidden }
