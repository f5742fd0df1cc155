package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// alertSets are the attribute sets of an alert and of its recipients, by crmsh's words for them.
var alertSets = map[string]string{"attributes": "instance_attributes", "meta": "meta_attributes"}

// selectors are the kinds of events that an alert may be for.
var selectors = []string{"nodes", "fencing", "resources", "attributes"}

// parseAlert reads which program is told what, and for whom: `alert ID PATH [attributes …] [meta …]
// [select KIND…] [to RECIPIENT …]…`.
func parseAlert(p *parser) Object {
	el := etree.NewElement("alert")
	el.CreateAttr("id", p.id("alert"))
	el.CreateAttr("path", p.next("the path of the alert's program"))
	setAttr(el, "description", p.description())
	p.ends = []string{"to", "select", "}"}
	for p.more() {
		switch {
		case p.alertSet(el):
		case p.accept("select"):
			p.selectors(el.CreateElement("select"))
		case p.accept("to"):
			brace := p.accept("{")
			to := el.CreateElement("recipient")
			to.CreateAttr("value", p.next("a recipient"))
			setAttr(to, "description", p.description())
			for p.alertSet(to) {
			}
			if brace && !p.accept("}") {
				p.fail(p.peek(), "} after the recipient")
			}
		default:
			p.fail(p.peek(), "attributes, meta, select or to")
		}
	}
	return &XML{element: el}
}

func (p *parser) alertSet(into *etree.Element) bool {
	tag := alertSets[strings.ToLower(p.peek())]
	if tag == "" {
		return false
	}
	p.at++
	p.set(into, tag)
	return true
}

func (p *parser) selectors(into *etree.Element) {
	for n := 0; n == 0 || slices.Contains(selectors, strings.ToLower(p.peek())); n++ {
		kind := p.oneOf(p.next(orList(selectors)), selectors)
		el := into.CreateElement("select_" + kind)
		if kind != "attributes" || !p.accept("{") {
			continue
		}
		for !p.accept("}") {
			el.CreateElement("attribute").CreateAttr("name", p.next("the name of a node attribute, or }"))
		}
	}
}

func alertText(el *etree.Element) *text {
	t := head("alert", value(el, "id"), quote(value(el, "path")))
	t.description(value(el, "description"))
	for _, c := range el.ChildElements() {
		switch c.Tag {
		case "select":
			t.lines = append(t.lines, selectText(c))
		case "recipient":
			to := []string{"to", quote(value(c, "value"))}
			if d := value(c, "description"); d != "" {
				to = append(to, pair("description", d))
			}
			if sets := t.alertSets(c); len(sets) > 0 {
				to = slices.Concat([]string{"to", "{"}, to[1:], sets, []string{"}"})
			}
			t.lines = append(t.lines, strings.Join(to, " "))
		default:
			t.lines = append(t.lines, t.alertSet(c))
		}
	}
	return t
}

func (t *text) alertSets(el *etree.Element) []string {
	var out []string
	for _, c := range el.ChildElements() {
		out = append(out, t.alertSet(c))
	}
	return out
}

func (t *text) alertSet(el *etree.Element) string {
	for word, tag := range alertSets {
		if tag == el.Tag {
			line, ok := setText(el)
			t.ok = t.ok && ok
			return word + " " + line
		}
	}
	t.ok = false
	return ""
}

func selectText(el *etree.Element) string {
	words := []string{"select"}
	for _, c := range el.ChildElements() {
		kind := strings.TrimPrefix(c.Tag, "select_")
		words = append(words, kind)
		names := c.SelectElements("attribute")
		if kind != "attributes" {
			continue
		}
		words = append(words, "{") // crmsh needs them
		for _, a := range names {
			words = append(words, quote(value(a, "name")))
		}
		words = append(words, "}")
	}
	return strings.Join(words, " ")
}
