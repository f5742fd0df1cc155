// Package adapt makes one hawser.yaml of what the keepalived of each node does, and says of each
// line of their files what became of it.
//
// It imports keepalived/model, keepalived/syntax, param and contract. Open this file first: match.go
// finds which instances of the nodes are one virtual router, prefer.go where its addresses are to
// be, check.go what a script becomes, keywords.go what becomes of everything else, yaml.go writes.
package adapt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/keepalived/model"
	"github.com/hawser-ha/hawser/keepalived/syntax"
)

// Verdict says what became of a line.
type Verdict string

// The verdicts, the worst last.
const (
	// NotNeeded is VRRP's own matter: Corosync and Pacemaker do without it.
	NotNeeded Verdict = "not_needed"
	// Converted stands in hawser.yaml and does there what it did.
	Converted Verdict = "converted"
	// Remark stands in hawser.yaml and does something else there, or did something else in keepalived
	// than is written.
	Remark Verdict = "remark"
	// LeftOut has nothing like it in hawser.
	LeftOut Verdict = "left_out"
)

// order are the verdicts, the worst last.
func order() []Verdict { return []Verdict{NotNeeded, Converted, Remark, LeftOut} }

// Outcome says how much of all was converted.
type Outcome string

// The outcomes.
const (
	// All was converted, or is not needed.
	All Outcome = "converted"
	// WithRemarks means that something has to be read before hawser.yaml is used.
	WithRemarks Outcome = "with_remarks"
	// Nothing could be converted: there is no address.
	Nothing Outcome = "not_convertible"
)

// Line is a line of one of the files and what became of it.
type Line struct {
	// File is the file as it was named, or as it was included.
	File string `json:"file"`
	// Line is the line, counted from 1.
	Line int `json:"line"`
	// Text is the line without its comment, and without what is secret.
	Text string `json:"text"`
	// Nodes are those whose file it is.
	Nodes []string `json:"nodes"`
	// Verdict says what became of it.
	Verdict Verdict `json:"verdict"`
	// Comments say it in words; empty where the verdict says all.
	Comments []string `json:"comments"`

	serious []string // of them, those that somebody has to read
}

// Result is what became of the files.
type Result struct {
	Outcome Outcome
	YAML    []byte // nil if nothing was converted
	Lines   []Line
}

// Input is a node and its file.
type Input struct {
	Path   string
	Config *model.Config
}

// adapter is what is known while a hawser.yaml is made.
type adapter struct {
	nodes   []Input
	book    book
	routers []*router
	bundles []*bundle
	checks  []*check
	of      map[string]*check // by what it was
	watched map[string]bool   // what sees whether HAProxy runs
	links   map[string]bool   // interfaces that addresses need besides their own
	taken   map[string]bool   // names of addresses and groups
}

// Adapt makes a hawser.yaml of what the nodes do.
func Adapt(nodes []Input) *Result {
	a := &adapter{nodes: nodes, book: book{}, of: map[string]*check{}, watched: map[string]bool{},
		links: map[string]bool{}, taken: map[string]bool{}}
	a.notices()
	a.match()
	a.bundle()
	a.readChecks()
	for _, b := range a.bundles {
		if a.addresses(b); len(b.addresses) > 0 {
			a.place(b)
			a.tracked(b)
		}
	}
	a.remaining()
	r := &Result{Outcome: All, Lines: a.lines()}
	if slices.ContainsFunc(r.Lines, func(l Line) bool {
		return l.Verdict == Remark || l.Verdict == LeftOut
	}) {
		r.Outcome = WithRemarks
	}
	if !slices.ContainsFunc(a.bundles, func(b *bundle) bool { return len(b.addresses) > 0 }) {
		r.Outcome = Nothing
		return r
	}
	r.YAML = a.yaml(r)
	return r
}

// notices takes over what keepalived complains about, and where it does otherwise than is written.
func (a *adapter) notices() {
	for _, n := range a.nodes {
		for _, notice := range n.Config.Syntax.Notices {
			verdict := Remark
			if notice.Kind == syntax.Included {
				verdict = Converted
			}
			a.book.say(n.Config.Node, notice.Pos, verdict, hide(notice.Text))
		}
		for _, note := range n.Config.Notes {
			a.say(n.Config, note.At, Remark, "%s", hide(note.Text))
		}
	}
}

func (a *adapter) say(c *model.Config, at *syntax.Statement, v Verdict, format string, args ...any) {
	if at != nil {
		a.book.say(c.Node, at.Pos, v, fmt.Sprintf(format, args...))
	}
}

// name is a word as a name of the CIB that nothing else has.
func (a *adapter) name(word string) string {
	var b strings.Builder
	for _, r := range word {
		if r < 0x80 && (r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' ||
			r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			b.WriteRune(r)
		} else {
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-.")
	if name == "" || name[0] >= '0' && name[0] <= '9' || reserved(name) {
		name = "vip-" + name
	}
	name = strings.Trim(name[:min(len(name), 40)], "-.")
	for n, free := 2, name; ; n++ {
		if !a.taken[free] {
			a.taken[free] = true
			return free
		}
		free = fmt.Sprintf("%s-%d", name, n)
	}
}

// entry is what is said about one line.
type entry struct {
	verdict  map[string]Verdict  // of each node
	comments map[string][]string // of each node
	serious  map[string]bool     // the comments that somebody has to read
}

// book has what is said about each line.
type book map[syntax.Pos]*entry

// mostComments is how many comments one line has: a sequence may lead to thousands.
const mostComments = 40

func (b book) say(node string, at syntax.Pos, v Verdict, text string) {
	e := b[at]
	if e == nil {
		e = &entry{map[string]Verdict{}, map[string][]string{}, map[string]bool{}}
		b[at] = e
	}
	if slices.Index(order(), v) >= slices.Index(order(), e.verdict[node]) {
		e.verdict[node] = v
	}
	if text != "" && len(e.comments[node]) < mostComments && !slices.Contains(e.comments[node], text) {
		e.comments[node] = append(e.comments[node], text)
	}
	if v == Remark || v == LeftOut {
		e.serious[text] = true
	}
}

// said reports whether a node has anything about a statement.
func (b book) said(node string, at *syntax.Statement) bool {
	e := b[at.Pos]
	return e != nil && e.verdict[node] != ""
}

// lines are all lines of all files about which there is something to say.
func (a *adapter) lines() []Line {
	var all []Line
	secrets := a.secrets()
	seen := map[string]bool{}
	for _, n := range a.nodes {
		for _, source := range n.Config.Syntax.Sources {
			if seen[source.Path] {
				continue
			}
			seen[source.Path] = true
			all = append(all, a.linesOf(source, secrets)...)
		}
	}
	return all
}

func (a *adapter) linesOf(source *syntax.Source, secrets []string) []Line {
	var all []Line
	var readers []string
	for _, n := range a.nodes {
		if slices.ContainsFunc(n.Config.Syntax.Sources,
			func(s *syntax.Source) bool { return s.Path == source.Path }) {
			readers = append(readers, n.Config.Node)
		}
	}
	for i := range len(source.Lines) + 1 {
		e := a.book[syntax.Pos{File: source.Path, Line: i}]
		l := Line{File: source.Path, Line: i}
		if i > 0 {
			l.Text = show(source.Lines[i-1], secrets)
		}
		if e == nil {
			if verdict, comment, ok := silent(source.Lines, i); ok {
				l.Nodes, l.Verdict, l.Comments = readers, verdict, comment
				all = append(all, l)
			}
			continue
		}
		for _, node := range readers {
			if v := e.verdict[node]; v != "" {
				l.Nodes = append(l.Nodes, node)
				l.Verdict = worst(l.Verdict, v)
			}
		}
		l.Comments, l.serious = e.merged(l.Nodes)
		all = append(all, l)
	}
	return all
}

// silent is the verdict of a line that led to no statement; ok is false where there is nothing to say.
func silent(lines []string, i int) (v Verdict, comments []string, ok bool) {
	if i == 0 {
		return "", nil, false
	}
	switch text := strings.TrimSpace(lines[i-1]); {
	case strings.Trim(text, "{} \\") == "":
		return "", nil, false
	case strings.HasPrefix(text, "$"), strings.HasPrefix(text, "~"), strings.HasSuffix(text, `\`):
		return Converted, []string{}, true
	case strings.HasPrefix(text, "@"):
		return NotNeeded, []string{"the line of another node"}, true
	}
	return NotNeeded, []string{"keepalived reads nothing here"}, true
}

func worst(a, b Verdict) Verdict {
	return slices.MaxFunc([]Verdict{a, b}, func(a, b Verdict) int {
		return cmp.Compare(slices.Index(order(), a), slices.Index(order(), b))
	})
}

// merged are the comments of a line, with the nodes that one is about if it is not about all.
func (e *entry) merged(nodes []string) (out, serious []string) {
	out = []string{}
	seen := map[string]bool{}
	for _, node := range nodes {
		for _, text := range e.comments[node] {
			if seen[text] {
				continue
			}
			seen[text] = true
			var about []string
			for _, other := range nodes {
				if slices.Contains(e.comments[other], text) {
					about = append(about, other)
				}
			}
			weighs := e.serious[text]
			if len(about) < len(nodes) {
				text = strings.Join(about, ", ") + ": " + text
			}
			out = append(out, text)
			if weighs {
				serious = append(serious, text)
			}
		}
	}
	return out, serious
}
