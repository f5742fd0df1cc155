package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/hawser-ha/hawser/internal/words"
)

// maxConfigSize is the longest hawser.yaml that is read, in bytes; a real one has a few hundred.
const maxConfigSize = 64 << 10

// document walks the syntax tree of a YAML file and collects what is wrong with it. A decoder into
// structs would end at the first fault and forget the positions of the values, which later checks
// need.
type document struct {
	*Faults
	anchors map[string]ast.Node
	deep    int // aliases being followed, to notice one that contains itself
}

// parseDocument returns the value of the file's only document, nil if there is none or it is not
// YAML.
func parseDocument(file string, text []byte) (*document, ast.Node) {
	d := &document{Faults: &Faults{Path: file}, anchors: map[string]ast.Node{}}
	if len(text) > maxConfigSize {
		d.Add(Position{}, "is longer than %d KiB: this is not a hawser.yaml", maxConfigSize>>10)
		return d, nil
	}
	if encoding := wideText(text); encoding != "" {
		d.Add(Position{1, 1}, "the file is UTF-16, as some editors on Windows write it, and has "+
			"to be UTF-8: iconv -f %s -t UTF-8 FILE > CONVERTED", encoding)
		return d, nil
	}
	// The byte order mark of some editors, which nobody sees.
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if other := mistaken(text); other != "" {
		d.Add(Position{1, 1}, "this is not a hawser.yaml but %s", other)
		return d, nil
	}
	// Duplicate keys are found while walking: the parser would report the first one only.
	tokens := lexer.Tokenize(string(text))
	if deepest := tooDeep(tokens); deepest != nil {
		d.Add(at(deepest), "lists and mappings are nested more than %d deep here: this is not a "+
			"hawser.yaml", maxNesting)
		return d, nil
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			message := syntax.GetMessage()
			if strings.Contains(message, "'\t'") {
				message = "a tab stands where YAML wants spaces"
			}
			d.Add(at(syntax.GetToken()), "is not YAML: %s", message)
		} else {
			d.Add(Position{}, "is not YAML: %v", err)
		}
		return d, nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			d.Add(place(doc.Body), "a second document begins here: expected only one")
			break
		}
		body = doc.Body
	}
	if body == nil {
		d.Add(Position{}, "the file is empty: expected haproxy, floating_ips or fencing")
	}
	return d, body
}

// maxNesting is how deep lists and mappings may be nested; a real file needs five levels.
const maxNesting = 32

// tooDeep returns the token that begins a list or a mapping too many, nil if there is none. The parser
// calls itself for each, and takes 16 s for 60 kB of "[".
func tooDeep(tokens token.Tokens) *token.Token {
	brackets, dashes := 0, 0 // those that are open, and those before this token in its line
	line := 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		case token.SequenceEntryType:
			dashes++
		}
		if brackets+dashes > maxNesting {
			return t
		}
	}
	return nil
}

// wideText names the encoding of a text that is UTF-16, for iconv: it begins with a byte order mark,
// or with an ASCII character in two bytes, as every hawser.yaml does. Otherwise it returns "".
func wideText(text []byte) string {
	switch {
	case len(text) < 2:
		return ""
	case text[0] == 0xff && text[1] == 0xfe, text[0] == 0xfe && text[1] == 0xff:
		return "UTF-16"
	case text[0] != 0 && text[1] == 0:
		return "UTF-16LE"
	case text[0] == 0 && text[1] != 0:
		return "UTF-16BE"
	}
	return ""
}

func at(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{}
	}
	return Position{t.Position.Line, t.Position.Column}
}

// place is where a value begins. The parser's token of a mapping is its first colon.
func place(n ast.Node) Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return place(n.Values[0])
		}
	case *ast.MappingValueNode:
		return at(n.Key.GetToken())
	}
	return at(n.GetToken())
}

// resolve follows anchors and aliases to the value itself. It returns nil if that is not possible,
// which has then been reported.
func (d *document) resolve(n ast.Node) ast.Node {
	switch n := n.(type) {
	case *ast.AnchorNode:
		if n.Name != nil && n.Value != nil {
			d.anchors[n.Name.GetToken().Value] = n.Value
		}
		return d.resolve(n.Value)
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		target, ok := d.anchors[name]
		if !ok {
			d.Add(at(n.Start), "*%s refers to an anchor that is not defined above", name)
			return nil
		}
		if d.deep > 10 {
			d.Add(at(n.Start), "*%s contains itself", name)
			return nil
		}
		d.deep++
		defer func() { d.deep-- }()
		return d.resolve(target)
	case *ast.TagNode:
		d.Add(place(n), "tags such as %s are not supported", n.Start.Value)
		return nil
	}
	return n
}

// section reads a mapping that may have the keys, none of them twice. what names it in messages
// ("floating_ips[0]"); "" is the file. It returns the position of the value of each given key.
func (d *document) section(n ast.Node, what string, keys []key) map[string]Position {
	from := place(n)
	before := len(d.List)
	given := map[string]Position{}
	values, ok := d.pairs(n, what, keys)
	if !ok {
		return given
	}
	if what == "" && strange(values, keys) {
		d.Add(from, "this is not a hawser.yaml: it has %s, and none of them is one of %s",
			words.Count(len(values), "key"), names(keys))
		return given
	}
	first := map[string]Position{}
	for _, v := range values {
		name := v.Key.GetToken().Value
		here := at(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			d.Add(here, "merge keys (<<) are not supported: write the keys out")
			continue
		}
		if before, ok := first[name]; ok {
			d.Add(here, "%s is given twice: the first is in line %d", join(what, name), before.Line)
			continue
		}
		first[name] = here
		k, ok := find(keys, name)
		if !ok {
			d.Add(here, "%s", unknownKey(what, name, keys))
			continue
		}
		given[name] = place(v.Value)
		if k.at != nil {
			*k.at = place(v.Value)
		}
		d.value(v.Value, join(what, name), k.kind)
	}
	whole := len(d.List) == before
	for _, k := range keys {
		if _, ok := given[k.name]; !ok && k.required && whole {
			d.missing(from, what, k)
		}
	}
	setDefaults(keys, given)
	return given
}

// strange reports whether a file has keys, and none that could have been meant for ours. It may hold
// anything, secrets too: they are not repeated.
func strange(values []*ast.MappingValueNode, keys []key) bool {
	const several = 3
	return len(values) >= several &&
		!slices.ContainsFunc(values, func(v *ast.MappingValueNode) bool {
			name := v.Key.GetToken().Value
			_, placed := misplaced(name)
			return placed || v.Key.IsMergeKey() || slices.ContainsFunc(keys, func(k key) bool {
				return words.Near(name, k.name)
			})
		})
}

// pairs returns what a mapping holds.
func (d *document) pairs(n ast.Node, what string, keys []key) ([]*ast.MappingValueNode, bool) {
	switch n := d.resolve(n).(type) {
	case nil:
		return nil, false
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	case *ast.NullNode:
		return nil, true
	default:
		if what == "" {
			what = "the file"
		}
		word := "keys"
		if len(keys) == 1 {
			word = "key"
		}
		d.Add(place(n), "%s is %s: expected a mapping with the %s %s", what, describe(n), word,
			names(keys))
		return nil, false
	}
}

// missing reports a required key that is not given.
func (d *document) missing(from Position, what string, k key) {
	if what == "" {
		what, from = "the file", Position{}
	}
	message := what + " has no " + k.name
	if k.hint != "" {
		message += ": " + k.hint
	}
	d.Add(from, "%s", message)
}

// setDefaults sets the keys that are not given to their defaults, if those are hawser's own.
func setDefaults(keys []key, given map[string]Position) {
	for _, k := range keys {
		if _, ok := given[k.name]; !ok && k.written {
			_ = k.kind.set(k.def) // a test sets all of them
		}
	}
}

// value reads one value.
func (d *document) value(n ast.Node, what string, k kind) {
	if k.read != nil {
		k.read(d, n, what)
		return
	}
	read := d.text
	if k.numbers {
		read = d.scalar
	}
	text, at, ok := read(n, what, k.words)
	if !ok {
		return
	}
	if err := k.set(text); err != nil && (k.secret || holdsPassword(text)) {
		d.Add(at, "%s %v", what, err)
	} else if err != nil {
		d.Add(at, "%s: %q %v", what, text, err)
	}
}

// holdsPassword reports whether a text is a URL with a user or a password, which must not be shown.
func holdsPassword(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User != nil
}

// entries calls read with each entry of a mapping whose keys are not ours, such as names of nodes.
// form names one entry in messages.
func (d *document) entries(n ast.Node, what, form string,
	read func(key string, at Position, value ast.Node)) {
	switch n := d.resolve(n).(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		for _, v := range n.Values {
			read(v.Key.GetToken().Value, at(v.Key.GetToken()), v.Value)
		}
	case *ast.MappingValueNode:
		read(n.Key.GetToken().Value, at(n.Key.GetToken()), n.Value)
	default:
		d.Add(place(n), "%s is %s: expected a mapping, each entry %s", what, describe(n), form)
	}
}

// list calls read with each element of a sequence.
func (d *document) list(n ast.Node, what string, read func(int, ast.Node)) {
	n = d.resolve(n)
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		for i, v := range n.Values {
			read(i, v)
		}
	default:
		d.Add(place(n), "%s is %s: expected a list, each element after a dash", what, describe(n))
	}
}

// text reads a string. YAML's other scalars are refused: 010 or 1_000 would not reach the cluster
// as they were written.
func (d *document) text(n ast.Node, what, expected string) (string, Position, bool) {
	from := place(n)
	n = d.resolve(n)
	switch n := n.(type) {
	case nil:
		return "", from, false
	case *ast.StringNode:
		return d.printable(n.Value, what, expected, from)
	case *ast.LiteralNode:
		return d.printable(strings.TrimRight(n.Value.Value, "\n"), what, expected, from)
	}
	d.Add(from, "%s is %s: expected %s", what, describe(n), expected)
	return "", from, false
}

func (d *document) printable(text, what, expected string, from Position) (string, Position, bool) {
	i := strings.IndexFunc(text, unprintable)
	switch {
	case strings.TrimSpace(text) == "":
		d.Add(from, "%s is empty: expected %s", what, expected)
		return "", from, false
	case i >= 0:
		d.Add(from, "%s has the character %q, which the cluster's configuration cannot hold", what,
			string([]rune(text[i:])[:1]))
		return "", from, false
	}
	return text, from, true
}

// unprintable reports the characters that XML cannot hold.
func unprintable(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\uFFFD' || r == '\uFFFE' || r == '\uFFFF'
}

// scalar reads a string or a number as it was written.
func (d *document) scalar(n ast.Node, what, expected string) (string, Position, bool) {
	from := place(n)
	if r := d.resolve(n); r != nil && (r.Type() == ast.IntegerType || r.Type() == ast.BoolType) {
		return r.GetToken().Value, from, true
	}
	return d.text(n, what, expected)
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// number reads a whole number from low to high.
func (d *document) number(n ast.Node, what, expected string, low, high int) (int, bool) {
	from := place(n)
	n = d.resolve(n)
	if n == nil {
		return 0, false
	}
	found := describe(n)
	if i, ok := n.(*ast.IntegerNode); ok &&
		decimal.MatchString(i.GetToken().Value) { // 010 is 8 in YAML, but its author means 10
		switch v := i.Value.(type) {
		case uint64:
			if v <= uint64(high) && int(v) >= low {
				return int(v), true
			}
		case int64:
			if v >= int64(low) && v <= int64(high) {
				return int(v), true
			}
		}
		found = i.GetToken().Value
	}
	d.Add(from, "%s is %s: expected %s", what, found, expected)
	return 0, false
}

// describe names a value in a message about its type.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.NullNode:
		return "empty"
	case *ast.StringNode:
		if text := []rune(n.Value); len(text) > 60 { // another file altogether, most likely
			return fmt.Sprintf("the text %q…", string(text[:60]))
		}
		return fmt.Sprintf("the text %q", n.Value)
	case *ast.LiteralNode:
		return "a block of text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + n.GetToken().Value
	case *ast.BoolNode:
		return "the truth value " + n.GetToken().Value
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return "a " + strings.ToLower(n.Type().String())
}

func find(keys []key, name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func names(keys []key) string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.name
	}
	return strings.Join(all, ", ")
}

func join(what, key string) string {
	if what == "" {
		return key
	}
	return what + "." + key
}

func unknownKey(what, name string, keys []key) string {
	if hint, ok := misplaced(name); ok {
		return join(what, name) + ": " + hint
	}
	for _, k := range keys {
		if words.Near(name, k.name) {
			return fmt.Sprintf("%s is not a known key: did you mean %s? Known are %s",
				join(what, name), k.name, names(keys))
		}
	}
	return fmt.Sprintf("%s is not a known key: known are %s", join(what, name), names(keys))
}

// misplaced has messages for keys that people may expect here.
func misplaced(name string) (hint string, ok bool) {
	switch name {
	case "token", "do_token":
		return "a secret does not belong here, everyone who may read the cluster's configuration " +
			"would see it: " +
			"write it to a file that only root can read and name that in token_file", true
	case "conffile":
		return "in hawser.yaml the key is config", true
	case "binpath":
		return "in hawser.yaml the key is binary", true
	}
	return "", false
}
