package crm

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

// FormatShell prints the objects as `crm configure show` does, and as `crm configure load` reads:
// an object a statement, properties of one set together.
func FormatShell(objects []Object) string {
	var b strings.Builder
	done := map[string]bool{}
	for i, o := range objects {
		p, ok := o.(*Property)
		if !ok {
			b.WriteString(o.String() + "\n")
			continue
		}
		set := p.Keyword() + " " + p.set()
		if done[set] {
			continue
		}
		done[set] = true
		lines := []string{p.Keyword() + " " + p.set() + ":"}
		for _, other := range objects[i:] {
			if q, ok := other.(*Property); ok && q.Keyword()+" "+q.set() == set {
				lines = append(lines, pair(q.Name, q.Value))
			}
		}
		b.WriteString(joinLines(lines) + "\n")
	}
	return b.String()
}

func joinLines(lines []string) string { return strings.Join(lines, " \\\n\t") }

// text is a statement being put together: a head and lines, as long as the grammar can express
// everything.
type text struct {
	lines []string
	ok    bool
}

func head(words ...string) *text {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
	return &text{lines: []string{strings.Join(words, " ")}, ok: true}
}

func (t *text) description(d string) {
	if d != "" {
		t.lines = append(t.lines, pair("description", d))
	}
}

func (t *text) attrs(word string, attrs Attrs) {
	if len(attrs) == 0 {
		return
	}
	parts := []string{word}
	for _, a := range attrs {
		if strings.ContainsAny(a.Name, "= \t\"'\\") || strings.HasPrefix(a.Name, "$") ||
			strings.HasPrefix(a.Name, "@") {
			t.ok = false
		}
		parts = append(parts, pair(a.Name, a.Value))
	}
	t.lines = append(t.lines, strings.Join(parts, " "))
}

// sets prints the attribute sets among the extras, which come before the plain ones of their kind;
// anything else cannot be expressed.
func (t *text) sets(rest extras, words map[string]string) {
	for _, el := range rest {
		word := words[el.Tag]
		if word == "" {
			t.ok = false
			return
		}
		line, ok := setText(el)
		t.ok = t.ok && ok
		t.lines = append(t.lines, word+" "+line)
	}
}

// setText is an attribute set with a score or rules, after the word params, meta or the like.
func setText(el *etree.Element) (string, bool) {
	var parts []string
	for _, a := range el.Attr {
		switch a.Key {
		case "id":
		case "id-ref":
			return pair("$id-ref", a.Value), len(el.Attr) == 1 && len(el.ChildElements()) == 0
		case "score":
			parts = append(parts, shellScore(a.Value)+":")
		default:
			return "", false
		}
	}
	var pairs, refs []string
	for _, c := range el.ChildElements() {
		switch {
		case c.Tag == "rule":
			rule, ok := ruleText(c)
			if !ok {
				return "", false
			}
			parts = append(parts, "rule "+rule)
		case c.Tag == "nvpair" && c.SelectAttr("id-ref") == nil && c.SelectAttr("value") != nil:
			pairs = append(pairs, pair(value(c, "name"), value(c, "value")))
		case c.Tag == "nvpair" && len(parts) == 0 && c.SelectAttr("id-ref") != nil:
			ref := "@" + value(c, "id-ref")
			if name := value(c, "name"); name != "" {
				ref += ":" + name
			}
			refs = append(refs, ref)
		default:
			return "", false
		}
	}
	if len(refs) > 0 {
		return strings.Join(refs, " "), len(pairs) == 0
	}
	return strings.Join(append(parts, pairs...), " "), true
}

// finish returns the statement, or the object's XML if the grammar cannot express everything, or
// what it expresses would be read as something else.
func (t *text) finish(o Object) string {
	if t.ok {
		if line := joinLines(t.lines); readsAs(line, o) {
			return line
		}
	}
	b := &builder{config: etree.NewElement("configuration"), ids: idPool{}}
	b.put(o)
	el := b.config.ChildElements()[0].ChildElements()[0]
	switch o := o.(type) { // what is inside is a statement of its own
	case *Clone:
		el.CreateElement(memberTag).CreateAttr("id", o.Resource)
	case *Group:
		for _, m := range o.Members {
			el.CreateElement(memberTag).CreateAttr("id", m)
		}
	}
	return xmlText(el)
}

// readsAs says whether a statement is read as the object, and nothing else.
func readsAs(statement string, o Object) bool {
	read, err := ParseShell("", []byte(statement))
	return err == nil && len(read.Objects) == 1 && sameKind(read.Objects[0], o) &&
		read.Objects[0].ID() == o.ID() && sameFields(read.Objects[0].fields(), o.fields())
}

// xmlText is an element as crmsh prints what its grammar cannot express.
func xmlText(el *etree.Element) string {
	doc := etree.NewDocumentWithRoot(el.Copy())
	doc.Indent(2)
	out, err := doc.WriteToString()
	if err != nil { // it writes to memory
		panic(err)
	}
	return "xml " + strings.Join(strings.Split(strings.TrimSpace(out), "\n"), " \\\n")
}

var setWords = map[string]string{
	"instance_attributes": "params", "meta_attributes": "meta", "utilization": "utilization",
}

// String implements Object.
func (o *Primitive) String() string { return primitiveText("primitive", o).finish(o) }

// primitiveText is the statement of a primitive or a template.
func primitiveText(keyword string, o *Primitive) *text {
	t := head(keyword, o.Name, o.Agent())
	t.description(o.Description)
	var sets extras
	shared := ""
	for _, el := range o.extra {
		if el.Tag == "operations" && el.SelectAttr("id-ref") != nil {
			shared = pair("$id-ref", value(el, "id-ref"))
			t.ok = t.ok && len(o.Ops) == 0 && o.opsID == "" && len(el.Attr) == 1
			continue
		}
		sets = append(sets, el)
	}
	t.sets(sets, setWords)
	t.attrs("params", o.Params)
	if o.opsID != "" {
		t.lines = append(t.lines, "operations "+pair("$id", o.opsID))
	}
	if shared != "" {
		t.lines = append(t.lines, "operations "+shared)
	}
	for i := range o.Ops {
		op := &o.Ops[i]
		line := []string{"op", op.Name, pair("interval", op.interval())}
		for _, a := range op.Attrs {
			if !slices.Contains(opAttrs, a.Name) {
				t.ok = false
			}
			line = append(line, pair(a.Name, a.Value))
		}
		t.lines = append(t.lines, strings.Join(line, " "))
		t.sets(op.extra, map[string]string{
			"instance_attributes": "op_params", "meta_attributes": "op_meta",
		})
		t.attrs("op_params", op.Params)
		t.attrs("op_meta", op.Meta)
	}
	t.attrs("meta", o.Meta)
	t.attrs("utilization", o.Utilization)
	return t
}

// String implements Object.
func (o *Clone) String() string {
	t := head("clone", o.Name, o.Resource)
	t.description(o.Description)
	t.sets(o.extra, setWords)
	t.attrs("params", o.Params)
	t.attrs("meta", o.Meta)
	return t.finish(o)
}

// String implements Object.
func (o *Group) String() string {
	t := head("group", o.Name, strings.Join(o.Members, " "))
	t.description(o.Description)
	t.sets(o.extra, setWords)
	t.attrs("params", o.Params)
	t.attrs("meta", o.Meta)
	return t.finish(o)
}

// String implements Object.
func (o *Colocation) String() string {
	score := ""
	if o.Score != "" {
		score = shellScore(o.Score) + ":"
	}
	words := []string{"colocation", o.Name, score}
	var t *text
	if len(o.Sets) > 0 {
		sets, ok := setsText(o.Sets, "role", false)
		t = head(append(words, sets)...)
		t.ok = ok && score != "" && o.NodeAttribute == ""
	} else {
		t = head(append(words, qualify(o.Resource, o.Role), qualify(o.With, o.WithRole),
			tail("node-attribute", o.NodeAttribute))...)
	}
	t.ok = t.ok && o.Influence == "" && len(o.extra)+len(o.more) == 0
	return t.finish(o)
}

// String implements Object.
func (o *Order) String() string {
	kind := ""
	if o.Kind != "" {
		kind = o.Kind + ":"
	}
	words := []string{"order", o.Name, kind}
	var t *text
	if len(o.Sets) > 0 {
		sets, ok := setsText(o.Sets, "action", false)
		t = head(append(words, sets, tail("symmetrical", o.Symmetrical))...)
		t.ok = ok
	} else {
		t = head(append(words, qualify(o.First, o.FirstAction), qualify(o.Then, o.ThenAction),
			tail("symmetrical", o.Symmetrical))...)
	}
	t.ok = t.ok && o.RequireAll == "" && o.Score == "" && len(o.extra)+len(o.more) == 0
	return t.finish(o)
}

func qualify(id, qualifier string) string {
	if qualifier == "" {
		return id
	}
	return id + ":" + qualifier
}

func tail(name, value string) string {
	if value == "" {
		return ""
	}
	return pair(name, value)
}

// String implements Object.
func (o *Location) String() string {
	subject, ok := o.Resource, true
	switch {
	case o.Pattern != "":
		subject = quoteWord("/" + o.Pattern + "/")
	case len(o.Sets) > 0:
		var sets string
		sets, ok = setsText(o.Sets, "role", true)
		subject = "{ " + sets + " }"
	}
	t := head("location", o.Name, subject, tail("role", o.Role),
		tail("resource-discovery", o.Discovery))
	t.ok = ok
	if o.Node != "" {
		t.lines[0] += " " + shellScore(o.Score) + ": " + quoteWord(o.Node)
	}
	for _, el := range o.extra {
		rule, ok := "", false
		if el.Tag == "rule" {
			rule, ok = ruleText(el)
		}
		t.ok = t.ok && ok
		t.lines = append(t.lines, "rule "+rule)
	}
	return t.finish(o)
}

// setsText prints resource sets as crmsh does. A constraint whose sets would be read back as two
// plain resources is marked.
func setsText(sets []ResourceSet, attr string, location bool) (string, bool) {
	var words []string
	count, plain := 0, true
	for _, s := range sets {
		sequential, requireAll, qualifier := "", "", ""
		for _, a := range s.Attrs {
			switch a.Name {
			case "sequential":
				sequential = a.Value
			case "require-all":
				requireAll = a.Value
			case attr:
				qualifier = a.Value
			default:
				return "", false
			}
		}
		// what is read back differently: an explicit default, and brackets that mean something else
		// to crmsh
		if sequential == "true" && requireAll != "false" || requireAll == "true" {
			return "", false
		}
		plain = sequential == "" && requireAll == ""
		var open, closing []string
		switch {
		case requireAll == "false":
			open, closing = []string{"["}, []string{"]"}
			if sequential != "false" {
				return "", false
			}
		case sequential == "false":
			open, closing = []string{"("}, []string{")"}
		}
		words = append(words, open...)
		for _, id := range s.Resources {
			words = append(words, qualify(id, qualifier))
			count++
		}
		words = append(words, closing...)
	}
	if !location && plain && count <= 2 {
		words = append([]string{"_rsc_set_"}, words...)
	}
	// neighbouring sets of the same kind without brackets would be read as one
	for i := 1; i < len(sets); i++ {
		a, _ := sets[i-1].Attrs.Get(attr)
		b, _ := sets[i].Attrs.Get(attr)
		if _, bracketed := sets[i].Attrs.Get("sequential"); a == b && !bracketed {
			if _, was := sets[i-1].Attrs.Get("sequential"); !was {
				return "", false
			}
		}
	}
	return strings.Join(words, " "), true
}

// String implements Object.
func (o *Property) String() string {
	return joinLines([]string{o.Keyword() + " " + o.set() + ":", pair(o.Name, o.Value)})
}

// String implements Object.
func (o *Tag) String() string {
	words := []string{"tag", o.Name}
	for _, id := range o.Refs {
		words = append(words, quoteWord(id))
	}
	return head(words...).finish(o)
}

// String implements Object.
func (o *Node) String() string {
	words := []string{"node"}
	if o.ID() != o.Uname {
		if needsNoQuotes(o.NodeID) && !strings.Contains(o.NodeID, ".") { // as crmsh reads it
			words = append(words, o.NodeID+":")
		} else {
			words = append(words, pair("$id", o.NodeID))
		}
	}
	name := o.Uname
	if o.Type != "" && o.Type != "normal" {
		name += ":" + o.Type
	}
	t := head(append(words, quoteWord(name))...)
	t.description(o.Description)
	t.sets(o.extra, map[string]string{
		"instance_attributes": "attributes", "utilization": "utilization",
	})
	t.attrs("attributes", o.Attributes)
	t.attrs("utilization", o.Utilization)
	t.ok = t.ok && len(o.more) == 0
	return t.finish(o)
}

// String is the element as an xml statement, or as the statement that crmsh has for it if that
// expresses everything.
func (o *XML) String() string {
	if o.element == nil {
		return "xml"
	}
	statement, ok := "", false
	if o.section != "" {
		statement, ok = ruledSetText(o)
	} else if print := printers[o.element.Tag]; print != nil {
		t := print(o.element)
		statement, ok = joinLines(t.lines), t.ok
	}
	if ok && readsAs(statement, o) {
		return statement
	}
	if o.section == RscDefaults || o.section == OpDefaults {
		outer := etree.NewElement(string(o.section))
		outer.AddChild(o.element.Copy())
		return xmlText(outer)
	}
	return xmlText(o.element)
}

func ruledSetText(o *XML) (string, bool) {
	lines := []string{string(o.section) + " " + o.ID() + ":"}
	for _, a := range o.element.Attr {
		if a.Key != "id" {
			return "", false
		}
	}
	var pairs []string // they follow the rules, wherever those stand
	for _, c := range o.element.ChildElements() {
		switch {
		case c.Tag == "rule":
			rule, ok := ruleText(c)
			if !ok {
				return "", false
			}
			lines = append(lines, "rule "+rule)
		case c.Tag == "nvpair" && c.SelectAttr("id-ref") == nil && c.SelectAttr("value") != nil:
			pairs = append(pairs, pair(value(c, "name"), value(c, "value")))
		default:
			return "", false
		}
	}
	return joinLines(append(lines, pairs...)), len(o.element.SelectElements("rule")) > 0
}
