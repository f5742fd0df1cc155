package crm

import (
	"bytes"
	"slices"
	"strings"

	"github.com/beevik/etree"

	"github.com/hawser-ha/hawser/internal/outcome"
)

// Select picks the objects by their ids, or by "type:" and their keyword. A resource that is inside
// an object of another kind, as a bundle's is, stands for that object.
func Select(objects []Object, words []string) ([]Object, error) {
	var out []Object
	for _, w := range words {
		kind, byKind := strings.CutPrefix(w, "type:")
		if byKind {
			if kind = strings.ToLower(kind); kindAliases[kind] != "" {
				kind = kindAliases[kind]
			}
			if all := objectTypes(); !slices.Contains(all, kind) {
				return nil, outcome.Usagef("there are no objects of the type %q: the types are %s",
					kind, strings.Join(all, ", "))
			}
		}
		found := false
		for _, o := range objects {
			if byKind && !isKind(o, kind) || !byKind && !answersTo(o, w) {
				continue
			}
			found = true
			if !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
		if !found && !byKind {
			return nil, outcome.Usagef("the configuration has no object %s", w)
		}
	}
	return out, nil
}

// kindAliases are further names that crmsh has for kinds of objects.
var kindAliases = map[string]string{
	"collocation": "colocation", "master": "ms", "fencing-topology": "fencing_topology",
	"template": "rsc_template",
}

// objectTypes are the words after "type:".
func objectTypes() []string {
	all := []string{"bundle", "xml"}
	for _, name := range statementNames() {
		if name != "monitor" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func isKind(o Object, kind string) bool {
	switch kind {
	case o.Keyword():
		return true
	case "ms":
		c, ok := o.(*Clone)
		promotable := ""
		if ok {
			promotable, _ = c.Meta.Get("promotable")
		}
		return IsTrue(promotable)
	case "xml":
		return strings.HasPrefix(o.String(), "xml ")
	}
	return false
}

func answersTo(o Object, name string) bool {
	if o.ID() == name {
		return true
	}
	switch o := o.(type) {
	case *Property:
		return o.Set != "" && o.Set == name
	case *Node:
		return o.Uname == name
	case *XML:
		return o.section == "" && (findID(o.element, "primitive", name) != nil ||
			findID(o.element, "group", name) != nil)
	}
	return false
}

// Elements prints the objects as the elements of the CIB that they are; an option is printed with
// its whole set.
func (c *CIB) Elements(objects []Object) []byte {
	b := &builder{config: c.configuration()}
	doc := etree.NewDocument()
	var done []*etree.Element
	for _, o := range objects {
		el := b.elementOf(o)
		if p, ok := o.(*Property); ok {
			el = b.propertySet(p, false)
		}
		if el == nil || slices.Contains(done, el) {
			continue
		}
		done = append(done, el)
		doc.AddChild(el.Copy())
	}
	doc.Indent(2)
	var out bytes.Buffer
	if _, err := doc.WriteTo(&out); err != nil { // it writes to memory
		panic(err)
	}
	return bytes.TrimLeft(out.Bytes(), "\n")
}
