// Package jsonschema makes the JSON Schema (2020-12) of what a Go value becomes as JSON: the fields
// by reflection, what they mean from the comments of their declarations, and the words that a
// field may be from the constants of its type. It reads the source, so it is for tests that
// generate files, and no program links it.
//
// It imports nothing of hawser. Open this file first; source.go reads comments and constants.
package jsonschema

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Object is a JSON object whose fields stay in their order.
type Object []Member

// Member is a field of an Object.
type Member struct {
	Name  string
	Value any
}

// Maker makes schemas of types of one module.
type Maker struct {
	source source
	defs   Object                  // the types that fields refer to
	names  map[reflect.Type]string // their names there
	faults []error
}

// New returns a maker for the types of a module, whose source is in a directory.
func New(module, dir string) *Maker {
	return &Maker{source: source{module: module, dir: dir, read: map[string]*parsed{}},
		names: map[reflect.Type]string{}}
}

// Fields returns the schemas of the fields of a struct, and which of them are always there.
func (m *Maker) Fields(of reflect.Type) (properties Object, required []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case f.Anonymous && tag == "":
			inner, always := m.Fields(f.Type)
			properties, required = append(properties, inner...), append(required, always...)
			continue
		case !f.IsExported() || tag == "-":
			continue
		case name == "":
			m.fault("%v.%s has no name for JSON", of, f.Name)
		}
		optional := slices.Contains(strings.Split(options, ","), "omitempty")
		if f.Type.Kind() == reflect.Pointer && !optional {
			m.fault("%v.%s may be null", of, f.Name)
		}
		text, err := m.source.field(of, f.Name, name)
		if err != nil {
			m.fault("%w", err)
		}
		properties = append(properties, Member{name,
			append(m.schema(f.Type), Member{"description", text})})
		if !optional {
			required = append(required, name)
		}
	}
	return properties, required
}

// Defs returns the types that the schemas so far refer to, for "$defs".
func (m *Maker) Defs() Object { return m.defs }

// Describe returns the comment of a type, without its name.
func (m *Maker) Describe(t reflect.Type) string {
	text, err := m.source.typed(t)
	if err != nil {
		m.fault("%w", err)
	}
	return text
}

// Err returns what is wrong with the types: fields without a comment, and what cannot be described.
func (m *Maker) Err() error { return errors.Join(m.faults...) }

func (m *Maker) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Errorf(format, args...))
}

// schema returns the schema of a type, without a description.
func (m *Maker) schema(t reflect.Type) Object {
	switch {
	case t.Kind() == reflect.Pointer:
		return m.schema(t.Elem())
	case t == reflect.TypeFor[time.Time]():
		return Object{{"type", "string"}, {"format", "date-time"}}
	case t.PkgPath() != "" && (t.Kind() == reflect.Struct || len(m.words(t)) > 0):
		return Object{{"$ref", "#/$defs/" + m.define(t)}}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return Object{{"type", "string"}}
	}
	switch t.Kind() {
	case reflect.String:
		return Object{{"type", "string"}}
	case reflect.Bool:
		return Object{{"type", "boolean"}}
	case reflect.Int, reflect.Int64:
		return Object{{"type", "integer"}}
	case reflect.Float64:
		return Object{{"type", "number"}}
	case reflect.Slice:
		return Object{{"type", "array"}, {"items", m.schema(t.Elem())}}
	}
	m.fault("%v is described by nothing here", t)
	return nil
}

// words returns the constants of a type that becomes a string.
func (m *Maker) words(t reflect.Type) []word {
	all, err := m.source.words(t)
	if err != nil {
		m.fault("%w", err)
	}
	return all
}

// define adds a type to those that are referred to, and returns its name there.
func (m *Maker) define(t reflect.Type) string {
	if name, ok := m.names[t]; ok {
		return name
	}
	name := t.Name()
	if slices.ContainsFunc(m.defs, func(d Member) bool { return d.Name == name }) {
		name = t.String() // of another package: effect.HAProxy
	}
	m.names[t] = name
	at := len(m.defs)
	m.defs = append(m.defs, Member{Name: name}) // a type may have fields of its own kind
	if t.Kind() == reflect.Struct {
		properties, required := m.Fields(t)
		m.defs[at].Value = Object{{"description", m.Describe(t)}, {"type", "object"},
			{"properties", properties}, {"required", append([]string{}, required...)}}
		return name
	}
	m.defs[at].Value = append(Object{{"description", m.meaning(t)}}, choice(m.words(t))...)
	return name
}

// meaning is the comment of a type, and of each of its words that has one.
func (m *Maker) meaning(t reflect.Type) string {
	text := m.Describe(t)
	for _, w := range m.words(t) {
		if w.comment != "" {
			text += fmt.Sprintf(" %q: %s.", w.value, strings.TrimRight(w.comment, "."))
		}
	}
	return text
}

// choice says which words there are. One that ends with a space is followed by something, one that
// begins with a comma comes after something.
func choice(all []word) Object {
	var whole []string
	var patterns []any
	for _, w := range all {
		switch {
		case strings.HasSuffix(w.value, " "):
			patterns = append(patterns, Object{{"pattern", "^" + regexp.QuoteMeta(w.value)}})
		case strings.HasPrefix(w.value, ","):
			patterns = append(patterns, Object{{"pattern", regexp.QuoteMeta(w.value) + "$"}})
		default:
			whole = append(whole, w.value)
		}
	}
	if patterns == nil {
		return Object{{"type", "string"}, {"enum", whole}}
	}
	return Object{{"type", "string"}, {"anyOf", append([]any{Object{{"enum", whole}}}, patterns...)}}
}
