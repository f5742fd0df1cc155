package crm

import (
	"strings"

	"github.com/beevik/etree"
)

// aclKinds are what a permission does.
var aclKinds = []string{"read", "write", "deny"}

// aclSpecs are the attributes of a permission, by crmsh's words for them.
var aclSpecs = map[string]string{
	"xpath": "xpath", "ref": "reference", "reference": "reference", "tag": "object-type",
	"type": "object-type", "attr": "attribute", "attribute": "attribute",
}

// aclShortcuts are crmsh's words for XPaths: each part takes the next value of the word in place of
// @@, or none.
var aclShortcuts = map[string][]string{
	"meta":        {"//primitive[@id='@@']/meta_attributes", "/nvpair[@name='@@']"},
	"params":      {"//primitive[@id='@@']/instance_attributes", "/nvpair[@name='@@']"},
	"utilization": {"//primitive[@id='@@']/utilization"},
	"location":    {"//rsc_location[@id='cli-prefer-@@' and @rsc='@@']"},
	"property":    {"//crm_config/cluster_property_set", "/nvpair[@name='@@']"},
	"nodeattr":    {"//nodes/node/instance_attributes", "/nvpair[@name='@@']"},
	"nodeutil":    {"//nodes/node/utilization", "[@uname='@@']"},
	"node":        {"//nodes/node", "[@uname='@@']"},
	"status":      {"/cib/status"},
	"cib":         {"/cib"},
}

// parseRole reads what a role may do: `role ID {read|write|deny} SPEC:VALUE…`.
func parseRole(p *parser) Object {
	el := etree.NewElement("acl_role")
	el.CreateAttr("id", p.id("role"))
	setAttr(el, "description", p.description())
	for n := 0; n == 0 || p.more(); n++ {
		kind := p.oneOf(p.next("read, write or deny"), aclKinds)
		id, ok := p.acceptPair("$id")
		if !ok {
			id, _ = p.acceptLabel()
		}
		description := p.description()
		specs := p.aclSpecs()
		permission := func(names ...string) {
			c := el.CreateElement("acl_permission")
			setAll(c, "id", id, "kind", kind)
			for _, name := range names {
				setAttr(c, name, specs[name])
			}
			setAttr(c, "description", description)
			id = "" // of the first one
		}
		switch {
		case len(specs) == 0:
			p.fail(p.peek(), "what that is about, such as xpath:/cib, ref:ID or type:primitive")
		case specs["attribute"] != "" && specs["object-type"] == "":
			p.fail(p.peek(), "type:ELEMENT together with attribute:NAME")
		}
		for _, name := range []string{"xpath", "reference"} {
			if specs[name] != "" {
				permission(name)
			}
		}
		if specs["object-type"] != "" {
			permission("object-type", "attribute")
		}
	}
	return &XML{element: el}
}

// aclSpecs reads SPEC:VALUE as long as there are any.
func (p *parser) aclSpecs() map[string]string {
	specs := map[string]string{}
	for p.more() {
		word, val, given := strings.Cut(p.peek(), ":")
		if name := aclSpecs[word]; name != "" && val != "" {
			specs[name] = val
		} else if parts := aclShortcuts[word]; parts != nil {
			specs["xpath"] = p.aclShortcut(parts, val, given)
		} else {
			break
		}
		p.at++
	}
	return specs
}

func (p *parser) aclShortcut(parts []string, val string, given bool) string {
	var values []string
	if given {
		values = strings.Split(val, ":")
	}
	xpath := ""
	for i, part := range parts {
		wants := strings.Contains(part, "@@")
		switch {
		case wants && len(values) > 0:
			part = strings.ReplaceAll(part, "@@", values[0])
			values = values[1:]
		case wants && i == 0:
			p.fail(p.peek(), "a colon and a value after that")
		case wants:
			continue
		}
		xpath += part
	}
	if len(values) > 0 {
		p.fail(p.peek(), "fewer values")
	}
	return xpath
}

// parseHolder reads who has which roles: `acl_target USER ROLE…`, `acl_group GROUP ROLE…`.
func parseHolder(tag string) func(*parser) Object {
	return func(p *parser) Object {
		el := etree.NewElement(tag)
		el.CreateAttr("id", p.id(tag))
		for n := 0; n == 0 || p.more(); n++ {
			el.CreateElement("role").CreateAttr("id", p.id("role"))
		}
		return &XML{element: el}
	}
}

func roleText(el *etree.Element) *text {
	t := head("role", value(el, "id"))
	t.description(value(el, "description"))
	for _, c := range el.ChildElements() {
		words := []string{value(c, "kind")}
		if d := value(c, "description"); d != "" {
			words = append(words, pair("description", d))
		}
		for _, spec := range []struct{ word, name string }{
			{"xpath", "xpath"}, {"ref", "reference"}, {"type", "object-type"}, {"attr", "attribute"},
		} {
			if v := value(c, spec.name); v != "" {
				words = append(words, spec.word+":"+quote(v))
			}
		}
		t.lines = append(t.lines, strings.Join(words, " "))
	}
	return t
}

func holderText(el *etree.Element) *text {
	words := []string{el.Tag, value(el, "id")}
	for _, c := range el.ChildElements() {
		words = append(words, value(c, "id"))
	}
	return head(words...)
}
