// Package syntax reads a keepalived.conf as keepalived's own parser does: comments inside words,
// braces anywhere, definitions, conditions, sequences and included files, and what a misspelt
// keyword does to the block around it. It was compared with keepalived 2.2.7.
//
// It runs nothing and reads nothing but regular files, of which it takes no more than its limits
// allow. What keepalived would complain about is a Notice; what nobody can have meant as a
// configuration, such as a template, is a Fault.
//
// It imports internal/words. Open this file first; lines.go has what happens to a line before it
// is a statement, parse.go what makes statements of lines, keywords.go which there are.
package syntax

import (
	"fmt"
	"slices"
)

// Pos is a line of a file.
type Pos struct {
	File string
	Line int // counted from 1; 0 is the file as a whole
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Fault is why a file is no configuration of keepalived.
type Fault struct {
	Pos
	Message string
}

func (f *Fault) Error() string { return f.String() + ": " + f.Message }

// Kind says what a Notice is about.
type Kind int

// The kinds of notices.
const (
	Unknown    Kind = iota // a keyword that does not exist there
	Brace                  // a brace that is missing or too many
	Quote                  // a quote without an end
	Extra                  // words that are not read
	Duplicate              // a block that is passed over because there is one of the name
	Missing                // an included file that is not there
	Included               // a file that was read because of an include
	Absolute               // one that was read by its absolute path, on this machine
	Sequence               // a sequence or definition that cannot be read
	Elsewhere              // a value that only the node knows
	LongLine               // a comment that keepalived breaks in two
	Executable             // a file that keepalived passes over
)

// Notice is something that keepalived complains about, or does otherwise than is written.
type Notice struct {
	Pos
	Kind Kind
	Text string
}

// Statement is one line after preprocessing: a keyword with its words, and what is between the
// braces behind it.
type Statement struct {
	Pos
	Words []string // the first is the keyword, or in a list the first word of the line
	Raw   string   // the line that the words were in, for quoted strings with escapes
	Block bool     // its keyword has statements or a list between braces
	List  bool     // between them are lines that are no keywords
	Body  []*Statement
	// Passed says why keepalived takes no notice of it, "" if it does.
	Passed string
}

// Word returns a word, or "" if there are not so many.
func (s *Statement) Word(n int) string {
	if n < len(s.Words) {
		return s.Words[n]
	}
	return ""
}

// All calls do with the statement and each below it.
func (s *Statement) All(do func(*Statement)) {
	do(s)
	for _, below := range s.Body {
		below.All(do)
	}
}

// Source is a file that was read.
type Source struct {
	Path  string
	Lines []string // without comments, and with no more than white space before them
}

// Config is what one node's keepalived reads.
type Config struct {
	Statements []*Statement
	Sources    []*Source
	Notices    []Notice
	// Conditional says that lines begin with @; IDs are the names behind it, in order.
	Conditional bool
	IDs         []string
}

// Options say for whom a file is read.
type Options struct {
	// Node is the name of which lines that begin with @ are kept; keepalived takes the first label
	// of the node's name, or what its option -i says.
	Node string
	// Files is where files are read; nil is the machine's file system.
	Files Files
}

// Read reads a file and what it includes. Its error is a *Fault.
func Read(path string, o Options) (*Config, error) {
	if o.Files == nil {
		o.Files = machine{}
	}
	r := newReader(o)
	if err := r.open(path); err != nil {
		return nil, err
	}
	p := parser{reader: r, seen: map[string]Pos{}}
	body, err := p.block(topLevel(), false, 0)
	if err != nil {
		return nil, err
	}
	if p.depth > 0 {
		r.notice(Pos{File: path}, Brace, "%d } missing at its end, or so many { too many", p.depth)
	}
	r.config.Statements = body
	slices.SortStableFunc(r.config.Notices, func(a, b Notice) int {
		if a.File == b.File {
			return a.Line - b.Line
		}
		return 0
	})
	return r.config, nil
}
