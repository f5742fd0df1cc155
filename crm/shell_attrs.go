package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// enders are the words that end a list of attributes.
var enders = []string{
	"params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "rule",
	"attributes",
}

// attrs reads NAME=VALUE until something else follows.
func (p *parser) attrs() Attrs {
	var out Attrs
	for p.more() && !slices.Contains(enders, strings.ToLower(p.peek())) &&
		!slices.Contains(p.ends, p.peek()) {
		name, val, ok := strings.Cut(p.peek(), "=")
		if strings.HasPrefix(name, "$") || strings.HasPrefix(name, "@") {
			p.fail(p.peek(), "NAME=VALUE; what others refer to by $id can only be written as xml")
		}
		if !ok || name == "" {
			p.fail(p.peek(), "NAME=VALUE or "+orList(enders[:5]))
		}
		if _, twice := out.Get(name); twice {
			p.fail(p.peek(), "each name once, but there is another "+name)
		}
		p.at++
		out = append(out, Attr{name, val})
	}
	return out
}

// set reads one list of attributes, which may have a score and rules, into a child of the element.
func (p *parser) set(into *etree.Element, tag string) {
	if ref, ok := p.acceptPair("$id-ref"); ok {
		into.CreateElement(tag).CreateAttr("id-ref", ref)
		return
	}
	score, scored := p.acceptLabel()
	rules := p.rules()
	if strings.HasPrefix(p.peek(), "@") {
		p.references(into.CreateElement(tag), score, rules)
		return
	}
	attrs := p.attrs()
	if !scored && len(rules) == 0 && len(attrs) == 0 {
		return
	}
	el := into.CreateElement(tag)
	if scored {
		if score = scoreOf(score); !scoreRE.MatchString(score) {
			p.fail(score, "a score: a number, inf or -inf")
		}
		el.CreateAttr("score", score)
	}
	for _, r := range rules {
		el.AddChild(r)
	}
	addPairs(el, attrs)
}

// addPairs adds attributes to a set. Their ids are made when the set is written to a CIB.
func addPairs(set *etree.Element, attrs Attrs) {
	for _, a := range attrs {
		nv := set.CreateElement("nvpair")
		nv.CreateAttr("name", a.Name)
		nv.CreateAttr("value", a.Value)
	}
}

// references reads a set that takes values from elsewhere: @ID or @ID:NAME.
func (p *parser) references(set *etree.Element, score string, rules []*etree.Element) {
	if score != "" || len(rules) > 0 {
		p.fail(p.peek(),
			"NAME=VALUE; references in a set with a score or rules can only be written as xml")
	}
	for strings.HasPrefix(p.peek(), "@") {
		id, name, named := strings.Cut(p.next("")[1:], ":")
		nv := set.CreateElement("nvpair")
		nv.CreateAttr("id-ref", id)
		if named {
			nv.CreateAttr("name", name)
		}
	}
}

// sets reads lists of attributes, each after its word, until something else follows. Attributes
// without a word go into the implicit kind of set, if they come first.
func (p *parser) sets(implicit string, words map[string]string, other func() bool) *etree.Element {
	into := etree.NewElement("sets")
	for first := true; p.more(); first = false {
		switch tag := words[strings.ToLower(p.peek())]; {
		case tag != "":
			p.at++
			p.set(into, tag)
		case other != nil && other():
		case first && implicit != "" && strings.Contains(p.peek(), "="):
			p.set(into, implicit)
		default:
			return into
		}
	}
	return into
}

func (p *parser) description() string {
	d, _ := p.acceptPair("description")
	return d
}
