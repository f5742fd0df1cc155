package jsonschema

import (
	"encoding"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
)

// source is the source of a module.
type source struct {
	module, dir string
	read        map[string]*parsed // by import path
}

// parsed is what is taken from one package: comments of types and fields, and constants.
type parsed struct {
	types  map[string]string
	fields map[string]string // by TYPE.FIELD
	words  map[string][]word // by type
}

// word is a constant, and what its comment says.
type word struct {
	name, value, comment string
}

// typed returns the comment of a type, as it is said of what programs read.
func (s source) typed(t reflect.Type) (string, error) {
	p, err := s.parse(t.PkgPath())
	if err != nil {
		return "", err
	}
	text := p.types[t.Name()]
	if text == "" {
		return "", fmt.Errorf("%v has no comment", t)
	}
	return without(text, t.Name()), nil
}

// field returns the comment of a field, in which it is called as it is in JSON.
func (s source) field(t reflect.Type, field, name string) (string, error) {
	p, err := s.parse(t.PkgPath())
	if err != nil {
		return "", err
	}
	text := p.fields[t.Name()+"."+field]
	if text == "" {
		return "", fmt.Errorf("%v.%s has no comment", t, field)
	}
	if rest, ok := strings.CutPrefix(text, field+" "); ok {
		text = "`" + name + "` " + rest
	}
	return text, nil
}

// words returns the constants of a type in their order. Those of a type that is no string are
// numbered, and make words of themselves.
func (s source) words(t reflect.Type) ([]word, error) {
	if t.Kind() == reflect.Struct || t.PkgPath() != s.module &&
		!strings.HasPrefix(t.PkgPath(), s.module+"/") {
		return nil, nil
	}
	p, err := s.parse(t.PkgPath())
	if err != nil {
		return nil, err
	}
	var all []word
	if t.Kind() == reflect.String {
		all = p.words[t.Name()]
		for _, w := range all {
			if w.value == "" {
				return nil, fmt.Errorf("%v: %s is not written out", t, w.name)
			}
		}
		return all, nil
	}
	for i, w := range p.words[t.Name()] {
		value := reflect.New(t).Elem()
		value.SetInt(int64(i))
		marshaler, ok := value.Interface().(encoding.TextMarshaler)
		if !ok {
			return nil, fmt.Errorf("%v is a number with names and makes no word of itself", t)
		}
		if !ast.IsExported(w.name) {
			continue // how many there are
		}
		text, err := marshaler.MarshalText()
		if err != nil {
			return nil, err
		}
		w.value = string(text)
		all = append(all, w)
	}
	return all, nil
}

// parse reads a package, once.
func (s source) parse(path string) (*parsed, error) {
	if p := s.read[path]; p != nil {
		return p, nil
	}
	p := &parsed{map[string]string{}, map[string]string{}, map[string][]word{}}
	s.read[path] = p
	dir := filepath.Join(s.dir, strings.TrimPrefix(path, s.module))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil,
			parser.ParseComments)
		if err != nil {
			return p, err
		}
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				p.add(g)
			}
		}
	}
	return p, nil
}

func (p *parsed) add(d *ast.GenDecl) {
	constants := "" // the type of the constants that are numbered
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			p.types[s.Name.Name] = comment(s.Doc, d.Doc)
			if fields, ok := s.Type.(*ast.StructType); ok {
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						p.fields[s.Name.Name+"."+name.Name] = comment(f.Doc, f.Comment)
					}
				}
			}
		case *ast.ValueSpec:
			if d.Tok != token.CONST {
				continue
			}
			if named, ok := s.Type.(*ast.Ident); ok {
				constants = named.Name
			} else if s.Type != nil || len(s.Values) > 0 {
				constants = ""
			}
			if constants != "" {
				p.addWord(constants, s)
			}
		}
	}
}

func (p *parsed) addWord(of string, s *ast.ValueSpec) {
	w := word{name: s.Names[0].Name}
	w.comment = without(comment(s.Doc, s.Comment), w.name)
	if len(s.Values) > 0 {
		if literal, ok := s.Values[0].(*ast.BasicLit); ok {
			w.value, _ = strconv.Unquote(literal.Value)
		}
	}
	p.words[of] = append(p.words[of], w)
}

// comment returns the first comment that there is, in one line.
func comment(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// without takes the name of what is commented from the comment.
func without(text, name string) string {
	for _, begin := range []string{
		" is ", " are ", " means: ", " means that ", " means ", " says that ", " ",
	} {
		if rest, ok := strings.CutPrefix(text, name+begin); ok {
			return rest
		}
	}
	return text
}
