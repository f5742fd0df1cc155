// Package comments holds the comments of declarations to what they stand on. It has only tests.
package comments

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCommentsNameWhatTheyStandOn finds what a renaming has left behind, of unexported declarations too: revive
// only looks at the exported ones. A comment that begins with a word in lower case begins with a name.
func TestCommentsNameWhatTheyStandOn(t *testing.T) {
	const root = "../.."
	files := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, fault := range faults(files, file) {
			t.Error(fault)
		}
		return nil
	})
	require.NoError(t, err)
}

func TestFaults(t *testing.T) {
	const text = `package p

// wrong stands on something else.
func right() {}

// right is well, and so is a sentence; crm_mon and lb.cfg are no names.
func right() {}

// A sentence.
var a, b = 1, 2

// b's value is there too.
var a, b = 1, 2

// crm_mon is a tool.
type t int

const (
	// c is wrong.
	d = 1
)
`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "p.go", text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	require.Equal(t, []string{
		`p.go:3:1: the comment of right begins with "wrong"`, `p.go:19:2: the comment of d begins with "c"`,
	}, faults(files, file))
}

// faults lists the comments of a file that begin with another name.
func faults(files *token.FileSet, file *ast.File) []string {
	var all []string
	check := func(doc *ast.CommentGroup, names ...string) {
		if doc == nil || len(names) == 0 {
			return
		}
		word, _, _ := strings.Cut(strings.TrimSpace(doc.Text()), " ")
		word = strings.TrimSuffix(strings.TrimRight(word, ".,:;"), "'s")
		if word == "" || word[0] < 'a' || word[0] > 'z' || strings.ContainsAny(word, "_./-") {
			return // a sentence, or the name of a tool or a file
		}
		if !slices.Contains(names, word) {
			all = append(all, fmt.Sprintf("%s: the comment of %s begins with %q",
				files.Position(doc.Pos()), strings.Join(names, ", "), word))
		}
	}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			check(decl.Doc, decl.Name.Name)
		case *ast.GenDecl:
			var names []string
			for _, spec := range decl.Specs {
				its, doc := declared(spec)
				check(doc, its...)
				names = append(names, its...)
			}
			check(decl.Doc, names...)
		}
	}
	return all
}

// declared returns what a type, a constant or a variable is called, and its comment.
func declared(spec ast.Spec) ([]string, *ast.CommentGroup) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []string{spec.Name.Name}, spec.Doc
	case *ast.ValueSpec:
		var names []string
		for _, n := range spec.Names {
			names = append(names, n.Name)
		}
		return names, spec.Doc
	}
	return nil, nil
}
