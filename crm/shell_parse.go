package crm

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/beevik/etree"
)

// Script is a piece of crmsh's configuration language: objects to set and ids to delete.
type Script struct {
	Objects []Object
	Delete  []string
}

// ParseShell reads statements of `crm configure`: one a line, a backslash at the end of a line continues it, # begins a comment. file
// is named in errors, which are *SyntaxError.
func ParseShell(file string, text []byte) (Script, error) {
	var script Script
	statements, err := splitStatements(file, string(text))
	if err != nil {
		return script, err
	}
	for _, s := range statements {
		if err := script.add(file, s); err != nil {
			return Script{}, err
		}
	}
	return script, nil
}

// ParseWords reads one statement whose words the shell has separated already, such as the arguments of a command.
func ParseWords(words []string) (Script, error) {
	s := make(statement, len(words))
	for i, w := range words {
		s[i] = word{text: w}
	}
	if len(words) > 1 && strings.EqualFold(words[0], "xml") {
		s = statement{{text: "xml"}, {text: strings.Join(words[1:], " ")}}
	}
	var script Script
	err := script.add("", s)
	return script, err
}

// parser reads the words of one statement. A method that finds something else than what it needs panics with a *SyntaxError, which add
// recovers.
type parser struct {
	file  string
	words statement
	at    int
}

func (p *parser) fail(word, want string) {
	line := 0
	if len(p.words) > 0 {
		line = p.words[min(p.at, len(p.words)-1)].line
	}
	panic(&SyntaxError{File: p.file, Line: line, Word: word, Want: want})
}

func (p *parser) more() bool { return p.at < len(p.words) }

// peek is the next word, "" at the end.
func (p *parser) peek() string {
	if p.more() {
		return p.words[p.at].text
	}
	return ""
}

// next takes the next word.
func (p *parser) next(want string) string {
	if !p.more() {
		p.fail("", want)
	}
	p.at++
	return p.words[p.at-1].text
}

// accept takes the next word if it is the keyword.
func (p *parser) accept(keyword string) bool {
	if p.more() && strings.EqualFold(p.peek(), keyword) {
		p.at++
		return true
	}
	return false
}

// acceptPair takes the next word if it is name=value with one of the names.
func (p *parser) acceptPair(names ...string) (string, bool) {
	name, val, ok := strings.Cut(p.peek(), "=")
	if !ok || !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return "", false
	}
	p.at++
	return val, true
}

// acceptLabel takes the next word if it ends in a colon, and cuts that off.
func (p *parser) acceptLabel() (string, bool) {
	label, ok := strings.CutSuffix(p.peek(), ":")
	if !ok || label == "" || strings.ContainsAny(label, ":=") {
		return "", false
	}
	p.at++
	return label, true
}

// oneOf is the choice that the word is, whatever its case.
func (p *parser) oneOf(word string, choices []string) string {
	for _, c := range choices {
		if strings.EqualFold(c, word) {
			return c
		}
	}
	p.at--
	p.fail(word, orList(choices))
	return ""
}

func (p *parser) id(what string) string {
	id := p.next("the id of the " + what)
	if !isNCName(id) {
		p.at--
		p.fail(id, "the id of the "+what+": a letter or _, then letters, digits, '.', '_' and '-'")
	}
	return id
}

// add reads one statement.
func (s *Script) add(file string, words statement) (err error) {
	p := &parser{file: file, words: words}
	defer func() {
		if e := recover(); e != nil {
			syntax, ok := e.(*SyntaxError)
			if !ok {
				panic(e)
			}
			err = syntax
		}
	}()
	keyword := strings.ToLower(p.next("a statement, such as primitive"))
	if keyword == "delete" {
		s.delete(p)
		return nil
	}
	read := statements[keyword]
	if read == nil {
		p.at--
		p.fail(p.peek(), "one of "+strings.Join(statementNames(), ", ")+", delete or xml; what has no statement here can be written as xml <element …>")
	}
	s.Objects = append(s.Objects, read(p)...)
	if p.more() {
		p.fail(p.peek(), "the end of the "+keyword)
	}
	return nil
}

func (s *Script) delete(p *parser) {
	for p.accept("--force") || p.accept("-f") {
	}
	for n := 0; n == 0 || p.more(); n++ {
		s.Delete = append(s.Delete, p.next("the id of an object"))
	}
}

// statements says how each statement is read.
var statements map[string]func(*parser) []Object

func init() { // the functions refer to the table through the parser
	one := func(read func(*parser) Object) func(*parser) []Object {
		return func(p *parser) []Object { return []Object{read(p)} }
	}
	statements = map[string]func(*parser) []Object{
		"primitive": one(parsePrimitive), "clone": one(parseClone), "group": one(parseGroup), "colocation": one(parseColocation),
		"collocation": one(parseColocation), "order": one(parseOrder), "location": one(parseLocation), "tag": one(parseTag),
		"node": one(parseNode), "rsc_template": one(parseTemplate), "rsc_ticket": one(parseTicket), "xml": parseXML,
		"property":     func(p *parser) []Object { return parseProperties(p, ClusterProperty) },
		"rsc_defaults": func(p *parser) []Object { return parseProperties(p, RscDefaults) },
		"op_defaults":  func(p *parser) []Object { return parseProperties(p, OpDefaults) },
	}
}

func statementNames() []string {
	var names []string
	for name := range statements {
		if name != "collocation" && name != "xml" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// ender are the words that end a list of attributes.
var enders = []string{"params", "meta", "utilization", "operations", "op", "op_params", "op_meta", "rule", "attributes"}

// attrs reads NAME=VALUE until something else comes.
func (p *parser) attrs() Attrs {
	var out Attrs
	for p.more() && !slices.Contains(enders, strings.ToLower(p.peek())) {
		name, val, ok := strings.Cut(p.peek(), "=")
		if strings.HasPrefix(name, "$") || strings.HasPrefix(name, "@") {
			p.fail(p.peek(), "NAME=VALUE; what others refer to by $id can be written as xml only")
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
	for _, a := range attrs {
		nv := el.CreateElement("nvpair")
		nv.CreateAttr("name", a.Name)
		nv.CreateAttr("value", a.Value)
	}
}

// references reads a set that takes values from elsewhere: @ID or @ID:NAME.
func (p *parser) references(set *etree.Element, score string, rules []*etree.Element) {
	if score != "" || len(rules) > 0 {
		p.fail(p.peek(), "NAME=VALUE; references in a set with a score or rules can be written as xml only")
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

// sets reads lists of attributes, each after its word, until something else comes. Attributes without a word go into the implicit kind of set, if
// they come first.
func (p *parser) sets(implicit string, words map[string]string, other func() bool) *etree.Element {
	into := etree.NewElement("sets")
	for first := true; p.more(); first = false {
		if tag := words[strings.ToLower(p.peek())]; tag != "" {
			p.at++
			p.set(into, tag)
		} else if other != nil && other() {
			continue
		} else if first && implicit != "" && strings.Contains(p.peek(), "=") {
			p.set(into, implicit)
		} else {
			break
		}
	}
	return into
}

func (p *parser) description() string {
	d, _ := p.acceptPair("description")
	return d
}

func parsePrimitive(p *parser) Object {
	o := &Primitive{Name: p.id("primitive")}
	agent := p.next("an agent: class:provider:type, or @template")
	if t, ok := strings.CutPrefix(agent, "@"); ok {
		o.Template = t
	} else {
		o.Class, o.Provider, o.Type = p.agent(agent)
	}
	o.Description = p.description()
	sets := p.sets("instance_attributes", map[string]string{"params": "instance_attributes", "meta": "meta_attributes", "utilization": "utilization"}, func() bool {
		switch {
		case p.accept("operations"):
			if _, ok := p.acceptPair("$id"); !ok {
				p.fail(p.peek(), "$id=ID; operations shared by $id-ref can be written as xml only")
			}
		case p.accept("op"):
			o.Ops = append(o.Ops, p.op())
		default:
			return false
		}
		return true
	})
	o.extra = takeSets(sets, map[string]*Attrs{"instance_attributes": &o.Params, "meta_attributes": &o.Meta, "utilization": &o.Utilization})
	if p.more() {
		p.fail(p.peek(), "params, meta, utilization or op")
	}
	return o
}

// parseTemplate reads a primitive that others are made after.
func parseTemplate(p *parser) Object {
	o := parsePrimitive(p).(*Primitive)
	b := &builder{config: etree.NewElement("configuration"), ids: idPool{}}
	b.putPrimitive(o)
	el := b.find("resources", "primitive", o.Name)
	el.Tag = "template"
	return &XML{element: el}
}

// opAttrs are the attributes of an operation itself; others that stand among them are its parameters.
var opAttrs = []string{"interval", "timeout", "role", "on-fail", "start-delay", "interval-origin", "enabled", "record-pending", "description"}

func (p *parser) op() Op {
	op := Op{Name: p.next("an operation, such as monitor")}
	if strings.Contains(op.Name, "=") {
		p.at--
		p.fail(op.Name, "an operation, such as monitor, before its attributes")
	}
	into := etree.NewElement("sets")
	var params *etree.Element
	for _, a := range p.attrs() {
		switch {
		case a.Name == "interval":
			op.Interval = a.Value
		case slices.Contains(opAttrs, a.Name):
			op.Attrs = append(op.Attrs, a)
		default:
			if params == nil {
				params = into.CreateElement("instance_attributes")
			}
			nv := params.CreateElement("nvpair")
			nv.CreateAttr("name", a.Name)
			nv.CreateAttr("value", a.Value)
		}
	}
	for _, c := range p.sets("", map[string]string{"op_params": "instance_attributes", "op_meta": "meta_attributes"}, nil).ChildElements() {
		into.AddChild(c)
	}
	op.extra = takeSets(into, map[string]*Attrs{"instance_attributes": &op.Params, "meta_attributes": &op.Meta})
	return op
}

// ocfRoot is where OCF agents are installed.
const ocfRoot = "/usr/lib/ocf/resource.d"

// agent completes an agent's name as crmsh does: without a class it is ocf's, without a provider that of heartbeat, pacemaker, or whoever
// has an agent of that name.
func (p *parser) agent(name string) (class, provider, typ string) {
	parts := strings.Split(name, ":")
	if slices.Contains(parts, "") || len(parts) > 3 {
		p.at--
		p.fail(name, "an agent: class:provider:type, such as ocf:hawser:haproxy")
	}
	switch len(parts) {
	case 3:
		return parts[0], parts[1], parts[2]
	case 1:
		parts = []string{"ocf", parts[0]}
	}
	if parts[0] != "ocf" {
		return parts[0], "", parts[1]
	}
	return "ocf", providerOf(parts[1]), parts[1]
}

func providerOf(typ string) string {
	if strings.ContainsAny(typ, `/\*?[`) {
		return "heartbeat"
	}
	found, err := filepath.Glob(filepath.Join(ocfRoot, "*", typ))
	if err != nil {
		return "heartbeat"
	}
	var providers []string
	for _, path := range found {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			providers = append(providers, filepath.Base(filepath.Dir(path)))
		}
	}
	for _, first := range []string{"heartbeat", "pacemaker"} {
		if slices.Contains(providers, first) {
			return first
		}
	}
	if len(providers) > 0 {
		return providers[0]
	}
	return "heartbeat"
}

func parseClone(p *parser) Object {
	o := &Clone{Name: p.id("clone")}
	o.Resource = p.id("primitive or group")
	o.Description = p.description()
	o.extra = p.container(&o.Params, &o.Meta)
	return o
}

func parseGroup(p *parser) Object {
	o := &Group{Name: p.id("group")}
	for n := 0; n == 0 || p.more() && !strings.Contains(p.peek(), "=") && !slices.Contains(enders, strings.ToLower(p.peek())); n++ {
		o.Members = append(o.Members, p.id("primitive"))
	}
	o.Description = p.description()
	o.extra = p.container(&o.Params, &o.Meta)
	return o
}

// container reads the attribute sets of a clone or group.
func (p *parser) container(params, meta *Attrs) extras {
	sets := p.sets("instance_attributes", map[string]string{"params": "instance_attributes", "meta": "meta_attributes"}, nil)
	if p.more() {
		p.fail(p.peek(), "params or meta")
	}
	return takeSets(sets, map[string]*Attrs{"instance_attributes": params, "meta_attributes": meta})
}

func parseTag(p *parser) Object {
	o := &Tag{}
	if label, ok := p.acceptLabel(); ok {
		if !isNCName(label) {
			p.at--
			p.fail(label, "the id of the tag")
		}
		o.Name = label
	} else {
		o.Name = p.id("tag")
	}
	for n := 0; n == 0 || p.more(); n++ {
		o.Refs = append(o.Refs, p.next("the id of an object"))
	}
	return o
}

func parseNode(p *parser) Object {
	o := &Node{}
	if id, ok := p.acceptPair("$id"); ok {
		o.NodeID = id
	} else if id, ok := p.acceptLabel(); ok {
		o.NodeID = id
	}
	o.Uname = p.next("the name of the node")
	if name, typ, ok := strings.Cut(o.Uname, ":"); ok {
		o.Uname, o.Type = name, p.oneOf(typ, []string{"normal", "member", "ping", "remote"})
	}
	if o.NodeID == "" {
		o.NodeID = o.Uname
	}
	o.Description = p.description()
	sets := p.sets("instance_attributes", map[string]string{"attributes": "instance_attributes", "utilization": "utilization"}, nil)
	o.extra = takeSets(sets, map[string]*Attrs{"instance_attributes": &o.Attributes, "utilization": &o.Utilization})
	if p.more() {
		p.fail(p.peek(), "attributes or utilization")
	}
	return o
}

// parseProperties reads the options of one set; with a rule they are one object that stays XML.
func parseProperties(p *parser, section Section) []Object {
	set := ""
	if id, ok := p.acceptPair("$id"); ok {
		set = id
	} else if label, ok := p.acceptLabel(); ok {
		set = label
	}
	rules := p.rules()
	attrs := p.attrs()
	if len(rules) > 0 {
		tag := "cluster_property_set"
		if section != ClusterProperty {
			tag = "meta_attributes"
		}
		el := etree.NewElement(tag)
		if set == "" {
			set = defaultSet[section]
		}
		el.CreateAttr("id", set)
		for _, r := range rules {
			el.AddChild(r)
		}
		for _, a := range attrs {
			nv := el.CreateElement("nvpair")
			nv.CreateAttr("name", a.Name)
			nv.CreateAttr("value", a.Value)
		}
		return []Object{&XML{element: el, section: section}}
	}
	var out []Object
	for _, a := range attrs {
		out = append(out, &Property{Section: section, Set: set, Name: a.Name, Value: a.Value})
	}
	if len(out) == 0 && set == "" {
		p.fail("", "NAME=VALUE")
	}
	return out
}

// parseXML reads one element, of whatever kind the package models it.
func parseXML(p *parser) []Object {
	text := p.next("an element of the configuration")
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = maxDepth
	if err := doc.ReadFromString(text); err != nil || doc.Root() == nil {
		if err == nil {
			err = errors.New("there is no element")
		}
		p.at--
		p.fail(text, "one well-formed XML element ("+err.Error()+")")
	}
	root := doc.Root()
	dropSpace(root)
	switch root.Tag {
	case "rsc_defaults", "op_defaults":
		var out []Object
		for _, set := range root.SelectElements("meta_attributes") {
			out = append(out, decodeProperties(set, Section(root.Tag))...)
		}
		return out
	}
	if sectionOf[root.Tag] == "" {
		p.at--
		p.fail("<"+root.Tag+">", "an element that stands in a section of the configuration, such as <primitive>, <bundle> or <rsc_ticket>")
	}
	return decode(root)
}
