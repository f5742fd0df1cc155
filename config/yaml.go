package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/hawser-ha/hawser/internal/words"
)

// maxConfigSize is the longest hawser.yaml that is read, in bytes; a real one has a few hundred.
const maxConfigSize = 64 << 10

// document walks the syntax tree of a YAML file and collects what is wrong with it. A decoder into structs would end at the
// first fault and forget the places of the values, which the checks that come later need.
type document struct {
	*Faults
	anchors map[string]ast.Node
	deep    int // aliases being followed, to notice one that contains itself
}

// field is one key that a mapping may have.
type field struct {
	name string
	read func(ast.Node)
}

// parseDocument returns the value of the file's only document; nil if there is none or it is not YAML.
func parseDocument(file string, text []byte) (*document, ast.Node) {
	d := &document{Faults: &Faults{Path: file}, anchors: map[string]ast.Node{}}
	if len(text) > maxConfigSize {
		d.Add(Position{}, "is longer than %d KiB: this is not a hawser.yaml", maxConfigSize>>10)
		return d, nil
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF")) // the byte order mark of some editors, which nobody sees
	// Duplicate keys are found while walking: the parser would report the first one only.
	tree, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
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
			d.Add(place(doc.Body), "a second document begins here: accepted is one")
			break
		}
		body = doc.Body
	}
	if body == nil {
		d.Add(Position{}, "configures nothing: accepted are %s", "haproxy, floating_ips, fencing")
	}
	return d, body
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

// resolve follows anchors, aliases and tags to the value itself; nil if that is not possible, which has then been reported.
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
		d.Add(place(n), "the tag %s is not accepted", n.Start.Value)
		return nil
	}
	return n
}

// mapping reads a mapping that may have the fields, none of them twice. what names it in messages: "floating_ips".
func (d *document) mapping(n ast.Node, what string, fields ...field) {
	n = d.resolve(n)
	if n == nil {
		return
	}
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return
	default:
		if what == "" {
			what = "the file"
		}
		d.Add(place(n), "%s is %s: accepted is a mapping with the keys %s", what, describe(n), fieldNames(fields))
		return
	}
	first := map[string]Position{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		here := at(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			d.Add(here, "merging (<<) is not accepted: write the keys out")
			continue
		}
		if before, ok := first[key]; ok {
			d.Add(here, "%s is given twice: the first is in line %d", join(what, key), before.Line)
			continue
		}
		first[key] = here
		if !d.dispatch(key, v.Value, fields) {
			d.Add(here, "%s", unknownKey(what, key, fields))
		}
	}
}

// entries calls read with each entry of a mapping whose keys are not ours, such as names of nodes. form names one entry in messages.
func (d *document) entries(n ast.Node, what, form string, read func(key string, at Position, value ast.Node)) {
	switch n := d.resolve(n).(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		for _, v := range n.Values {
			read(v.Key.GetToken().Value, at(v.Key.GetToken()), v.Value)
		}
	case *ast.MappingValueNode:
		read(n.Key.GetToken().Value, at(n.Key.GetToken()), n.Value)
	default:
		d.Add(place(n), "%s is %s: accepted is a mapping, each entry %s", what, describe(n), form)
	}
}

func (d *document) dispatch(key string, value ast.Node, fields []field) bool {
	for _, f := range fields {
		if f.name == key {
			f.read(value)
			return true
		}
	}
	return false
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
		d.Add(place(n), "%s is %s: accepted is a list, each element after a dash", what, describe(n))
	}
}

// text reads a string. YAML's other scalars are refused: 010 or 1_000 would not reach the cluster as they were written.
func (d *document) text(n ast.Node, what, accepted string) (string, Position, bool) {
	from := place(n)
	n = d.resolve(n)
	switch n := n.(type) {
	case nil:
		return "", from, false
	case *ast.StringNode:
		return d.printable(n.Value, what, accepted, from)
	case *ast.LiteralNode:
		return d.printable(strings.TrimRight(n.Value.Value, "\n"), what, accepted, from)
	}
	d.Add(from, "%s is %s: accepted is %s", what, describe(n), accepted)
	return "", from, false
}

func (d *document) printable(text, what, accepted string, from Position) (string, Position, bool) {
	switch {
	case strings.TrimSpace(text) == "":
		d.Add(from, "%s is empty: accepted is %s", what, accepted)
		return "", from, false
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' || r == '\uFFFE' || r == '\uFFFF' }):
		d.Add(from, "%s %q has a character that the cluster's configuration cannot hold: accepted is %s", what, text, accepted)
		return "", from, false
	}
	return text, from, true
}

// scalar reads a string or a number as it was written.
func (d *document) scalar(n ast.Node, what, accepted string) (string, Position, bool) {
	from := place(n)
	if r := d.resolve(n); r != nil && (r.Type() == ast.IntegerType || r.Type() == ast.BoolType) {
		return r.GetToken().Value, from, true
	}
	return d.text(n, what, accepted)
}

var decimal = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// number reads a whole number from low to high.
func (d *document) number(n ast.Node, what string, low, high int) (int, bool) {
	from := place(n)
	n = d.resolve(n)
	if n == nil {
		return 0, false
	}
	found := describe(n)
	if i, ok := n.(*ast.IntegerNode); ok && decimal.MatchString(i.GetToken().Value) { // 010 is 8 to YAML, and 10 to whoever wrote it
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
	d.Add(from, "%s is %s: accepted is a whole number from %d to %d", what, found, low, high)
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

func fieldNames(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

func join(what, key string) string {
	if what == "" {
		return key
	}
	return what + "." + key
}

func unknownKey(what, key string, fields []field) string {
	if hint, ok := misplaced[key]; ok {
		return fmt.Sprintf("%s: %s", join(what, key), hint)
	}
	message := fmt.Sprintf("%s is not a key that hawser knows: accepted are %s", join(what, key), fieldNames(fields))
	for _, f := range fields {
		if words.Near(key, f.name) {
			return message + fmt.Sprintf("; did you mean %s?", f.name)
		}
	}
	return message
}

// misplaced answers keys that one may expect here.
var misplaced = map[string]string{
	"token":    "a secret is not accepted here, everyone who may read the cluster would see it: write it to a file that only root can read and name that in token_file",
	"do_token": "a secret is not accepted here, everyone who may read the cluster would see it: write it to a file that only root can read and name that in token_file",
	"conffile": "in hawser.yaml the key is config",
	"binpath":  "in hawser.yaml the key is binary",
}
