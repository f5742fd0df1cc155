package crm

import (
	"errors"
	"slices"
	"sort"
	"strings"

	"github.com/beevik/etree"
)

// ParseShell reads statements of `crm configure`: one a line, a backslash at the end of a line
// continues it, # begins a comment. file is named in errors, which are *SyntaxError.
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

// ParseWords reads one statement whose words the shell has already separated, such as the arguments
// of a command.
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

// parser reads the words of one statement. A method that does not find what it needs panics with a
// *SyntaxError, which add recovers.
type parser struct {
	file  string
	words statement
	at    int
	ends  []string // words that end a list of attributes in this statement, besides enders
	later later    // what the statement leaves to be done once the configuration is known
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
	if !ok ||
		!slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
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

// oneOf returns the choice that the word matches, in any case.
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
		p.fail(p.peek(), instead(keyword))
	}
	s.Objects = append(s.Objects, read(p)...)
	if p.later != nil {
		s.later = append(s.later, p.later)
	}
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

// instead says what can be written in place of a statement that is not known.
func instead(keyword string) string {
	switch keyword {
	case "bundle":
		return "xml <bundle …>, with the bundle's primitive inside: a bundle is written as XML only"
	case "user":
		return "role, acl_target or acl_group: Pacemaker has had no other ACLs since 1.1.12"
	}
	return "one of " + strings.Join(statementNames(), ", ") +
		", delete or xml; anything else can be written as xml <element …>"
}

// statements says how each statement is read.
var statements map[string]func(*parser) []Object

func init() { // the functions refer to the table through the parser
	one := func(read func(*parser) Object) func(*parser) []Object {
		return func(p *parser) []Object { return []Object{read(p)} }
	}
	statements = map[string]func(*parser) []Object{
		"primitive": one(parsePrimitive), "clone": one(parseClone), "group": one(parseGroup),
		"ms": one(parsePromotable), "master": one(parsePromotable), "monitor": parseMonitor,
		"fencing_topology": parseTopology, "alert": one(parseAlert), "role": one(parseRole),
		"acl_target": one(parseHolder("acl_target")), "acl_group": one(parseHolder("acl_group")),
		"colocation":  one(parseColocation),
		"collocation": one(parseColocation), "order": one(parseOrder),
		"location": one(parseLocation), "tag": one(parseTag),
		"node": one(parseNode), "rsc_template": one(parseTemplate), "rsc_ticket": one(parseTicket),
		"xml":          parseXML,
		"property":     func(p *parser) []Object { return parseProperties(p, ClusterProperty) },
		"rsc_defaults": func(p *parser) []Object { return parseProperties(p, RscDefaults) },
		"op_defaults":  func(p *parser) []Object { return parseProperties(p, OpDefaults) },
	}
}

func statementNames() []string {
	var names []string
	for name := range statements {
		if name != "collocation" && name != "master" && name != "xml" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
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
	if len(rules) > 0 && set == "" {
		p.at = 1 // the word after the keyword
		p.fail(p.peek(), "a name and a colon first, since options that depend on a rule need a "+
			"set of their own, such as `"+string(section)+" night: rule …`")
	}
	attrs := p.attrs()
	if len(rules) > 0 {
		tag := "cluster_property_set"
		if section != ClusterProperty {
			tag = "meta_attributes"
		}
		el := etree.NewElement(tag)
		el.CreateAttr("id", set)
		for _, r := range rules {
			el.AddChild(r)
		}
		addPairs(el, attrs)
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

// parseXML reads one element, whether or not the package models it.
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
		p.fail("<"+root.Tag+">",
			"an element that stands in a section of the configuration, such as <primitive>, "+
				"<bundle> or <rsc_ticket>")
	}
	return decode(root)
}
